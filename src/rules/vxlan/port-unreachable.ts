import type { Network } from '../../network/network.js';
import { hasSwitch, switchPort } from '../parts/open-vswitch.js';
import { inNamespace, label } from '../parts/question.js';
import { times } from '../parts/words.js';
import type { Remedy, Rule } from '../rule.js';
import { innerSymptoms, type Refusal, refusalOf, refusalsOf } from './parts/refusals.js';
import { lostBehind, translatedTunnels, translationCures } from './parts/translated.js';
import { isKnown, onEndpoint, tunnelFrames, underlayName, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** Frames of tunnels that are named as evidence. */
const EXAMPLES = 8;

/** The far endpoint says that nothing listens on the VXLAN port (catalogue F1). */
export const portUnreachable: Rule = {
  meta: {
    id: 'vxlan/port-unreachable',
    severity: 'error',
    summary: 'The far tunnel endpoint refuses VXLAN: nothing listens on the port',
    catalogue: 'F1',
  },
  create({ network, report }) {
    function tell(refusal: Refusal): void {
      if (!refusal.isPort) return;
      const { key, segment, capture, count, first, last, from, to, port } = refusal;
      const devices = vxlanDevices(network, refusal.target);
      const translated = translatedTunnels(network, refusal);
      const isTranslated = translated.length > 0;
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence: 'certain',
        title: isTranslated
          ? `${to} sends VXLAN to ${from} and refuses what comes back: the source address of another endpoint is translated to it`
          : `${to} refuses VXLAN from ${from}: nothing listens on UDP port ${port}`,
        summary:
          `${from} sends VXLAN to ${to}, UDP port ${port}, and ${to} answers "port unreachable", ${times(count)}. ` +
          'The packets arrive; what they carry is thrown away.' +
          (isTranslated ? ` In turn with that VXLAN comes from ${to}, to the same port.` : ''),
        subject: { endpoint: to, sender: from, port },
        evidence: [...refusal.evidence, ...translated.flatMap((row) => tunnelFrames(network, row)).slice(0, EXAMPLES)],
        cause: isTranslated
          ? `Who sends VXLAN listens on the port it sends to, and ${to} does not: it passes on packets of an endpoint behind it, with its own source address (masquerade, SNAT). ` +
            `${from} learns ${to} for the stations behind that endpoint, and sends there.`
          : `${to} has no VXLAN device on port ${port}: it is down or deleted, has another port, or ${to} is not the machine that was meant.`,
        remedy: isTranslated ? translationCures(network, refusal.target, port) : remediesOf(network, refusal),
        context: devices.map(vxlanLine),
        wouldRaise: [],
        explains: [...innerSymptoms(network, refusal), ...lostBehind(network, refusal, translated)],
      });
    }

    return {
      events: { tunnelRefused: (row) => tell(refusalOf(network, row)) },
      captureEnd: (capture) => refusalsOf(network, capture).forEach(tell),
    };
  },
};

/** The VNIs that are sent, as far as the tunnel is seen itself. */
function sentVnis({ tunnels }: Network, { segment, sender, target, port }: Refusal): number[] {
  const rows = tunnels.between(segment, sender, target);
  return [
    ...new Set(
      rows.filter((row) => tunnels.source(row) === sender && tunnels.port(row) === port).map((row) => tunnels.vni(row)),
    ),
  ];
}

function remediesOf(network: Network, refusal: Refusal): Remedy[] {
  const { sender, target, from, to, port } = refusal;
  if (hasSwitch(network, target) && vxlanDevices(network, target).length === 0)
    return switchPort(network, 'vxlan', to, from);
  const vnis = sentVnis(network, refusal);
  const there = vxlanDevices(network, target).filter(({ vxlan }) => vxlan && vnis.includes(vxlan.id));
  const down = there.filter(({ vxlan, up }) => !up && (vxlan?.port ?? port) === port);
  const see: Remedy = {
    text: `See which VXLAN devices ${to} has, and on which port`,
    commands: [onEndpoint(network, target, 'ip -d link show type vxlan')],
  };
  const vni = vnis.length === 1 ? vnis[0] : '<VNI>';
  const below = isKnown(network, target) ? ` dev ${underlayName(network, target)}` : '';
  const make: Remedy = {
    text: 'Without a VXLAN device there: make one for this VNI and port, and give it the addresses or the bridge that it is to have',
    commands: [
      `ip link add vxlan${vni === '<VNI>' ? 0 : vni} type vxlan id ${vni} local ${to} remote ${from} dstport ${port}${below}`,
      `ip link set vxlan${vni === '<VNI>' ? 0 : vni} up`,
    ].map((command) => onEndpoint(network, target, command)),
  };
  return [
    ...down.map((device) => ({
      text: `Set ${label(device)} up`,
      commands: [inNamespace(device, `ip link set ${device.name} up`)],
    })),
    see,
    ...(there.length > 0 ? [] : [make]),
    {
      text: `If ${to} is the wrong machine: take it out of the sender's destinations`,
      commands: [onEndpoint(network, sender, `bridge fdb show | grep 'dst ${to}'`)],
    },
  ];
}
