import { formatMacKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { printable } from '../../wire/printable.js';
import type { Filtered } from '../parts/filtered.js';
import { cureOf, placeContext, placeWords } from '../parts/firewall-words.js';
import { asSymptom, questionOf, requestFrames } from '../parts/question.js';
import { refusedBy } from '../parts/refused.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import { times } from '../parts/words.js';
import type { Rule, RuleId } from '../rule.js';
import { EVERYBODY, peersOf } from './parts/peers.js';
import { innerSymptoms, type Refusal, refusalOf, refusalsOf } from './parts/refusals.js';
import { fewHops, isOnItsLink, routerFrom } from './parts/reporter-view.js';
import {
  deviceName,
  onEndpoint,
  PORT_UNREACHABLE,
  questionsBehind,
  symptomsOf,
  vxlanDevices,
  vxlanLine,
} from './parts/tunnel.js';

/** Codes of ICMP destination unreachable (RFC 792, RFC 1812 section 5.2.7.1) and of ICMPv6 (RFC 4443 section 3.1) that forbid. */
const FORBIDS_V4: readonly number[] = [9, 10, 13];
const FORBIDS_V6: readonly number[] = [1, 5, 6];
/** ICMP code that tells an MTU: another fault. */
const FRAGMENTATION_NEEDED = 4;
const TTL_EXCEEDED_V4 = 11;
const TTL_EXCEEDED_V6 = 3;
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
    const { tunnelErrors } = network;
    function tell(refusal: Refusal): void {
      const words = reasonOf(network, refusal);
      if (refusal.isPort || words === null) return;
      const isForbidden = words.includes('forbidden');
      const filter = isForbidden ? filterOf(network, refusal) : null;
      const isShort = words.includes('too few');
      const isNear = words === 'host unreachable' && isOnItsLink(network, refusal);
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
        cause: filter
          ? `On ${reporter} ${placeWords(filter.place)} refuses UDP port ${port} between the endpoints.`
          : isForbidden
            ? `A firewall at ${reporter} forbids UDP port ${port} between the endpoints.`
            : isShort
              ? `${from} sends the packets of the tunnel with a number that each router counts down, and it is 0 at ${reporter}.`
              : isNear
                ? `${reporter} has ${to} on its own link, looks for it there, and nobody answers: ${to} is down, cut off from that link, or a wrong address.`
                : reporter === from
                  ? `${from} itself finds no way: nobody answers for ${to} or for the router to it. ${to} is down or a wrong address, or a route is missing.`
                  : `${reporter} has no way to ${to}: a route is missing or wrong, or ${to} is down or a wrong address.`,
        remedy: [
          {
            text: 'See how the sender reaches the endpoint, and where the way ends',
            commands: [
              onEndpoint(network, refusal.sender, `ip route get ${to}`),
              onEndpoint(network, refusal.sender, `traceroute -n ${to}`),
            ],
          },
          ...(filter ? cureOf([filter], reporter) : []),
          ...(isShort
            ? [
                {
                  text: 'Let them pass more routers; lasts until the device is made anew',
                  commands: vxlanDevices(network, refusal.sender)
                    .slice(0, 1)
                    .map(({ name }) =>
                      onEndpoint(network, refusal.sender, `ip link set ${printable(name)} type vxlan ttl 64`),
                    ),
                },
              ].filter(({ commands }) => commands.length > 0)
            : []),
          ...(filter || isShort || isNear
            ? []
            : [
                isForbidden
                  ? {
                      text: `Let VXLAN pass on ${reporter}`,
                      commands: [
                        onEndpoint(
                          network,
                          tunnelErrors.reporter(refusal.row),
                          `iptables -I FORWARD -p udp --dport ${port} -d ${to} -j ACCEPT`,
                        ),
                      ],
                    }
                  : {
                      text: `Give ${reporter} a route to ${to}`,
                      commands: [
                        onEndpoint(
                          network,
                          tunnelErrors.reporter(refusal.row),
                          `ip route add ${to} via ${routerFrom(network, refusal)}`,
                        ),
                      ],
                    },
              ]),
        ],
        context: [
          ...(filter ? [placeContext(filter.place)] : []),
          ...vxlanDevices(network, refusal.sender).map(vxlanLine),
        ],
        explains: [
          ...innerSymptoms(network, refusal),
          ...sameErrors(network, refusal, isForbidden),
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
        cause: `${tpa} is a wrong remote address, or the machine that has it is down or not on this network.`,
        remedy: [
          {
            text: `If ${tpa} is not the other endpoint: give the device the right destination`,
            commands: redirected(network, asker, device, tpa),
          },
        ],
        context: [vxlanLine(device)],
        explains: [
          { rule: 'arp/unanswered', key: question.key },
          { rule: 'arp/gateway-unanswered', key: question.key },
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
    const right = missing.length > 0 ? missing : peers.length > 0 ? [] : ['<right endpoint>'];
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

/** The rule on the machine that refuses them. */
function filterOf(network: Network, { row, sender, target, port }: Refusal): Filtered | null {
  const reporter = network.tunnelErrors.reporter(row);
  const asPort = PORT_UNREACHABLE.includes(network.tunnelErrors.kind(row));
  return refusedBy(network, { reporter, source: sender, destination: target, protocol: IpProtocol.Udp, port, asPort });
}

/** What the error says, null if it says nothing about reaching the endpoint. */
function reasonOf(network: Network, refusal: Refusal): string | null {
  const kind = network.tunnelErrors.kind(refusal.row);
  const isIpv4 = kind >> 16 === 4;
  const type = (kind >> 8) & 255;
  const code = kind & 255;
  if (type === (isIpv4 ? TTL_EXCEEDED_V4 : TTL_EXCEEDED_V6)) {
    if (code !== 0) return null;
    const hops = fewHops(network, refusal);
    return hops === null
      ? 'the packets run in a circle'
      : `they are sent with ${isIpv4 ? 'TTL' : 'hop limit'} ${hops}, too few for the way`;
  }
  if (type !== (isIpv4 ? 3 : 1) || (isIpv4 && code === FRAGMENTATION_NEEDED)) return null;
  if ((isIpv4 ? FORBIDS_V4 : FORBIDS_V6).includes(code)) return 'it is forbidden';
  if (isIpv4 && code === 3) return 'it is forbidden (a reject in the name of the port)';
  if (!isIpv4 && code === 4) return 'it is forbidden (a reject in the name of the port)';
  return code === 0 ? 'network unreachable' : 'host unreachable';
}
