import type { Device } from '../../network/context/device.js';
import { isStacked, isWithoutAddress } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { reachThroughTunnels } from '../../network/context/reach.js';
import { asSymptoms, inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import { silentTunnels } from '../parts/silent-tunnels.js';
import { applying } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** A device that is to be a bridge's port is none, so frames end at it. Needs host context. */
export const portNotEnslaved: Rule = {
  meta: {
    id: 'bridge/port-not-enslaved',
    severity: 'warning',
    summary: 'Frames for a host behind a bridge end at a device that is no port of it',
    catalogue: '',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context, vantage } = network;
          if (!context || question.requests < thresholds.requests) return;
          // What was captured in a tunnel does not come in by the device as it is: the endpoint takes it out first.
          const isInside = network.segments.describe(question.segment).vnis.length > 0;
          const gap = gapOf(context, question, isInside ? null : vantage);
          if (!gap) return;
          const { port, bridge } = gap;
          const { spa, tpa, mac } = question;
          report({
            ...question,
            confidence: gap.isCertain ? 'certain' : 'likely',
            title: `${spa} cannot reach ${tpa}: ${label(port)} is no port of a bridge`,
            summary: `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${waysOut(gap, spa, tpa)}`,
            subject: { ip: tpa, requester: spa, mac, device: label(port) },
            evidence: requestFrames(network, question),
            cause:
              'The device was never made a port of the bridge, or was taken out: it is not kept over a restart unless the configuration says so.',
            remedy: [
              {
                text: 'Make it a port of the bridge',
                commands: [inNamespace(port, `ip link set ${port.name} master ${bridge.name}`)],
              },
            ],
            caveats: gap.isCertain
              ? []
              : [
                  gap.isBeyond || gap.isLone
                    ? `that ${label(port)} is to be a port of ${label(bridge)} is concluded from the set-up`
                    : `that the question comes to ${label(port)} is concluded from the set-up, not seen`,
                ],
            wouldRaise: applying([
              !gap.isCertain && gap.isBeyond && `a question of ${tpa} for ${spa}, captured on ${label(port)}`,
              !gap.isCertain && !gap.isBeyond && `a capture on ${label(port)}: the question comes in there`,
            ]),
            context: [
              `${label(port)}: no master`,
              gap.isLone
                ? `${label(bridge)}: the only bridge there`
                : `${label(bridge)}: the bridge towards ${gap.isBeyond ? spa : tpa}`,
            ],
            explains: [...asSymptoms(network, question), ...silentTunnels(network, question.segment)],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

/** What the gap keeps from going where. */
function waysOut({ port, bridge, isBeyond, isLone }: Gap, spa: string, tpa: string): string {
  const [gap, towards] = [label(port), label(bridge)];
  if (isLone)
    return `${isBeyond ? tpa : spa} hangs on ${gap}, which has neither an address nor a master, beside the bridge ${towards}: what comes in by it goes nowhere, and nothing leaves by it.`;
  if (isBeyond)
    return `The question gets to the bridge ${towards}. ${gap}, behind which ${tpa} is, has neither an address nor a master: nothing leaves by it.`;
  return `${tpa} is behind the bridge ${towards}. ${gap}, by which the question comes to that machine, has neither an address nor a master: what comes in by it goes nowhere.`;
}

interface Gap {
  readonly port: Device;
  readonly bridge: Device;
  readonly isCertain: boolean;
  /** On the side of the target: the question gets to the bridge, and does not leave it there. */
  readonly isBeyond: boolean;
  /** The host context does not show the other of the two: what hangs on the device reaches nobody in any case. */
  readonly isLone?: boolean;
}

/** A device without master and address on the asker's side, in the namespace of a bridge on the side of the target. */
function gapOf(context: HostContext, { asker, target }: Question, vantage: Device | null): Gap | null {
  if (!target) return asker && loneGap(context, asker, false);
  if (target === asker) return null;
  const near = asker ? reachThroughTunnels(context, asker) : new Set<Device>();
  const far = reachThroughTunnels(context, target);
  if (asker && far.has(asker)) return null;
  const bridges = [...far].filter(({ kind }) => kind === 'bridge');
  // What was captured there did come there; a device of the target's own side is none.
  if (vantage && isOpenEnd(context, vantage) && !far.has(vantage)) {
    const bridge = bridges.find(({ namespace }) => namespace === vantage.namespace);
    if (bridge && asker?.namespace !== vantage.namespace)
      return { port: vantage, bridge, isCertain: near.has(vantage), isBeyond: false };
  }
  for (const bridge of bridges) {
    const port = [...near].find((device) => isOpenEnd(context, device) && device.namespace === bridge.namespace);
    if (port) return { port, bridge, isCertain: false, isBeyond: false };
  }
  for (const bridge of near) {
    if (bridge.kind !== 'bridge') continue;
    const port = [...far].find((device) => isOpenEnd(context, device) && device.namespace === bridge.namespace);
    if (port) return { port, bridge, isCertain: false, isBeyond: true };
  }
  return asker ? null : loneGap(context, target, true);
}

/**
 * A device of which the host context shows that its cable ends at one without master, address and route, beside a bridge: a guest or container that was
 * not connected. `isBeyond`: it is the target.
 */
function loneGap(context: HostContext, end: Device, isBeyond: boolean): Gap | null {
  const side = reachThroughTunnels(context, end);
  const port = [...side].find((device) => device.namespace !== end.namespace && isOpenEnd(context, device));
  if (!port || [...side].some(({ kind }) => kind === 'bridge')) return null;
  const routes = context.namespaces.get(port.namespace)?.routes ?? [];
  if (routes.some(({ dev }) => dev === port.name)) return null;
  const [bridge, ...more] = context.devices.filter(
    ({ kind, namespace }) => kind === 'bridge' && namespace === port.namespace,
  );
  return bridge && more.length === 0 ? { port, bridge, isCertain: false, isBeyond, isLone: true } : null;
}

/** Kinds that are no loose ends. */
const NO_PORTS = new Set<string | null>(['bridge', 'vlan', 'openvswitch']);

/** A device that is up and only could carry frames on. What Open vSwitch makes are its own ports, which no bridge can take. */
function isOpenEnd(context: HostContext, device: Device): boolean {
  const { up, master, masterKind, kind, loopback, external } = device;
  if (!up || loopback || master || masterKind || NO_PORTS.has(kind) || external || isStacked(device)) return false;
  // It carries VLANs, or children of its own.
  if (context.childrenOf(device).length > 0) return false;
  return isWithoutAddress(device);
}
