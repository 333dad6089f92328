import { Flaw } from '../../network/tunnels/tunnels.js';
import { applying } from '../parts/words.js';
import type { Rule } from '../rule.js';
import { address, evidence, onEndpoint, tunnelsOf, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** Flaws that no receiver accepts, in words. */
const WORDS: readonly [flaw: number, words: string][] = [
  [Flaw.NoVni, 'the I flag is clear, so the VNI is not valid'],
  [Flaw.Reserved, 'bits are set that must be 0'],
  [Flaw.NotEthernet, 'what is inside does not begin like an Ethernet frame'],
];
const EXTENSIONS: readonly [flaw: number, words: string, option: 'gbp' | 'gpe'][] = [
  [Flaw.GroupPolicy, 'a group policy id (GBP)', 'gbp'],
  [Flaw.Generic, 'the generic protocol extension (GPE)', 'gpe'],
];

/** Packets to a VXLAN port that are no proper VXLAN (catalogue F11). */
export const malformed: Rule = {
  meta: {
    id: 'vxlan/malformed',
    severity: 'warning',
    summary: 'Packets to a VXLAN port are no proper VXLAN, or use an extension that the other end does not',
    catalogue: 'F11',
  },
  create({ network, report, withdraw }) {
    const { tunnels, segments } = network;

    function tell(tunnel: number): void {
      if (!judge(tunnel)) withdraw(String(tunnel));
    }

    function judge(tunnel: number): boolean {
      if (tunnels.malformed(tunnel) === 0) return false;
      const flaws = tunnels.flaws(tunnel);
      const wrong = WORDS.filter(([flaw]) => (flaws & flaw) !== 0).map(([, words]) => words);
      const oneSided = EXTENSIONS.filter(([flaw, , option]) => (flaws & flaw) !== 0 && isWithout(tunnel, flaw, option));
      if (wrong.length === 0 && oneSided.length === 0) return false;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      const [from, to] = [address(network, source), address(network, destination)];
      const port = tunnels.port(tunnel);
      const vni = tunnels.vni(tunnel);
      const what = [...wrong, ...oneSided.map(([, words]) => `with ${words}, unlike what comes back`)];
      const option = oneSided[0]?.[2] ?? null;
      const receivers = vxlanDevices(network, destination, vni);
      const isForeign = (flaws & Flaw.Foreign) !== 0 && !isEndpoint(segment, port, source, destination);
      const isRefused = oneSided.some(([, , name]) => receivers.some(({ vxlan }) => vxlan?.[name] === false));
      report({
        key: String(tunnel),
        segment,
        capture,
        // Only packets with a mark carry a policy: a way back without it proves little.
        confidence: (wrong.length > 0 && !isForeign) || isRefused ? 'certain' : 'hint',
        title: `${from} sends ${to} what is no plain VXLAN: ${what[0]}`,
        summary:
          `Of ${tunnels.frames(tunnel)} packets from ${from} to ${to}, UDP port ${port}, ${tunnels.malformed(tunnel)} are no plain VXLAN: ${what.join('; ')}. ` +
          'Linux drops packets with bits that it was not told to expect.',
        subject: { sender: from, endpoint: to, port, vni },
        count: tunnels.malformed(tunnel),
        first: tunnels.first(tunnel),
        last: tunnels.last(tunnel),
        evidence: evidence(capture, 'vxlan', tunnels.malformedPlaces(tunnel), what.join('; ')),
        cause:
          option === null
            ? `Something else than VXLAN uses UDP port ${port} (Cisco OTV has 8472 too), or the sender is broken.`
            : `The VXLAN device at one end was made with ${option}, the one at the other without.`,
        remedy: [
          {
            text:
              option === null ? 'See what sends to this port' : `Compare both devices: ${option} on both or on none`,
            commands: [
              option === null
                ? onEndpoint(network, source, `ss -uapn 'dport = :${port}'`)
                : onEndpoint(network, source, 'ip -d link show type vxlan'),
            ],
          },
        ],
        caveats: isForeign
          ? [`nothing between the two is VXLAN: a program that has port ${port} by accident does no harm`]
          : [],
        wouldRaise: applying([
          isForeign && `\`ss -uapn\` of ${to}: is it the VXLAN device that has port ${port}?`,
          !isForeign && wrong.length === 0 && !isRefused && '`ip -d link` of both ends (--context)',
        ]),
        context: [...vxlanDevices(network, source, vni), ...receivers].map(vxlanLine),
      });
      return true;
    }

    /** Whether proper VXLAN goes between the two as well, either way, or the context shows a VXLAN device with the port. */
    function isEndpoint(segment: number, port: number, source: number, destination: number): boolean {
      if (vxlanDevices(network, destination).some(({ vxlan }) => vxlan?.port === port)) return true;
      return tunnels
        .between(segment, source, destination)
        .some((row) => tunnels.port(row) === port && tunnels.frames(row) > tunnels.malformed(row));
    }

    /** Whether the far end is not known to take this extension: it never sends it, and the context does not show it. */
    function isWithout(tunnel: number, flaw: number, option: 'gbp' | 'gpe'): boolean {
      const receivers = vxlanDevices(network, tunnels.destination(tunnel), tunnels.vni(tunnel));
      if (receivers.length > 0) return !receivers.some(({ vxlan }) => vxlan?.[option]);
      const [from, to] = [tunnels.destination(tunnel), tunnels.source(tunnel)];
      const back = tunnels.find(tunnels.segment(tunnel), tunnels.port(tunnel), from, to, tunnels.vni(tunnel));
      return back >= 0 && (tunnels.flaws(back) & flaw) === 0;
    }

    return {
      events: { tunnelled: tell },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
