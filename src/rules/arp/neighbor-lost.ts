import type { Device } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { stuckConnections, stuckConnectionsAt } from '../parts/connections/connection.js';
import { at, deviceHolding, onlyOf } from '../parts/device-argument.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { unansweredPings, unansweredPingsAt } from '../parts/pings/ping.js';
import { label, questionOf } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import { applying } from '../parts/words.js';
import type { Diagnosis, Remedy, Rule, RuleId } from '../rule.js';
import { Greeters } from './parts/greeters.js';

/** Runs that are looked at again at the end of a capture, at most. */
const MAX_TOLD = 1024;

/** A neighbour that a host had in its ARP table does not answer any more (catalogue A9). */
export const neighborLost: Rule = {
  meta: {
    id: 'arp/neighbor-lost',
    severity: 'warning',
    summary: 'A host asks a neighbour that it knew by unicast whether it is still there, and gets no answer',
    catalogue: 'A9',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'unicast requests in vain', source: "the kernel's ucast_solicit" },
      patience: {
        value: 0.5,
        unit: 'seconds left in the capture for an answer to the last request',
        source: 'a neighbour answers within milliseconds',
      },
      back: setting('neighborBack'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { refreshes, addresses, claims, segments, bindings } = network;
    const greeters = new Greeters(network);

    /** Runs that were told, by key: what is heard later belongs to them. */
    const told = new Map<string, number>();

    function tell(row: number): void {
      if (refreshes.requests(row) < thresholds.requests) return;
      const segment = refreshes.segment(row);
      const tpa = refreshes.tpa(row);
      const [hi, lo] = [refreshes.toHi(row), refreshes.toLo(row)];
      const holder = claims.holder(segment, tpa);
      const isOther = (row: number) => bindings.hi(row) !== hi || bindings.lo(row) !== lo;
      const isIpv4 = addresses.isIpv4(tpa);
      const isElsewhere = isIpv4 ? holder >= 0 && isOther(holder) : bindings.of(segment, tpa).some(isOther);
      const binding = bindings.find(segment, hi, lo, tpa);
      const wasHeard = binding >= 0 && (bindings.claims(binding) & ~Claim.Asked) !== 0;
      // It speaks, and never as this address: a DHCP server notes whom it offers an address before that host has it.
      const isStranger = !wasHeard && refreshes.sentBefore(row) + refreshes.heard(row) > 0;
      // What is sent to a bridge port goes to its bridge: it never answered, whoever it greeted.
      const owners = network.context?.devicesByIp(addresses.words(tpa)) ?? [];
      const isPort = !isIpv4 && owners.length > 0 && owners.every(({ masterKind }) => masterKind === 'bridge');
      // Another station has the address: arp/stale-after-move, or arp/duplicate-address.
      if (isElsewhere || isStranger || isPort) {
        withdraw(keyOf(network, row));
        return;
      }
      // Once its answer came later, what it sends says nothing of that time.
      const isBack = refreshes.lastAnswer(row) > refreshes.last(row);
      const speaks = !isBack && refreshes.heard(row) > 0;
      report(
        lostNeighbor(network, row, {
          wasHeard,
          isBack,
          isAnew:
            isBack &&
            (bindings.claims(binding) & Claim.Announcement) !== 0 &&
            claims.lastOf(segment, tpa) > refreshes.last(row),
          speaks,
          onlyGreets: !isIpv4 && wasHeard && !speaks && greeters.onlyGreets(segment, hi, lo),
          isLate: network.now - refreshes.last(row) < thresholds.patience * 1e9,
        }),
      );
    }

    return {
      layers: {
        Icmpv6: (frame, layer) => greeters.note(frame, layer),
      },
      events: {
        neighborLost(row) {
          if (told.size < MAX_TOLD) told.set(keyOf(network, row), row);
          tell(row);
        },
        neighborBack(row) {
          told.delete(keyOf(network, row));
          withdraw(keyOf(network, row));
        },
      },
      captureEnd(capture) {
        for (const [key, row] of told) {
          const isHere = segments.captureOf(refreshes.segment(row)) === capture;
          if (isHere && keyOf(network, row) === key) tell(row);
        }
      },
    };
  },
};

/** What the capture shows of a neighbour beside the requests that it does not answer. */
interface Shown {
  /** It was heard with its address. */
  readonly wasHeard: boolean;
  /** It goes on sending. */
  readonly speaks: boolean;
  /** It did nothing but look for routers and join groups. */
  readonly onlyGreets: boolean;
  /** It answered again later. */
  readonly isBack: boolean;
  /** It announces itself, and spoke by ARP since. */
  readonly isAnew: boolean;
  /** The capture ends too early for an answer to the last request. */
  readonly isLate: boolean;
}

function heardOf({ speaks, wasHeard }: Shown): string {
  if (speaks)
    return 'The neighbour itself goes on speaking: what it sends arrives here, and what is sent to it by unicast may not reach it.';
  if (wasHeard)
    return 'It was heard earlier in this capture, so it went away, or what is sent to it by unicast does not reach it any more.';
  return 'It is not heard in this capture at all.';
}

function lostNeighbor(network: Network, row: number, shown: Shown): Diagnosis {
  const { wasHeard, speaks, onlyGreets, isBack, isAnew, isLate } = shown;
  const { refreshes, addresses, segments, context } = network;
  const requests = refreshes.requests(row);
  const segment = refreshes.segment(row);
  const [tpa, spa] = [refreshes.tpa(row), refreshes.spa(row)];
  const [hi, lo] = [refreshes.toHi(row), refreshes.toLo(row)];
  const isIpv4 = addresses.isIpv4(tpa);
  const ip = addresses.format(tpa);
  const asker = addresses.format(spa);
  const mac = formatMac(hi, lo);
  const capture = segments.captureOf(segment);
  const sees = network.seesUnicastTo(segment, refreshes.hi(row), refreshes.lo(row));
  const devices = context?.devicesByMac(refreshes.hi(row), refreshes.lo(row)) ?? [];
  const holders = context?.devicesByIp(addresses.words(spa)) ?? [];
  const device = devices.find((each) => holders.includes(each)) ?? (devices.length === 1 ? devices[0] : null);
  return {
    key: keyOf(network, row),
    segment,
    capture,
    count: requests,
    first: refreshes.first(row),
    last: refreshes.last(row),
    confidence: !wasHeard || onlyGreets || isLate || speaks || isAnew || sees === 'no' ? 'hint' : 'likely',
    title: speaks
      ? `${ip} does not answer what ${asker} asks it by unicast, and still speaks`
      : `${asker} has lost its neighbour ${ip}: it does not answer any more`,
    summary:
      `${asker} (${formatMac(refreshes.hi(row), refreshes.lo(row))}) has ${ip} (${mac}) in its ${isIpv4 ? 'ARP' : 'neighbour'} table and asks there by unicast whether it still has the address, ${requests} times a second apart. ` +
      'No answer is in this capture. ' +
      heardOf(shown),
    subject: { ip, requester: asker, mac },
    evidence: refreshes.frames(row).map((place) => ({
      capture,
      layer: isIpv4 ? 'arp' : 'icmpv6',
      note: `${isIpv4 ? 'ARP who-has' : 'neighbor solicitation for'} ${ip} ${isIpv4 ? 'tell' : 'from'} ${asker}, by unicast to ${mac}`,
      ...place,
    })),
    cause: speaks
      ? 'A switch or bridge sends frames for this MAC to another port (its table has an old entry, or two stations have the MAC), or a filter passes one direction only.'
      : causeOf(isBack),
    remedy: [...setUp(downHolder(network, tpa)), ...remedyOf(network, ip, mac, asker, isIpv4, device, tpa)],
    caveats: applying([
      isBack && 'it answered again later: the fault passed',
      isAnew && 'it announced itself: a machine that was started anew, or moved',
      speaks &&
        `it may only ignore ${isIpv4 ? 'ARP' : 'solicitations'} by unicast, as some filters and stacks do: then the next ${isIpv4 ? 'broadcast' : 'multicast'} is answered`,
      onlyGreets &&
        'it only looked for routers and joined groups, as a bridge port does that was given an IPv6 address: such a port never answers',
      !wasHeard && 'it was never heard with this address: perhaps it never had it',
      isLate && 'the capture ends before the last request could be answered',
      sees === 'no' && 'no frame for the asking host is in this capture: it may show one direction only',
    ]),
    wouldRaise: [`a capture at ${ip}: do the requests arrive, and does an answer leave?`],
    context: device ? [label(device)] : [],
    explains: symptomsOf(network, row, isBack),
  };
}

function causeOf(isBack: boolean): string {
  return isBack
    ? 'The host, or a link on the way to it, was away for a while, or the requests or their answers were lost, as on a bad link or in a full queue.'
    : 'The host is down, its address or its link was taken away, or a switch sends frames for its MAC to a port where it is no longer.';
}

/** Requests, pings and connections that a lost neighbour leaves without answer. */
function symptomsOf(network: Network, row: number, isBack: boolean): { rule: RuleId; key: string }[] {
  const { refreshes, addresses } = network;
  const segment = refreshes.segment(row);
  const [tpa, spa] = [refreshes.tpa(row), refreshes.spa(row)];
  const [hi, lo] = [refreshes.toHi(row), refreshes.toLo(row)];
  const isIpv4 = addresses.isIpv4(tpa);
  // What is silent altogether is lost with all its addresses; else the other family may do well without this one.
  const own = isIpv4 ? 4 : 6;
  const family = isBack || refreshes.heard(row) > 0 ? own : null;
  return [
    ...(isIpv4 ? [{ rule: 'arp/unanswered', key: keyOf(network, row) } as const] : solicitationsInVain(network, row)),
    ...stuckConnections(segment, addresses.format(spa), addresses.format(tpa)),
    ...unansweredPings(network, segment, spa, tpa),
    ...unansweredPingsAt(network, segment, hi, lo, family),
    ...stuckConnectionsAt(network, segment, hi, lo, family),
  ];
}

/** `device` is the one that asks, where it is known. */
function remedyOf(
  { context, addresses }: Network,
  ip: string,
  mac: string,
  asker: string,
  isIpv4: boolean,
  device: Device | null,
  tpa: number,
): Remedy[] {
  const target = onlyOf(context?.devicesByIp(addresses.words(tpa)));
  const port = target && context ? context.switchPort(target.parent ?? target) : null;
  const name = deviceHolding(device, asker);
  const ask = isIpv4
    ? [`ip neigh show ${ip}`, `arping -b -c 3 -I ${name} ${ip}`]
    : [`ip -6 neigh show ${ip}`, `ndisc6 -r 3 ${ip} ${name}`];
  return [
    {
      text: `See what the asking host knows, and ask by ${isIpv4 ? 'broadcast' : 'multicast'}`,
      commands: ask.map((command) => at(device, command)),
    },
    {
      text: 'On the bridge or switch between: at which port is the MAC',
      commands: [`${at(port, 'bridge fdb show')} | grep -i ${mac}`],
    },
    {
      text: `At ${ip}: do the requests arrive`,
      commands: [
        at(
          target,
          `tcpdump -eni ${target ? printable(target.name) : 'any'} ${isIpv4 ? 'arp' : 'icmp6'} and host ${asker}`,
        ),
      ],
    },
  ];
}

/** Questions by multicast of the same host for the same target, from whichever of its addresses, as symptoms. */
function solicitationsInVain(network: Network, row: number): { rule: RuleId; key: string }[] {
  const { refreshes, resolutions } = network;
  const symptoms: { rule: RuleId; key: string }[] = [];
  for (const question of resolutions.askedFor(refreshes.tpa(row)))
    if (
      resolutions.lo(question) === refreshes.lo(row) &&
      resolutions.hi(question) === refreshes.hi(row) &&
      resolutions.segment(question) === refreshes.segment(row)
    )
      symptoms.push({ rule: 'nd/unanswered', key: questionOf(network, question).key });
  return symptoms;
}

/** As that of a question by broadcast: `arp/unanswered` about the same two has it too. */
function keyOf({ refreshes, addresses }: Network, row: number): string {
  const mac = formatMac(refreshes.hi(row), refreshes.lo(row));
  return `${refreshes.segment(row)} ${mac} ${addresses.format(refreshes.spa(row))} ${addresses.format(refreshes.tpa(row))}`;
}
