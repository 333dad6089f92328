import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { formatIpv4 } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { confidenceBy } from '../../parts/confidence.js';
import type { Filtered } from '../../parts/firewalls/filtered.js';
import { acceptsOf, placeContext, placeWords } from '../../parts/firewalls/words.js';
import { inNamespace, label, modeOf } from '../../parts/question.js';
import { applying, seconds } from '../../parts/words.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import { clientOf, dhcpFrames, hardwareAddressIs } from './client.js';
import { hasLostLease, keyOfRequests } from './requests-in-vain.js';
import { SERVER_LOG, SERVER_SOCKETS } from './server-commands.js';
import { isOffer, READS_IN_FRONT, serverFilter, WRITES_PAST } from './server-firewall.js';

/** Children of an ipvlan that are named at most. */
const MAX_CHILDREN = 6;

/** What the capture shows of a client that discovers in vain. */
export interface Discovering {
  /** It discovered as often, and for as long, as makes more than a hint. */
  readonly isLong: boolean;
  /** Somebody tries addresses out just then, as a server does before it offers one. */
  readonly isTried: boolean;
  /** Seconds that it had been asking before, by its own account, where that makes more than a hint; else 0. */
  readonly before: number;
  /** An offer would be in the capture. */
  readonly sees: boolean;
}

/** A client's discovers that no server answers with an offer (a row of `leases`). */
export function discoversInVain(
  network: Network,
  client: number,
  { isLong, isTried, before, sees }: Discovering,
): Diagnosis {
  const { leases } = network;
  const { mac, devices, ...fields } = clientOf(network, client);
  const { key, count, first, last, capture } = fields;
  const children = deafChildren(network, client, devices);
  const isDeaf = children.length > 0;
  const filtered = serverFilter(network, client, devices);
  const who = devices.length === 1 ? label(devices[0]) : mac;
  const watch = `udp port 67 and ${hardwareAddressIs(leases.hi(client), leases.lo(client))}`;
  const title = `${who} gets no DHCP offer`;
  const cures = curesOf(children, filtered);
  const isEnough = isLong || isDeaf || before > 0;
  return {
    ...fields,
    confidence: confidenceBy({ hint: isTried || !isEnough, certain: sees && isLong }),
    title,
    summary:
      `${mac} sent ${count} DHCP discovers within ${seconds(last - first)}, and no server offered it an address. ` +
      (hasLostLease(network, client)
        ? `Before, it asked in vain to keep ${formatIpv4(leases.requests.address(client))}. `
        : '') +
      (before > 0 ? `It had been asking for ${before} s before, as it says in them. ` : '') +
      'The machine stays without one, or takes one from 169.254.0.0/16.',
    subject: { mac },
    evidence: dhcpFrames(capture, 'DHCP discover, no offer follows', leases.asking(client)),
    trail: { of: 'leases', rows: [client], title, asker: who, target: 'the DHCP server', watch, mac, cures },
    explains: [{ rule: 'dhcp/no-offer', key: keyOfRequests(key) }],
    cause: causeOf(isDeaf, filtered),
    remedy: [
      ...cures,
      {
        text: 'See on the server whether the discover arrives, and whether an offer leaves',
        commands: [`tcpdump -eni any '${watch}'`],
      },
      {
        text: 'See whether a server runs, and on which devices it listens',
        commands: [SERVER_SOCKETS, SERVER_LOG],
      },
    ],
    caveats: applying([
      isTried &&
        'somebody looks for an address just then, as a server does before it offers one: other clients wait meanwhile',
      !isEnough && 'only a few discovers: a server that first looks whether the address is free takes up to 3 s',
      filtered?.isTarget && !isDeaf && (isOffer(filtered) ? WRITES_PAST : READS_IN_FRONT),
      !sees && 'no unicast for the client is in this capture: an offer may have gone another way, unseen',
    ]),
    wouldRaise: ['a capture at the DHCP server: does the discover arrive, and does an offer leave?'],
    context: [
      ...children.slice(0, MAX_CHILDREN).map(modeOf),
      ...(filtered ? [`${label(filtered.device)}: ${placeContext(filtered.place)}`] : []),
    ],
  };
}

/**
 * The client's devices where they are children of an ipvlan and one of them is captured at, while the client asks for answers by unicast:
 * a child is handed nothing by unicast before it has the address. None where that is not so.
 */
function deafChildren({ leases, vantage }: Network, client: number, devices: readonly Device[]): readonly Device[] {
  if (leases.wantsBroadcast(client)) return [];
  const children = devices.filter(
    ({ kind, parent, namespace }) => kind === 'ipvlan' && parent?.namespace !== namespace,
  );
  return children.some((device) => device === vantage) ? children : [];
}

function curesOf(children: readonly Device[], filtered: Filtered | null): Remedy[] {
  const cures: Remedy[] = [];
  if (filtered)
    cures.push({
      text: filtered.isTarget
        ? `If the server is in ${printable(filtered.device.namespace)}: let ${isOffer(filtered) ? 'its offers out' : 'questions of clients in'}, until the next restart`
        : `Let DHCP through ${label(filtered.device)}, until the next restart`,
      commands: acceptsOf([filtered]),
    });
  if (children.length > 0)
    cures.push({
      text: 'Let the client ask for answers by broadcast (needed with ipvlan)',
      commands: children
        .slice(0, MAX_CHILDREN)
        .map((child) => inNamespace(child, `udhcpc -B -i ${printable(child.name)}`)),
    });
  return cures;
}

function causeOf(isDeaf: boolean, filtered: Filtered | null): string {
  if (isDeaf)
    return 'The client does not ask for answers by broadcast, so servers send the offer by unicast to an address that no device has yet: ipvlan tells its children apart by address, and hands such a frame to none of them.';
  if (!filtered)
    return 'No server hears the discover, none wants to answer, or the offer is lost on its way back: a server that is down, another VLAN, a relay that is missing, a filter on UDP 67 and 68 or on the MAC, an empty pool.';
  const device = label(filtered.device);
  const place = placeWords(filtered.place);
  if (filtered.isTarget)
    return `The discover reaches ${device}. There ${place} drops what ${isOffer(filtered) ? 'a server sends to clients: no offer leaves.' : 'is for UDP port 67: a server there does not hear it.'}`;
  return `The bridge ${device} hands what it passes on to the firewall of its host. There ${place} drops ${isOffer(filtered) ? 'what servers answer on its way to the client' : 'the discover on its way to every other port'}.`;
}
