import { formatMacKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { placeContext } from '../parts/firewalls/words.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { asSymptom, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import { times } from '../parts/words.js';
import type { Rule, RuleId } from '../rule.js';
import { EVERYBODY, peersOf, underlayOf } from './parts/peers.js';
import { causeOf, reasonOf, remediesOf } from './parts/refusal-reason.js';
import { innerSymptoms, type Refusal, refusalOf, refusalsOf } from './parts/refusals.js';
import { deviceName, onEndpoint, questionsBehind, symptomsOf, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** Entries and questions that a finding names at most. */
const MAX_ENTRIES = 16;

/** The network says that packets do not reach the far endpoint. */
export const remoteUnreachable: Rule = {
  meta: {
    id: 'vxlan/remote-unreachable',
    severity: 'error',
    summary: 'VXLAN packets do not reach the far tunnel endpoint: a router or the ARP below says so',
    catalogue: '',
    thresholds: {
      requests: { ...REQUESTS, unit: 'requests in vain for the far endpoint that make it certain' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    function tell(refusal: Refusal): void {
      const reason = refusal.isPort ? null : reasonOf(network, refusal);
      if (!reason) return;
      const { words, filter } = reason;
      const { key, segment, capture, count, first, last, from, to, port, reporter } = refusal;
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence: 'certain',
        title: `VXLAN from ${from} does not reach ${to}: ${words}, says ${reporter}`,
        summary:
          `${from} sends VXLAN to ${to}, UDP port ${port}, and ${reporter} answers with an ICMP error, ${times(count)}: ${words}. ` +
          'The overlay between the two is dead in this direction, whatever happens inside it.',
        subject: { endpoint: to, sender: from, reporter, port },
        evidence: refusal.evidence,
        cause: causeOf(refusal, reason),
        remedy: [
          {
            text: 'See how the sender reaches the endpoint, and where the way ends',
            commands: [
              onEndpoint(network, refusal.sender, `ip route get ${to}`),
              onEndpoint(network, refusal.sender, `traceroute -n ${to}`),
            ],
          },
          ...remediesOf(network, refusal, reason),
        ],
        context: [
          ...(filter ? [placeContext(filter.place)] : []),
          ...vxlanDevices(network, refusal.sender).map(vxlanLine),
        ],
        explains: [
          ...innerSymptoms(network, refusal),
          ...sameErrors(network, refusal, reason.kind === 'forbidden'),
          ...ownQuestions(network, refusal),
        ],
      });
    }

    /** The host context tells that the address which nobody answers for is a VXLAN device's destination. */
    function tellArp(row: number): void {
      const { context, resolutions, addresses, tunnels } = network;
      if (!context) return;
      const question = questionOf(network, row);
      const asker = resolutions.spa(row);
      const target = resolutions.tpa(row);
      const device = vxlanDevices(network, asker).find(
        ({ vxlan, endpoints }) =>
          vxlan?.remote?.text === addresses.format(target) ||
          endpoints?.some(({ dst }) => dst.text === addresses.format(target)),
      );
      if (!device?.vxlan) return;
      const { spa, tpa, requests } = question;
      const home = endOf(network, target, device.vxlan.id);
      const explains: { rule: RuleId; key: string }[] = [];
      for (let tunnel = 0; tunnel < tunnels.count; tunnel++) {
        const back = tunnels.destination(tunnel) === asker && tunnels.vni(tunnel) === device.vxlan.id;
        if (!back || tunnels.segment(tunnel) !== question.segment) continue;
        explains.push({ rule: 'vxlan/one-way' as const, key: String(tunnel) });
        const inner = tunnels.inner(tunnel);
        // What waits inside for an answer of that endpoint, which cannot send any.
        if (inner >= 0) explains.push(...symptomsOf(network, questionsBehind(network, inner, tunnels.source(tunnel))));
      }
      report({
        ...question,
        confidence: requests >= thresholds.requests ? 'certain' : 'likely',
        title: `VXLAN from ${spa} does not reach ${tpa}: nobody answers for that address`,
        summary:
          `${spa} sends what its VXLAN device ${deviceName(network, asker, device.vxlan.id)} carries to ${tpa}, and first asks who has that address, ` +
          `${requests} times, without an answer. Everything for this tunnel waits for it and is dropped.`,
        subject: { endpoint: tpa, sender: spa, vni: device.vxlan.id },
        evidence: requestFrames(network, question),
        cause: home
          ? `The machine of ${label(home)}, which is to have ${tpa}, lacks the address, is down, or is not reached on this network.`
          : `${tpa} is a wrong remote address, or the machine that has it is down or not on this network.`,
        remedy: home
          ? [
              ...setUp(downHolder(network, target)),
              {
                text: `${tpa} is the other end, ${label(home)}: see there whether a device that is up has the address`,
                commands: ['ip -br addr', 'ip -br link'].map((command) => inNamespace(home, command)),
              },
            ]
          : [
              {
                text: `If ${tpa} is not the other endpoint: give the device the right destination`,
                commands: redirected(network, asker, device, tpa),
              },
            ],
        context: [vxlanLine(device)],
        explains: [
          { rule: 'arp/unanswered', key: question.key },
          { rule: 'arp/gateway-unanswered', key: question.key },
          { rule: 'nd/unanswered', key: question.key },
          ...explains,
          // The machine tells itself, once the question was in vain.
          ...refusalsOf(network, question.capture)
            .filter(
              ({ sender, target: refused, reporter }) => sender === asker && refused === target && reporter === spa,
            )
            .map(({ key }) => ({ rule: 'vxlan/remote-unreachable' as const, key })),
        ],
      });
    }

    return {
      events: {
        tunnelRefused: (row) => tell(refusalOf(network, row)),
        unanswered: tellArp,
        answered: (row) => withdraw(questionOf(network, row).key),
      },
      captureEnd: (capture) => refusalsOf(network, capture).forEach(tell),
    };
  },
};

/** The VXLAN device of the VNI that by the host context ends at an address (row of `Addresses`); null where it shows none. */
function endOf({ context, addresses }: Network, target: number, vni: number): Device | null {
  const homes = new Set(context?.devicesByIp(addresses.words(target)).map(({ namespace }) => namespace));
  const isEnd = (device: Device) =>
    device.vxlan?.id === vni &&
    (device.vxlan.local
      ? device.vxlan.local.text === addresses.format(target)
      : context !== null && homes.has(underlayOf(context, device) ?? ''));
  return context?.devices.find(isEnd) ?? null;
}

/** Commands that send elsewhere what a VXLAN device sends to an endpoint: its entries for single stations, and its flood list. */
function redirected(network: Network, asker: number, device: Device, tpa: string): string[] {
  const { name, vxlan, endpoints } = device;
  const dev = printable(name);
  const entries = (endpoints ?? []).filter(({ dst }) => dst.text === tpa);
  const single = entries.filter(({ mac }) => mac !== 0).slice(0, MAX_ENTRIES);
  const commands = single.map(({ mac }) => {
    const place = placeOf(network, mac, vxlan?.id) ?? '<right endpoint>';
    return `bridge fdb replace ${formatMacKey(mac)} dev ${dev} dst ${place}`;
  });
  if (single.length === 0 || entries.length > single.length) {
    const known = new Set((endpoints ?? []).filter(({ mac }) => mac === 0).map(({ dst }) => dst.text));
    const peers = network.context ? peersOf(network.context, device) : [];
    const missing = peers.filter((each) => each !== tpa && !known.has(each));
    // Where all that are known are in the list already, the wrong one only has to go.
    const right = peers.length > 0 ? missing : ['<right endpoint>'];
    // The one that the device was made with is changed at the device.
    const first = vxlan?.remote?.text === tpa ? right.shift() : undefined;
    if (first !== undefined) commands.push(`ip link set ${dev} type vxlan remote ${first}`);
    commands.push(...right.map((each) => `bridge fdb append ${EVERYBODY} dev ${dev} dst ${each}`));
    const via = entries.find(({ mac }) => mac === 0)?.via ?? null;
    if (first === undefined)
      commands.push(`bridge fdb del ${EVERYBODY} dev ${dev} dst ${tpa}${via === null ? '' : ` via ${printable(via)}`}`);
  }
  return commands.map((command) => onEndpoint(network, asker, command));
}

/** The endpoint whose VXLAN device has a MAC, by the host context. */
function placeOf({ context }: Network, mac: number, vni: number | undefined): string | undefined {
  const devices = context?.devicesByMac(Math.floor(mac / 2 ** 32), (mac % 2 ** 32) | 0) ?? [];
  const [device] = devices;
  return devices.length === 1 && device.vxlan?.id === vni ? device.vxlan?.local?.text : undefined;
}

/** What the sender asks in vain before it tells itself that the endpoint cannot be reached. */
function ownQuestions(network: Network, { capture, sender, target, from, reporter }: Refusal) {
  const { resolutions, segments } = network;
  const found: { rule: RuleId; key: string }[] = [];
  if (reporter !== from) return found;
  for (const row of resolutions.askedFor(target)) {
    if (resolutions.spa(row) !== sender || segments.captureOf(resolutions.segment(row)) !== capture) continue;
    if (found.length < MAX_ENTRIES) found.push(...asSymptom(questionOf(network, row)));
  }
  return found;
}

/**
 * The same ICMP errors as the rules about any packet tell them. A filter may forbid other ports for reasons of its own; a
 * way that is missing is missing for all.
 */
function sameErrors({ icmpErrors, tunnelErrors }: Network, refusal: Refusal, isForbidden: boolean) {
  const kind = tunnelErrors.kind(refusal.row);
  const reporter = tunnelErrors.reporter(refusal.row);
  const found: { rule: RuleId; key: string }[] = [];
  for (let row = 0; row < icmpErrors.count; row++) {
    if (icmpErrors.destination(row) !== refusal.target || icmpErrors.reporter(row) !== reporter) continue;
    if (icmpErrors.segment(row) !== refusal.segment || icmpErrors.isV6(row) !== kind >> 16 > 4) continue;
    if (((icmpErrors.type(row) << 8) | icmpErrors.code(row)) !== (kind & 0xffff)) continue;
    const isOnly = icmpErrors.port(row) === refusal.port && icmpErrors.portRun(row) === icmpErrors.errors(row);
    if (isForbidden && !isOnly) continue;
    for (const rule of ['icmp/unreachable', 'icmp/time-exceeded'] as const) found.push({ rule, key: String(row) });
  }
  return found;
}
