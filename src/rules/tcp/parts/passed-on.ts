import type { Rule as NetfilterRule } from '../../../network/context/netfilter/ruleset.js';
import { comesIn } from '../../../network/context/netfilter/way.js';
import { record } from '../../../network/context/rows.js';
import type { Network } from '../../../network/network.js';
import type { Connection } from '../../parts/connections/connection.js';
import { machineOf, packetOf } from '../../parts/firewalls/filtered.js';
import { addressText, cureOf, placeContext, placeWords } from '../../parts/firewalls/words.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/** What the rules of a server do to connections that are refused. */
export interface PassedOn {
  /** Behind the title. */
  readonly clause: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly context: readonly string[];
}

/**
 * Where the rules of a server translate connections to, as the host context shows them: a published port (DNAT), or a proxy (REDIRECT). Who
 * refuses is there. Or the rule that resets them. Null where they do not, or that is not known. For events: it goes through rules.
 */
export function passedOn(network: Network, { row, server, port, clientRow, serverRow }: Connection): PassedOn | null {
  const { context, handshakes, addresses } = network;
  const holders = context?.devicesByIp(addresses.words(serverRow)) ?? [];
  const namespace = holders.length === 1 ? context?.namespaces.get(holders[0].namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset || ruleset.bases.length === 0 || holders[0].loopback) return null;
  const known = context?.devicesByMac(handshakes.hi(row), handshakes.lo(row)) ?? [];
  // It comes in at the device whose MAC it is sent to, or, where that is not kept, at the one with the address.
  const device = known.find((each) => each.namespace === namespace.name && !each.master) ?? holders[0];
  const isIpv4 = addresses.isIpv4(serverRow);
  const asked = {
    source: clientRow,
    destination: serverRow,
    sourcePort: handshakes.clientPort(row),
    destinationPort: port,
    isIpv4,
    protocol: 'tcp',
  } as const;
  const way = comesIn(machineOf(network, namespace, ruleset), device, packetOf(network, asked));
  const place = way?.fate.kind === 'refuse' ? way.fate.place : null;
  if (way && place?.rule && resets(place.rule)) {
    const drop = { namespace, ruleset, device, place, packet: way.packet, isTarget: true, fate: way.fate, back: null };
    return {
      clause: 'its firewall resets',
      cause: `The firewall of ${server} (${label(device)}) rejects it with reset: ${placeWords(place)}.`,
      remedy: cureOf([drop], server),
      context: [placeContext(place)],
    };
  }
  if (way?.fate.kind !== 'accept' || way.fate.assumesMark || way.packet.isTranslated !== true) return null;
  const { destination, destinationPort, isLocal } = way.packet;
  const address = addressText(destination);
  if (address === null || destinationPort === null || (isLocal && destinationPort === port)) return null;
  const to = address.includes(':') ? `[${address}]:${destinationPort}` : `${address}:${destinationPort}`;
  return isLocal
    ? redirected({ server, port, to: destinationPort }, (command) => inNamespace(device, command), label(device))
    : translated(
        { server, port, address, to, at: destinationPort },
        (command) => inNamespace(device, command),
        label(device),
      );
}

/** Whether a rule rejects with a RST. */
function resets({ statements }: NetfilterRule): boolean {
  return statements.some((statement) => record(statement.reject)?.type === 'tcp reset');
}

function redirected(
  { server, port, to }: { server: string; port: number; to: number },
  on: (command: string) => string,
  where: string,
): PassedOn {
  return {
    clause: `its rules redirect it to port ${to}, where nothing listens`,
    cause: `The rules of ${server} redirect TCP ${port} to its own port ${to}, as for a proxy (a sidecar of a service mesh, for example), and no program listens there.`,
    remedy: [
      { text: `On ${server}: does the proxy run?`, commands: [on(`ss -ltnp 'sport = :${to}'`)] },
      {
        text: 'Start it, or take the rule away that redirects',
        commands: [on('nft -a list ruleset | grep -niE "redirect"'), on('iptables -t nat -S | grep REDIRECT')],
      },
    ],
    context: [`${where}: TCP ${port} is redirected to port ${to}`],
  };
}

function translated(
  { server, port, address, to, at }: { server: string; port: number; address: string; to: string; at: number },
  on: (command: string) => string,
  where: string,
): PassedOn {
  return {
    clause: `it is passed on to ${to}, which refuses`,
    cause: `The rules of ${server} translate TCP ${port} to ${to} (a published port), and there nothing listens at port ${at}, or only at 127.0.0.1, or a filter rejects with reset.`,
    remedy: [
      {
        text: `On the machine or in the container with ${address}: see who listens, and on which addresses`,
        commands: ['ss -ltnp'],
      },
      {
        text: `On ${server}: publish the port that it does listen at, or take the old rule away`,
        commands: [on(`nft -a list ruleset | grep -n ${address}`), on(`iptables -t nat -S | grep ${address}`)],
      },
    ],
    context: [`${where}: TCP ${port} is translated to ${to}`],
  };
}
