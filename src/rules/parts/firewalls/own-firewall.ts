import type { Device } from '../../../network/context/device.js';
import { addressValue } from '../../../network/context/netfilter/packet.js';
import { answerTo, comesIn, leaves } from '../../../network/context/netfilter/way.js';
import type { Network } from '../../../network/network.js';
import type { Confidence } from '../../rule.js';
import { label } from '../question.js';
import type { Vanished } from '../vanished/requests.js';
import { type Filtered, machineOf, packetOf, remembered } from './filtered.js';
import { cureOf, doubtsOf, placeContext, placeWords } from './words.js';

/** Requests that are answered: of whom, and on which segment. `wentOut`: they left the machine that captured. */
export type Asked = Pick<
  Vanished,
  'segment' | 'source' | 'destination' | 'from' | 'to' | 'isIpv4' | 'protocol' | 'sourcePort' | 'destinationPort'
> & { readonly wentOut: boolean };

/** What drops the answers to a machine's own requests: the machine itself. */
export interface OwnDrop {
  readonly drop: Filtered;
  /** Whether the capture was taken there, so that the answers are seen to come in. */
  readonly isHere: boolean;
}

/**
 * Where the machine that asks drops the answers it gets, by the rules of its firewall: tcpdump shows them, as it listens in front of it, and the program
 * that waits for them does not. Null where it lets them in, or that is not known. For events: it goes through rules.
 */
export function ownFirewallDrop(network: Network, asked: Asked): OwnDrop | null {
  const { context, vantage, addresses } = network;
  const holders = context?.devicesByIp(addresses.words(asked.source)) ?? [];
  const [device] = holders;
  const namespace = holders.length === 1 ? context?.namespaces.get(device.namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset || device.loopback || ruleset.bases.length === 0) return null;
  const machine = machineOf(network, namespace, ruleset);
  const [own, other] = [asked.source, asked.destination].map((row) => addresses.words(row));
  if (machine.holds(other)) return null;
  const isHere = (vantage?.namespace ?? network.namespace) === namespace.name && (vantage !== null || asked.wentOut);
  // What comes in by another device meets other rules.
  if (isHere && !isAt(network, device, asked.segment)) return null;
  const { from, to, protocol, sourcePort, destinationPort } = asked;
  const drop = remembered(ruleset, `own ${from} ${to} ${protocol} ${sourcePort} ${destinationPort}`, () => {
    const sent = leaves(machine, packetOf(network, asked));
    if (sent.fate.kind === 'drop') return null;
    // Whatever its rules translate, these are the addresses and ports that were seen.
    const answer = {
      ...answerTo(sent.packet),
      source: addressValue(other),
      destination: addressValue(own),
      sourcePort: destinationPort,
      destinationPort: sourcePort,
    };
    const way = comesIn(machine, device, answer);
    if (way?.fate.kind !== 'drop' || !way.fate.place || way.packet.isLocal !== true) return null;
    const { fate, packet } = way;
    return { namespace, ruleset, device, place: way.fate.place, packet, isTarget: false, fate, back: null };
  });
  return drop && { drop, isHere };
}

/** How sure it is by the rules and their counts alone. */
export function ownDropConfidence({ drop, isHere }: OwnDrop): Confidence {
  const { fate, place } = drop;
  return isHere && (place.packets ?? 0) > 0 && !fate.assumesMark && !fate.assumesDevice ? 'certain' : 'likely';
}

/** What is said of it: `from` asks, `what` are the answers, `isProved` if frames show too that they are not taken. */
export function ownDropWords(drops: readonly OwnDrop[], from: string, what: string, isProved: boolean) {
  const [{ drop, isHere }] = drops;
  const { place, fate, device } = drop;
  const isCounted = (place.packets ?? 0) > 0;
  const doubts = doubtsOf({ isAnsweredBeyond: true, to: from }, drop);
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  return {
    cause:
      `The firewall of ${from} (${label(device)}) does not let the ${what} in: what drops them is ${placeWords(place)}${counted}. ` +
      'tcpdump shows them all the same: it listens in front of it.',
    remedy: cureOf(
      drops.map((each) => each.drop),
      from,
    ),
    caveats: [
      ...doubts.caveats,
      ...(isHere ? [] : [`that the ${what} get to ${from} is not in this capture`]),
      ...(isCounted || isProved ? [] : [`the rules do not count: that they took these ${what} is concluded`]),
    ],
    wouldRaise: [
      ...doubts.wouldRaise,
      ...(isHere ? [] : [`a capture at ${from}: do the ${what} arrive?`]),
      ...(isCounted || isProved || !isHere ? [] : [`\`nft monitor trace\` on ${from}: which rule takes the ${what}?`]),
    ],
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

/** Whether a segment of the capture is what comes in at a device: its own, or that of a port or parent of it. */
function isAt({ vantage, segments }: Network, device: Device, segment: number): boolean {
  if (vantage) return vantage === device || vantage === device.parent || vantage.master === device;
  const { deviceIndex } = segments.describe(segment);
  return deviceIndex === 0 || deviceIndex === device.index;
}
