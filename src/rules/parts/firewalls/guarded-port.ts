import type { Device } from '../../../network/context/device.js';
import type { Place } from '../../../network/context/netfilter/fate.js';
import { addressValue, arpRequest } from '../../../network/context/netfilter/packet.js';
import { entersBridge } from '../../../network/context/netfilter/way.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import type { Remedy } from '../../rule.js';
import { learnedAt } from '../learned-at.js';
import { inNamespace, label, type Question } from '../question.js';
import { machineOf } from './filtered.js';
import type { FilteredNeighbor } from './filtered-neighbor.js';
import { placeContext, placeWords } from './words.js';

/**
 * Where the bridge that a host is plugged into drops its ARP requests: a guard against forged MACs or addresses, as clouds and libvirt set at the port
 * of each guest. Null where it does not, or that is not known. For events: it goes through rules.
 */
export function guardedPort(network: Network, question: Question): FilteredNeighbor | null {
  const { context, resolutions, addresses } = network;
  const { isIpv4, row, mac, spa, tpa } = question;
  const port = isIpv4 ? portOf(network, question) : null;
  const namespace = port && context?.namespaces.get(port.namespace);
  const ruleset = namespace?.firewall?.ruleset;
  if (!port?.master || !namespace || !ruleset || ruleset.bases.length === 0) return null;
  const [own, other] = [resolutions.spa(row), resolutions.tpa(row)].map((each) => addressValue(addresses.words(each)));
  const holders = context?.devicesByIp(addresses.words(resolutions.tpa(row))) ?? [];
  const isForBridge = holders.some((each) => each.namespace === port.namespace);
  const machine = machineOf(network, namespace, ruleset);
  const fate = entersBridge(machine, port, arpRequest(mac, own, other), isForBridge);
  const { kind, place } = fate;
  if (kind !== 'drop' || !place || fate.assumesMark || fate.assumesDevice) return null;
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  return {
    clause: `: a filter of the bridge ${label(port.master)} drops its requests`,
    cause:
      `What ${spa} (${mac}) sends comes to the bridge ${label(port.master)} by ${printable(port.name)}, and is dropped there: ${placeWords(place)} takes these requests${counted}. ` +
      'Such rules let a guest use no other MAC and addresses than those it was given (port security, clean-traffic): it took others, or they are out of date.',
    remedy: remedyOf(port, place, mac),
    caveats: tpa === spa ? ['it asks for its own address, to see whether it is in use'] : [],
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

function remedyOf(port: Device, { family, table, chain, rule }: Place, mac: string): Remedy[] {
  const where = printable(`${family} ${table} ${chain}`);
  const accept = `iifname "${printable(port.name)}" ether saddr ${mac} accept`;
  const handle = rule?.handle ?? null;
  return [
    {
      text: 'On the host of the bridge: see which MAC and addresses the rules let through, and give the guest those, or its port what it has, where they are kept (the cloud, libvirt)',
      commands: [inNamespace(port, `nft -a list chain ${where}`)],
    },
    ...(family === 'bridge'
      ? [
          {
            text: 'Or let through all that this MAC sends, in front of the rule. It lasts until the rules are loaded anew',
            commands: [
              inNamespace(port, `nft insert rule ${where}${handle === null ? '' : ` handle ${handle}`} ${accept}`),
            ],
          },
        ]
      : []),
  ];
}

/** The port by which its requests come to a bridge. What came in by another is learned there, and what is dropped is not. */
function portOf({ context, vantage, resolutions }: Network, { asker, row }: Question): Device | null {
  if (asker) return context?.switchPort(asker.parent ?? asker) ?? null;
  if (!context || vantage?.masterKind !== 'bridge' || !vantage.master) return null;
  const ports = context.devices.filter(({ master }) => master === vantage.master);
  const learned = learnedAt(context, resolutions.hi(row), resolutions.lo(row)) ?? vantage;
  return learned === vantage && ports.some((each) => each.learned.size > 0) ? vantage : null;
}
