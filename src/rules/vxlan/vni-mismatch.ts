import type { Question } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { externalAt, externalVni } from './parts/external.js';
import { madeAnew } from './parts/made-anew.js';
import { routedSilence } from './parts/routed-silence.js';
import {
  address,
  askedInVain,
  isKnown,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  tunnelsOf,
  vxlanDevices,
  vxlanLine,
} from './parts/tunnel.js';

/** Frames of one way that are named as evidence. */
const EXAMPLES = 8;

/** Two endpoints use different VNIs on one port (catalogue F4). */
export const vniMismatch: Rule = {
  meta: {
    id: 'vxlan/vni-mismatch',
    severity: 'error',
    summary: 'Two tunnel endpoints use different VNIs: each drops what the other sends',
    catalogue: 'F4',
    silence: true,
    thresholds: {
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { tunnels, segments } = network;
    /** Keys of what was said, by tunnel. */
    const told = new Map<number, string>();

    /** Later frames may excuse what was said before. */
    function tell(tunnel: number): void {
      const key = told.get(tunnel);
      if (!judge(tunnel) && key !== undefined) withdraw(key);
    }

    function judge(tunnel: number): boolean {
      const inner = tunnels.inner(tunnel);
      if (inner < 0) return false;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      const port = tunnels.port(tunnel);
      const vni = tunnels.vni(tunnel);
      // Asymmetric routing between VNIs (EVPN) differs by direction too, but there questions are answered.
      if (tunnels.find(segment, port, destination, source, vni) >= 0) return false;
      const between = tunnels.between(segment, source, destination).filter((row) => tunnels.port(row) === port);
      const back = between.filter((row) => tunnels.source(row) === destination);
      if (network.tunnelErrors.concerns(segment, source, destination)) return false;
      const questions: Question[] = askedInVain(questionsBehind(network, inner, source), thresholds.requests);
      // It has the VNI on another port: that is `vxlan/port-mismatch`.
      if (vxlanDevices(network, destination, vni).some(({ vxlan }) => (vxlan?.port ?? port) !== port)) return false;
      const devices = vxlanDevices(network, destination).filter(({ vxlan }) => (vxlan?.port ?? port) === port);
      const isProved =
        isKnown(network, destination) && devices.length > 0 && !devices.some(({ vxlan }) => vxlan?.id === vni);
      const alone = back.filter((row) => tunnels.find(segment, port, source, destination, tunnels.vni(row)) < 0);
      // Overlays that route from node to node (flannel) ask nobody; that the context shows no such device tells of them.
      const routed =
        isProved && questions.length === 0
          ? routedSilence(network, inner, destination, thresholds.requests, Number.POSITIVE_INFINITY)
          : null;
      if ((questions.length === 0 && !routed) || (!isProved && alone.length === 0)) return false;
      // What the sender has too is another overlay between the two.
      const shared = new Set(vxlanDevices(network, source).map(({ vxlan }) => vxlan?.id));
      const meant = devices.find(({ vxlan }) => !shared.has(vxlan?.id)) ?? devices[0];
      const other = alone.length > 0 ? tunnels.vni(alone[0]) : (meant?.vxlan?.id ?? 0);
      const from = address(network, source);
      const to = address(network, destination);
      const rows = [tunnel, ...alone];
      const ends = `${Math.min(source, destination)} ${Math.max(source, destination)}`;
      const isOdd = holders(other, source, destination) > holders(vni, source, destination);
      const [odd, right, wrong] = isOdd ? [source, other, vni] : [destination, vni, other];
      const [here, there] = isOdd ? [from, to] : [to, from];
      const external = externalAt(network, odd);
      const key = `${segment} ${port} ${ends} ${Math.min(vni, other)} ${Math.max(vni, other)}`;
      told.set(tunnel, key);
      report({
        key,
        segment,
        capture,
        confidence: isProved && !routed ? 'certain' : 'likely',
        title: `${from} sends VNI ${vni}, ${to} has VNI ${other}: neither hears the other`,
        summary:
          `VXLAN from ${from} to ${to} carries VNI ${vni}, ` +
          (alone.length > 0 ? `what comes back carries VNI ${other}` : `and ${to} has a device for VNI ${other} only`) +
          `. An endpoint drops VNIs that it does not know without a word. ${[...questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`), ...(routed?.words ?? [])].join(', ')}, in vain.`,
        subject: { endpoint: from, peer: to, vni, peerVni: other },
        count: rows.reduce((sum, row) => sum + tunnels.frames(row), 0),
        first: Math.min(...rows.map((row) => tunnels.first(row))),
        last: Math.max(...rows.map((row) => tunnels.last(row))),
        evidence: [
          ...rows.flatMap((row) => tunnelFrames(network, row).slice(0, EXAMPLES)),
          ...(routed?.evidence ?? []),
        ],
        cause: `The VXLAN devices of ${from} and ${to} ${external ? 'use' : 'were made with'} different ids.`,
        remedy: [
          {
            text: 'Compare the VNIs of both ends',
            commands: [
              onEndpoint(network, source, 'ip -d link show type vxlan'),
              onEndpoint(network, destination, 'ip -d link show type vxlan'),
            ],
          },
          ...(external
            ? externalVni(external, wrong, right)
            : [
                {
                  text: `Make the device on ${here} again with VNI ${right} (a device's VNI cannot be changed), and put it where the old one was`,
                  commands: madeAnew(
                    network,
                    odd,
                    `id ${right} local ${here} remote ${there} dstport ${port}`,
                    wrong,
                    there,
                  ),
                },
              ]),
        ],
        wouldRaise: isProved || externalAt(network, destination) ? [] : [`\`ip -d link\` of ${to} (--context)`],
        context: [...vxlanDevices(network, source, vni), ...devices].map(vxlanLine),
        explains: [
          ...symptomsOf(network, [...questions, ...alone.flatMap(questionsIn)]),
          ...(routed?.explains ?? []),
          ...rows.map((row) => ({ rule: 'vxlan/one-way' as const, key: String(row) })),
        ],
      });
      return true;
    }

    /** VXLAN devices of the host context with a VNI, at other endpoints than these: what most have is right. */
    function holders(vni: number, ...ends: number[]): number {
      const own = ends.flatMap((end) => vxlanDevices(network, end));
      const all = network.context?.devices ?? [];
      return all.filter((device) => device.vxlan?.id === vni && !own.includes(device)).length;
    }

    /** What is asked in vain in a tunnel, by those behind its source. */
    function questionsIn(tunnel: number): Question[] {
      return questionsBehind(network, tunnels.inner(tunnel), tunnels.source(tunnel));
    }

    return {
      events: {
        unansweredInside: (inner) => tunnelsCarrying(network, inner).forEach(tell),
        tunnelled(tunnel) {
          const [from, to] = [tunnels.source(tunnel), tunnels.destination(tunnel)];
          const segment = tunnels.segment(tunnel);
          const back = tunnels.find(segment, tunnels.port(tunnel), to, from, tunnels.vni(tunnel));
          const key = told.get(back);
          if (key !== undefined) withdraw(key);
        },
      },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
