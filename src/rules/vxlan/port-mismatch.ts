import type { Device } from '../../network/context/device.js';
import { Flaw } from '../../network/tunnels/tunnels.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Diagnosis, Rule } from '../rule.js';
import { madeAnew } from './parts/made-anew.js';
import { innerSymptoms, type Refusal, refusalOf, refusalsOf } from './parts/refusals.js';
import {
  address,
  askedInVain,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsOf,
  vxlanDevices,
  vxlanLine,
} from './parts/tunnel.js';

/** Frames of one way that are named as evidence. */
const EXAMPLES = 8;

/** Two endpoints use different UDP ports (catalogue F1). */
export const portMismatch: Rule = {
  meta: {
    id: 'vxlan/port-mismatch',
    severity: 'error',
    summary: 'Two tunnel endpoints use different UDP ports for VXLAN',
    catalogue: 'F1',
    thresholds: {
      strangers: {
        value: 4,
        unit: 'frames with the shape of VXLAN on a port that nobody called so',
        source: 'four that look alike by accident are not to be expected',
      },
      requests: { ...REQUESTS, unit: 'requests in vain inside the tunnel' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { tunnels, segments } = network;

    /** The port that the refusing endpoint uses itself, with what shows it. */
    function otherPort(
      refusal: Refusal,
    ): { port: number; devices: Device[]; tunnels: number[]; back: Refusal[] } | null {
      const { segment, sender, target, port, capture } = refusal;
      const vnis = sentVnis(segment, sender, target, port);
      // Another overlay may have another port.
      const sent = tunnels
        .between(segment, sender, target)
        .filter((row) => tunnels.source(row) === target && tunnels.port(row) !== port)
        .filter((row) => vnis.size === 0 || vnis.has(tunnels.vni(row)));
      const works = tunnels
        .between(segment, sender, target)
        .some((row) => tunnels.source(row) === target && tunnels.port(row) === port);
      if (works) return null;
      const back = refusalsOf(network, capture).filter(
        (each) =>
          each.isPort &&
          each.segment === segment &&
          each.sender === target &&
          each.target === sender &&
          each.port !== port,
      );
      const devices = vxlanDevices(network, target).filter(
        ({ vxlan }) => vxlan?.port != null && vxlan.port !== port && vnis.has(vxlan.id),
      );
      // The device that is meant has this port: it is down, or not there yet.
      if (vxlanDevices(network, target).some(({ vxlan }) => vxlan && vxlan.port === port && vnis.has(vxlan.id)))
        return null;
      const other = back[0]?.port ?? (sent.length > 0 ? tunnels.port(sent[0]) : (devices[0]?.vxlan?.port ?? null));
      return other === null ? null : { port: other, devices, tunnels: sent, back };
    }

    function sentVnis(segment: number, sender: number, target: number, port: number): Set<number> {
      const rows = tunnels.between(segment, sender, target);
      return new Set(rows.filter((row) => tunnels.port(row) === port).map((row) => tunnels.vni(row)));
    }

    function tellRefusal(refusal: Refusal): void {
      if (!refusal.isPort) return;
      const other = otherPort(refusal);
      if (!other) return;
      const { segment, capture, sender, target, from, to, port } = refusal;
      const all = [refusal, ...other.back];
      diagnose(segment, capture, sender, target, port, other.port, {
        confidence: 'certain',
        summary:
          `${from} sends VXLAN to UDP port ${port} of ${to}, which answers "port unreachable", and itself uses port ${other.port}. ` +
          'Neither hears the other.',
        count: all.reduce((sum, { count }) => sum + count, 0),
        first: Math.min(...all.map(({ first }) => first)),
        last: Math.max(...all.map(({ last }) => last)),
        evidence: [
          ...all.flatMap((each) => each.evidence),
          ...other.tunnels.flatMap((row) => tunnelFrames(network, row).slice(0, EXAMPLES)),
        ],
        explains: [
          ...all.map(({ key }) => ({ rule: 'vxlan/port-unreachable' as const, key })),
          ...all.flatMap((each) => innerSymptoms(network, each)),
        ],
      });
    }

    /** Without an error: what goes one way goes to one port, what comes back to another. */
    function tellSilent(tunnel: number): void {
      const segment = tunnels.segment(tunnel);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      const port = tunnels.port(tunnel);
      const vni = tunnels.vni(tunnel);
      const between = tunnels
        .between(segment, source, destination)
        .filter((row) => (tunnels.flaws(row) & Flaw.Foreign) === 0);
      if (!between.includes(tunnel)) return;
      const back = between.filter((row) => tunnels.source(row) === destination && tunnels.vni(row) === vni);
      const capture = segments.captureOf(segment);
      const isBothWays = between.some(
        (row) =>
          tunnels.port(row) === port && tunnels.source(row) === destination && tunnels.destination(row) === source,
      );
      const known = tunnels.inner(tunnel) >= 0;
      if (back.length === 0 || isBothWays) return;
      const { tunnelErrors } = network;
      if (tunnelErrors.concerns(segment, source, destination) || tunnelErrors.concerns(segment, destination, source))
        return;
      const isHint = !known || back.some((row) => tunnels.inner(row) < 0);
      const questions = known
        ? askedInVain(questionsBehind(network, tunnels.inner(tunnel), source), thresholds.requests)
        : [];
      const strangers = [tunnel, ...back].filter((row) => tunnels.inner(row) < 0);
      if (isHint ? strangers.some((row) => tunnels.frames(row) < thresholds.strangers) : questions.length === 0) return;
      const rows = [tunnel, ...back];
      diagnose(segment, capture, source, destination, port, tunnels.port(back[0]), {
        confidence: isHint ? 'hint' : 'likely',
        summary:
          `VXLAN of VNI ${vni} goes from ${address(network, source)} to UDP port ${port} and comes back to port ${tunnels.port(back[0])}. ` +
          (isHint
            ? 'One of the two ports is not known to carry VXLAN: its packets only have the shape of it, and what they carry was not looked at.'
            : 'Requests inside stay without an answer: neither endpoint takes what the other sends.'),
        count: rows.reduce((sum, row) => sum + tunnels.frames(row), 0),
        first: Math.min(...rows.map((row) => tunnels.first(row))),
        last: Math.max(...rows.map((row) => tunnels.last(row))),
        evidence: rows.flatMap((row) => tunnelFrames(network, row).slice(0, EXAMPLES)),
        wouldRaise: [
          ...(isHint ? [`--vxlan-port ${known ? tunnels.port(back[0]) : port}, if that port carries VXLAN`] : []),
          'an ICMP "port unreachable" from either endpoint (firewalls often drop it), or `ip -d link` of both',
        ],
        explains: [
          ...symptomsOf(network, questions),
          ...rows.map((row) => ({ rule: 'vxlan/one-way' as const, key: String(row) })),
        ],
      });
    }

    function diagnose(
      segment: number,
      capture: number,
      a: number,
      b: number,
      port: number,
      other: number,
      rest: Pick<Diagnosis, 'confidence' | 'summary' | 'count' | 'first' | 'last' | 'evidence' | 'explains'> &
        Partial<Diagnosis>,
    ): void {
      const [from, to] = [address(network, a), address(network, b)];
      const devices = vxlanDevices(network, a);
      const vni = (devices.length === 1 ? devices[0].vxlan?.id : null) ?? '<VNI>';
      report({
        key: keyOf(segment, a, b),
        segment,
        capture,
        title: `${from} sends VXLAN to UDP port ${port} of ${to}, which uses port ${other}`,
        subject: { endpoint: from, peer: to, port, peerPort: other },
        cause:
          'The two VXLAN devices were made with different destination ports. Linux takes 8472 where none is given; 4789 is the registered one.',
        remedy: [
          {
            text: 'Compare the ports of both ends',
            commands: [
              onEndpoint(network, a, 'ip -d link show type vxlan'),
              onEndpoint(network, b, 'ip -d link show type vxlan'),
            ],
          },
          {
            text: `Make the device on ${from} again with the other's port (a device's port cannot be changed), and put it where the old one was`,
            commands: madeAnew(network, a, `id ${vni} local ${from} remote ${to} dstport ${other}`, undefined, to),
          },
          {
            text: 'Where an overlay program makes the device, set the port there: flannel Backend.Port, Calico vxlanPort, Cilium tunnelPort',
            commands: ['docker swarm init --data-path-port <port>'],
          },
        ],
        context: [...devices, ...vxlanDevices(network, b)].map(vxlanLine),
        ...rest,
      });
    }

    function keyOf(segment: number, a: number, b: number): string {
      return `${segment} ${Math.min(a, b)} ${Math.max(a, b)}`;
    }

    /** Both ways on one port after all: what was said without an error was wrong. */
    function excuse(tunnel: number): void {
      const segment = tunnels.segment(tunnel);
      const back = tunnels.find(
        segment,
        tunnels.port(tunnel),
        tunnels.destination(tunnel),
        tunnels.source(tunnel),
        tunnels.vni(tunnel),
      );
      if (back >= 0) withdraw(keyOf(segment, tunnels.source(tunnel), tunnels.destination(tunnel)));
    }

    return {
      events: {
        tunnelRefused: (row) => tellRefusal(refusalOf(network, row)),
        tunnelled: excuse,
      },
      captureEnd(capture) {
        tunnelsOf(network, capture).forEach(tellSilent);
        refusalsOf(network, capture).forEach(tellRefusal);
      },
    };
  },
};
