import type { Device } from '../../network/context/device.js';
import { printable } from '../../wire/printable.js';
import { showsOneWay } from '../one-way-capture.js';
import { type Question, requestFrames } from '../question.js';
import { asRepeated, repeatedFrames } from '../repeated.js';
import type { Rule } from '../rule.js';
import { REQUESTS } from '../usual-thresholds.js';
import { type RoutedSilence, routedSilence } from './routed-silence.js';
import {
  address,
  askedAgain,
  askedInVain,
  isGroup,
  isKnown,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  tunnelsOf,
  underlayName,
  vxlanDevices,
  vxlanLine,
} from './tunnel.js';

/** Frames of the silent direction's counterpart that are named as evidence. */
const EXAMPLES = 16;
/** Tunnels without ARP of which it is looked what they carry in vain: each takes a look at all pings and connections. */
const MAX_ROUTED = 256;

/** VXLAN goes one way only, and what is asked inside stays without an answer (catalogue F2). */
export const oneWay: Rule = {
  meta: {
    id: 'vxlan/one-way',
    severity: 'warning',
    summary: 'VXLAN goes to an endpoint, questions inside stay unanswered, and the endpoint never answers any',
    catalogue: 'F2',
    silence: true,
    thresholds: {
      endpoints: {
        value: 8,
        unit: 'endpoints that a sender floods to, at most',
        source: 'with more the silence of one says nothing',
      },
      frames: { value: 3, unit: 'packets without a word back', source: 'a kernel asks three times' },
      duration: {
        value: 1.8,
        unit: 'seconds that they take, and that lie between a question and the end of the capture',
        source: 'a kernel asks three times in 2 s',
      },
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
      routedFrames: {
        value: 5,
        unit: 'packets without a word back, where nothing inside asks by ARP',
        source: 'catalogue F2; a ping or a SYN may be dropped by its receiver, so more is asked for',
      },
      routedDuration: { value: 4, unit: 'seconds that these take', source: 'five pings, one each second' },
    },
  },
  create({ network, captures, report, withdraw, thresholds }) {
    const { tunnels, segments, addresses, context } = network;
    /** Tunnels whose pings and connections were looked at. */
    const looked = new Set<number>();

    /** Later frames may excuse what was said before. */
    function tell(tunnel: number): void {
      if (!judge(tunnel)) withdraw(String(tunnel));
    }

    function judge(tunnel: number): boolean {
      const inner = tunnels.inner(tunnel);
      if (inner < 0 || isGroup(network, tunnels.destination(tunnel))) return false;
      if (
        tunnels.frames(tunnel) < thresholds.frames ||
        tunnels.last(tunnel) - tunnels.first(tunnel) < thresholds.duration * 1e9
      )
        return false;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      const back = tunnels.between(segment, source, destination).filter((row) => tunnels.source(row) === destination);
      // Whoever sends single stations of ours something has heard them.
      if (back.some((row) => tunnels.inner(row) < 0 || tunnels.unicastFrames(row) > 0)) return false;
      const sends = back.length > 0;
      if (sends && wayBack(tunnel) < 0 && !back.some((row) => tunnels.vni(row) === tunnels.vni(tunnel))) return false;
      if (network.tunnelErrors.concerns(segment, source, destination)) return false;
      // Silence is told of what lies back long enough to have been answered (catalogue 3.3).
      const questions = askedInVain(questionsBehind(network, inner, source), thresholds.requests).filter(
        ({ first }) => network.now - first >= thresholds.duration * 1e9,
      );
      const routed = sends || questions.length > 0 ? null : silenceOf(tunnel);
      if (questions.length === 0 && !routed) return false;
      // Another endpoint may be the one that answers a question for all; then this one has nothing to say.
      const peers = peersOf(tunnel);
      if (!routed && (peers === null || peers > thresholds.endpoints)) return false;
      const deaf = deafDevice(tunnel);
      const from = address(network, source);
      const to = address(network, destination);
      const port = tunnels.port(tunnel);
      const vni = tunnels.vni(tunnel);
      // A tagged question may be for a VLAN that nobody has there; an endpoint that sends may have nobody to answer.
      const isTagged = questions.length > 0 && questions.every((question) => question.segment !== inner);
      const isAlive = isHeardOtherwise(tunnel);
      // Of several endpoints that are asked, most have no reason to answer.
      const isOneWay = showsOneWay(captures[capture]);
      // What is answered through the tunnel, and asked again and again, did not get the answer: the other way is open.
      const unheard = sends ? askedAgain(network, inner, destination, source) : [];
      const confidence = deaf
        ? 'certain'
        : unheard.length > 0
          ? 'likely'
          : (routed ? routed.targets.length < 2 && !isAlive : sends || isTagged || peers !== 1) || isOneWay
            ? 'hint'
            : 'likely';
      report({
        key: String(tunnel),
        segment,
        capture,
        confidence,
        title:
          unheard.length > 0
            ? `VXLAN from ${from} does not reach ${to}, whose own does arrive`
            : sends
              ? `${to} never answers what ${from} sends it through VXLAN`
              : `VXLAN goes from ${from} to ${to}, and nothing comes back`,
        summary:
          `${from} sent ${tunnels.frames(tunnel)} VXLAN packets of VNI ${vni} to ${to}, UDP port ${port}. ` +
          (sends
            ? `From ${to} come broadcasts of its own only, no answer to any question from behind ${from}. `
            : `From ${to} comes no VXLAN at all${isAlive ? ', but other packets do' : ''}. `) +
          (unheard.length > 0
            ? `${unheard.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, is answered each time, and asks again. `
            : '') +
          `${[...questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`), ...(routed?.words ?? [])].join(', ')}, in vain.`,
        subject: { endpoint: to, sender: from, vni, port },
        count: tunnels.frames(tunnel),
        first: tunnels.first(tunnel),
        last: tunnels.last(tunnel),
        evidence: [
          ...questions.flatMap((question) => requestFrames(network, question)),
          ...(routed?.evidence ?? []),
          ...unheard.flatMap(({ row }) => repeatedFrames(network, row)),
          ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
        ],
        cause: deaf
          ? `The packets arrive at ${to}, and its VXLAN device ${printable(deaf.name)} has received none: a firewall on the machine drops UDP port ${port}.`
          : `A firewall, security group or hypervisor drops UDP port ${port} on the way to ${to} or back, ${to} sends its answers elsewhere (wrong remote), or it has no device for VNI ${vni}: Linux drops an unknown VNI without a word.`,
        remedy: [
          {
            text: `See whether the packets arrive at ${to}, and whether any leave there`,
            commands: [
              onEndpoint(
                network,
                destination,
                `tcpdump -eni ${underlayName(network, destination)} udp port ${port} and host ${from}`,
              ),
            ],
          },
          {
            text: `They arrive: let them in at ${to}`,
            commands: [
              onEndpoint(network, destination, 'nft list ruleset'),
              onEndpoint(network, destination, `iptables -I INPUT -p udp --dport ${port} -s ${from} -j ACCEPT`),
            ],
          },
          ...(isAlive
            ? [
                {
                  text: `Other packets come from ${to}, so it is the port: allow UDP ${port} in security groups on the way. Hypervisors that run VXLAN themselves take ports 4789 and 8472 for theirs: another port on all endpoints (flannel: Backend.Port) helps there, or no offload for tunnels`,
                  commands: [
                    onEndpoint(
                      network,
                      source,
                      `ip link add <new vxlan device> type vxlan id ${vni} remote ${to} dstport 8473`,
                    ),
                    onEndpoint(
                      network,
                      source,
                      `ethtool -K ${underlayName(network, source)} tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off`,
                    ),
                  ],
                },
              ]
            : []),
          {
            text: `They arrive and pass the firewall: compare VNI and remote address with the device of ${from}`,
            commands: [onEndpoint(network, destination, 'ip -d link show type vxlan')],
          },
        ],
        caveats: [
          ...(isOneWay ? ['all frames of this capture go one way: it would not show what comes back'] : []),
          ...(routed && !deaf
            ? [
                `stations that drop what they get stay silent too (a firewall or network policy inside): ${routed.targets.join(', ')}`,
              ]
            : []),
          ...(deaf || routed || unheard.length > 0 || !questions.every(isForUnseen)
            ? []
            : [
                `an address that nobody has stays without an answer too, and nothing here shows that somebody has ${questions.map(({ tpa }) => tpa).join(', ')}`,
              ]),
        ],
        wouldRaise: deaf
          ? []
          : [
              `a capture at ${to}: do the packets arrive?`,
              ...(isKnown(network, destination)
                ? []
                : [`\`ip -d -s link\` of ${to} (--context): does its VXLAN device receive?`]),
            ],
        context: deaf
          ? [`${vxlanLine(deaf)}: 0 packets received`]
          : vxlanDevices(network, destination, vni).map(vxlanLine),
        explains: [
          ...symptomsOf(network, [...questions, ...unheard]),
          ...unheard.map(asRepeated),
          ...(routed?.explains ?? []),
        ],
      });
      return true;
    }

    /** What gets no answer in an overlay without ARP: frames for single stations behind an endpoint that never sends any VXLAN. */
    function silenceOf(tunnel: number): RoutedSilence | null {
      const lasts = (tunnels.last(tunnel) - tunnels.first(tunnel)) / 1e9;
      if (tunnels.frames(tunnel) < thresholds.routedFrames || lasts < thresholds.routedDuration) return null;
      if (!looked.has(tunnel) && looked.size === MAX_ROUTED) return null;
      looked.add(tunnel);
      const since = network.now - thresholds.duration * 1e9;
      return routedSilence(network, tunnels.inner(tunnel), tunnels.destination(tunnel), thresholds.requests, since);
    }

    /** Whether the endpoint, which sends no VXLAN, sends other IP packets. */
    function isHeardOtherwise(tunnel: number): boolean {
      const { bindings } = network;
      const sent = bindings.of(tunnels.segment(tunnel), tunnels.destination(tunnel));
      return sent.some((row) => bindings.ttl(row) > 0);
    }

    /** Whether neither a frame nor the host context shows that somebody has the address that is asked for. */
    function isForUnseen({ row, segment, target }: Question): boolean {
      return target === null && network.claims.holder(segment, network.resolutions.tpa(row)) < 0;
    }

    /** How many endpoints the sender floods to in this VNI; null where another one answers. */
    function peersOf(tunnel: number): number | null {
      let peers = 0;
      for (let row = 0; row < tunnels.count; row++) {
        if (tunnels.inner(row) !== tunnels.inner(tunnel)) continue;
        if (tunnels.destination(row) === tunnels.source(tunnel) && tunnels.unicastFrames(row) > 0) return null;
        if (tunnels.source(row) === tunnels.source(tunnel)) peers++;
      }
      return peers;
    }

    /** The destination's VXLAN device, if the context shows that it is the right one and counted no packet. */
    function deafDevice(tunnel: number): Device | null {
      const devices = vxlanDevices(network, tunnels.destination(tunnel), tunnels.vni(tunnel)).filter(
        ({ vxlan, up }) => up && (vxlan?.port ?? tunnels.port(tunnel)) === tunnels.port(tunnel),
      );
      return devices.length === 1 && devices[0].counters?.rxPackets === 0 && arrives(tunnel) ? devices[0] : null;
    }

    /** Whether the capture was taken on the machine that the packets are for. */
    function arrives(tunnel: number): boolean {
      const { vantage } = network;
      if (!context || !vantage) return false;
      const holders = context.devicesByIp(addresses.words(tunnels.destination(tunnel)));
      return holders.some(({ namespace }) => namespace === vantage.namespace);
    }

    function wayBack(tunnel: number): number {
      const [from, to] = [tunnels.destination(tunnel), tunnels.source(tunnel)];
      return tunnels.find(tunnels.segment(tunnel), tunnels.port(tunnel), from, to, tunnels.vni(tunnel));
    }

    return {
      events: {
        unansweredInside: (inner) => tunnelsCarrying(network, inner).forEach(tell),
        // Something comes back.
        tunnelled: (tunnel) => withdraw(String(wayBack(tunnel))),
      },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
