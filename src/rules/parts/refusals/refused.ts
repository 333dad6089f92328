import { addressValue, firstOf, type Protocol } from '../../../network/context/netfilter/packet.js';
import type { Rule } from '../../../network/context/netfilter/ruleset.js';
import { comesIn } from '../../../network/context/netfilter/way.js';
import { record, text } from '../../../network/context/rows.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf, remembered } from '../firewalls/filtered.js';

const PROTOCOLS: Readonly<Record<number, Protocol>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' };

/** A packet that a machine refused, and who says so: addresses are rows of `Addresses`. */
export interface Refused {
  readonly reporter: number;
  readonly source: number;
  readonly destination: number;
  /** Number of the protocol that IP carries. */
  readonly protocol: number;
  /** Destination port; null where it is not known, or more than one was asked for. */
  readonly port: number | null;
  /** Whether the error calls the port unreachable, as that of rules which name none; else it forbids. */
  readonly asPort: boolean;
}

/**
 * The rule by which a machine of the host context refuses packets aloud; null where none may, or more than one, or that is not
 * known. That one of them did the ICMP error tells.
 */
export function refusedBy(network: Network, refused: Refused): Filtered | null {
  const { reporter, source, destination, protocol, port, asPort } = refused;
  const { context, addresses } = network;
  const holders = context?.devicesByIp(addresses.words(reporter)) ?? [];
  const [device] = holders;
  const namespace = holders.length === 1 ? context?.namespaces.get(device.namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  const known = PROTOCOLS[protocol];
  if (!namespace || !ruleset || ruleset.bases.length === 0 || !known || device.loopback) return null;
  const ends = [reporter, source, destination].map((row) => addresses.format(row));
  return remembered(ruleset, `refused ${ends.join(' ')} ${protocol} ${port} ${asPort}`, () => {
    const packet = firstOf({
      isIpv4: addresses.isIpv4(destination),
      protocol: known,
      source: addressValue(addresses.words(source)),
      destination: addressValue(addresses.words(destination)),
      sourcePort: null,
      destinationPort: port,
    });
    const way = comesIn(machineOf(network, namespace, ruleset), device, packet);
    const place = way?.fate.kind === 'refuse' ? way.fate.place : null;
    if (!way || !place?.rule || !maySay(place.rule, asPort)) return null;
    const isTarget = reporter === destination;
    return { namespace, ruleset, device, place, packet: way.packet, isTarget, fate: way.fate, back: null };
  });
}

/** Whether a rule may have said it: nft tells which error a rule gives, but not of one of iptables. */
function maySay({ statements }: Rule, asPort: boolean): boolean {
  const reject = statements.find((statement) => 'reject' in statement);
  if (!reject) return true;
  const error = text(record(reject.reject)?.expr);
  return asPort === (error === null || error === 'port-unreachable');
}
