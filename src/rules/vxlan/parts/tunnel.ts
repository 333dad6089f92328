import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import type { Place } from '../../../network/rows/frame-lists.js';
import { errorKind } from '../../../network/tunnels/tunnel-errors.js';
import { printable } from '../../../wire/printable.js';
import { asSymptom, inNamespace, type Question, questionOf } from '../../parts/question.js';
import { REPETITIONS } from '../../parts/repeated.js';
import type { EvidenceRef, RuleId } from '../../rule.js';
import { underlayOf } from './peers.js';

/** Tunnels of one segment that are looked at before the capture ends. */
const MAX_LIVE = 64;
/** Questions that a finding names at most. */
const MAX_QUESTIONS = 16;
/** Places of these questions that a finding explains at most. */
const MAX_SYMPTOMS = 64;

/** A port that refuses: ICMP 3 code 3 (RFC 792), ICMPv6 1 code 4 (RFC 4443 section 3.1). */
export const PORT_UNREACHABLE: readonly number[] = [errorKind(4, 3, 3), errorKind(6, 1, 4)];

export function address(network: Network, row: number): string {
  return network.addresses.format(row);
}

/** Frames as evidence, with a note. */
export function evidence(capture: number, layer: string, places: readonly Place[], note: string): EvidenceRef[] {
  return places.map((place) => ({ capture, layer, note, ...place }));
}

/** Outer packets from `source` to `destination` as evidence. */
export function tunnelFrames(network: Network, tunnel: number): EvidenceRef[] {
  const { tunnels, segments } = network;
  const from = address(network, tunnels.source(tunnel));
  const to = address(network, tunnels.destination(tunnel));
  const note = `VXLAN ${from} > ${to}, UDP ${tunnels.port(tunnel)}, VNI ${tunnels.vni(tunnel)}`;
  return evidence(segments.captureOf(tunnels.segment(tunnel)), 'vxlan', tunnels.places(tunnel), note);
}

/** Tunnels of one capture. */
export function tunnelsOf({ tunnels, segments }: Network, capture: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < tunnels.count; row++)
    if (segments.captureOf(tunnels.segment(row)) === capture) rows.push(row);
  return rows;
}

/** Tunnels that carry a segment. */
export function tunnelsCarrying({ tunnels }: Network, inner: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < tunnels.count && rows.length < MAX_LIVE; row++)
    if (tunnels.inner(row) === inner) rows.push(row);
  return rows;
}

/** What `vxlan/one-way` says of the tunnels that carry a segment to an endpoint, as symptoms of a cause. */
export function unanswered(network: Network, inner: number, endpoint: number) {
  return tunnelsCarrying(network, inner)
    .filter((row) => network.tunnels.destination(row) === endpoint)
    .map((row) => ({ rule: 'vxlan/one-way', key: String(row) }) as const);
}

/** Questions in vain inside a tunnel, by stations that were heard behind `endpoint`. */
export function questionsBehind(network: Network, inner: number, endpoint: number): Question[] {
  const { resolutions, tunnelQuestions, tunnelStations } = network;
  const rows = tunnelQuestions.in(inner).filter((row) => {
    const station = tunnelStations.find(inner, resolutions.hi(row), resolutions.lo(row));
    return station >= 0 && tunnelStations.heardAt(station) === endpoint;
  });
  return rows.slice(0, MAX_QUESTIONS).map((row) => questionOf(network, row));
}

/** Questions of stations behind `endpoint` that those behind `answerer` answer, and that are asked again and again nonetheless. */
export function askedAgain(network: Network, inner: number, endpoint: number, answerer: number): Question[] {
  const { resolutions, tunnelStations, claims, bindings } = network;
  const isBehind = (hi: number, lo: number, where: number) => {
    const station = tunnelStations.find(inner, hi, lo);
    return station >= 0 && tunnelStations.heardAt(station) === where;
  };
  const found: Question[] = [];
  for (const row of resolutions.in(inner)) {
    if (found.length === MAX_QUESTIONS) break;
    if (resolutions.repeats.count(row) < REPETITIONS) continue;
    if (!isBehind(resolutions.hi(row), resolutions.lo(row), endpoint)) continue;
    const holder = claims.holder(inner, resolutions.tpa(row));
    if (holder >= 0 && isBehind(bindings.hi(holder), bindings.lo(holder), answerer))
      found.push(questionOf(network, row));
  }
  return found;
}

/** Those that were asked so often in vain, as a kernel does before it gives up. */
export function askedInVain(questions: readonly Question[], times: number): Question[] {
  return questions.filter(({ requests }) => requests >= times);
}

/**
 * The questions as symptoms, at whatever device of the capture they show: a bridge or guest's device shows them without the
 * tunnel. In another VNI the same addresses are another tenant's.
 */
export function symptomsOf(network: Network, questions: readonly Question[]): { rule: RuleId; key: string }[] {
  const { resolutions, segments } = network;
  const found: Question[] = [];
  for (const question of questions) {
    const spa = resolutions.spa(question.row);
    const vni = segments.vniOf(question.segment);
    for (const row of resolutions.askedFor(resolutions.tpa(question.row))) {
      if (found.length === MAX_SYMPTOMS) break;
      if (resolutions.spa(row) !== spa) continue;
      const segment = resolutions.segment(row);
      const other = segments.vniOf(segment);
      if ((other < 0 || other === vni) && segments.captureOf(segment) === question.capture)
        found.push(questionOf(network, row));
    }
  }
  return found.flatMap((question) => asSymptom(question));
}

/** VXLAN devices whose outer packets belong to the namespace that holds an address, with this VNI if one is given. */
export function vxlanDevices(network: Network, endpoint: number, vni?: number): Device[] {
  const { context, addresses } = network;
  if (!context) return [];
  const names = new Set(context.devicesByIp(addresses.words(endpoint)).map(({ namespace }) => namespace));
  return context.devices.filter(
    (device) =>
      device.vxlan && names.has(underlayOf(context, device) ?? '') && (vni === undefined || device.vxlan.id === vni),
  );
}

/** Whether a row of `addresses` is a multicast group: 224.0.0.0/4, ff00::/8. */
export function isGroup({ addresses }: Network, row: number): boolean {
  const words = addresses.words(row);
  return words.length === 1 ? words[0] >>> 28 === 0xe : words[0] >>> 24 === 0xff;
}

/** Whether the host context shows the machine that holds an address. */
export function isKnown({ context, addresses }: Network, endpoint: number): boolean {
  return context !== null && context.devicesByIp(addresses.words(endpoint)).length > 0;
}

/** Whether the capture was taken on the machine that a tunnel's packets are for. */
export function arrives({ context, vantage, tunnels, addresses }: Network, tunnel: number): boolean {
  if (!context || !vantage) return false;
  const holders = context.devicesByIp(addresses.words(tunnels.destination(tunnel)));
  return holders.some(({ namespace }) => namespace === vantage.namespace);
}

/** `vxlan10: VNI 10, UDP 4789, remote 10.1.1.2 (vtep1)`, safe to print. */
export function vxlanLine({ name, namespace, vxlan }: Device): string {
  if (!vxlan) return printable(`${name} (${namespace})`);
  const words = [`${name}: VNI ${vxlan.id}`, `UDP ${vxlan.port ?? 'unknown'}`];
  if (vxlan.remote) words.push(`remote ${vxlan.remote.text}`);
  else if (vxlan.group) words.push(`group ${vxlan.group.text}`);
  return printable(`${words.join(', ')} (${namespace})`);
}

/** A command for the machine behind an endpoint: in its namespace where the context knows it. */
export function onEndpoint(network: Network, endpoint: number, command: string): string {
  const device = network.context?.devicesByIp(network.addresses.words(endpoint))[0];
  return device ? inNamespace(device, command) : printable(command);
}

/** Name of the VXLAN device at an endpoint, or a placeholder. */
export function deviceName(network: Network, endpoint: number, vni?: number): string {
  const [device] = vxlanDevices(network, endpoint, vni);
  return device ? printable(device.name) : '<vxlan device>';
}

/** Name of the device that carries an endpoint's address, or a placeholder. */
export function underlayName({ context, addresses }: Network, endpoint: number): string {
  const device = context?.devicesByIp(addresses.words(endpoint))[0];
  return device ? printable(device.name) : '<underlay device>';
}
