import type { Device } from '../../network/context/device.js';
import { Attempt } from '../../network/flows/handshake-columns.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { DNS, udpDestinationPort } from '../../wire/udp.js';
import { connectionOf, pairKey, synFrames } from '../parts/connections/connection.js';
import { at } from '../parts/device-argument.js';
import { prefixAround } from '../parts/next-router.js';
import { inNamespace, label } from '../parts/question.js';
import { listed } from '../parts/words.js';
import type { EvidenceRef, Rule, RuleId } from '../rule.js';
import { DnsQuestions } from './parts/dns-questions.js';
import { type Forwarder, forwarderOf, isGlobal, isPrivate } from './parts/forwarder.js';
import { judge } from './parts/missing-translation.js';

/** Sources that are looked at, and requests of one that a finding goes into, at most. */
const MAX_SOURCES = 256;
const MAX_REQUESTS = 16;
/** Destinations that a title names. */
const MAX_NAMED = 3;

/** Requests of one kind from a source to a destination, none of them answered. */
interface Lost {
  readonly to: string;
  /** Row of `Addresses`. */
  readonly destination: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly evidence: readonly EvidenceRef[];
  readonly symptoms: readonly { rule: RuleId; key: string }[];
}

/** Packets with an inner source address leave by the uplink: no NAT rule rewrote them (catalogue I6). */
export const snatMissing: Rule = {
  meta: {
    id: 'ip/snat-missing',
    severity: 'error',
    summary: 'Packets leave by the uplink with their private source address: source NAT is missing',
    catalogue: 'I6',
    thresholds: {
      requests: { value: 3, unit: 'requests in vain', source: 'fewer may be lost packets' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { handshakes, pings, addresses, segments } = network;
    const sources = new Map<string, { segment: number; source: number; requests: Map<string, Lost> }>();
    const questions = new DnsQuestions(network);

    function look(name: string, segment: number, source: number, lost: Lost | null): void {
      const key = `${segment} ${addresses.format(source)}`;
      const known = sources.get(key);
      if (!lost) {
        if (!known?.requests.delete(name)) return;
        if (known.requests.size === 0) withdraw(key);
        else tell(key, segment, source, [...known.requests.values()]);
        return;
      }
      if (!known && sources.size === MAX_SOURCES) return;
      const { requests } = known ?? { requests: new Map<string, Lost>() };
      if (!known) sources.set(key, { segment, source, requests });
      if (requests.size < MAX_REQUESTS || requests.has(name)) requests.set(name, lost);
      tell(key, segment, source, [...requests.values()]);
    }

    function tell(key: string, segment: number, source: number, lost: readonly Lost[]): void {
      const forwarder = forwarderOf(network, segment, source);
      if (!forwarder) return;
      if (
        isAnsweredOutOfSight(
          network,
          segment,
          source,
          lost.map(({ destination }) => destination),
        )
      ) {
        withdraw(key);
        return;
      }
      const judged = lost.map((each) => ({ ...each, ...judge(network, source, forwarder, each.destination) }));
      const leaks = judged.filter(({ confidence }) => confidence !== null);
      const best =
        leaks.find(({ confidence }) => confidence === 'certain') ??
        leaks.find(({ confidence }) => confidence === 'likely') ??
        leaks[0];
      if (!best?.confidence) {
        withdraw(key);
        return;
      }
      const from = addresses.format(source);
      const { device } = best;
      const heard = addresses.format(forwarder.own[0]);
      const router = (device && !deviceIsHeard(network, forwarder, device) && addressOf(device)) || heard;
      const inside = printable(prefixAround(network.context, addresses.words(source), from));
      const holders = network.context?.devicesByIp(addresses.words(best.destination)) ?? [];
      const [home] = best.wayless.map((name) => network.context?.namespaces.get(name));
      const far = holders.length === 1 ? holders[0] : null;
      const [lacking = far] = home && home.name !== far?.namespace ? home.devices.values() : [];
      const count = leaks.reduce((sum, each) => sum + each.count, 0);
      const to = [...new Set(leaks.map((each) => each.to))];
      const named = listed(to, MAX_NAMED);
      report({
        key,
        segment,
        capture: segments.captureOf(segment),
        count,
        first: Math.min(...leaks.map(({ first }) => first)),
        last: Math.max(...leaks.map(({ last }) => last)),
        confidence: best.confidence,
        title: `Packets of ${from} leave ${device ? label(device) : router} untranslated, and no answer finds back`,
        summary:
          `${router} passes on packets of ${from} to ${named}, ${count} times, with ${from} as their source: no NAT rule rewrote it. ` +
          `Whoever gets them has no way back to ${from}, and nothing comes back.`,
        subject: { ip: from, router },
        evidence: leaks.flatMap(({ evidence }) => evidence),
        cause: best.why,
        remedy: [
          {
            text: 'See which packets the NAT rules take',
            commands: device
              ? [inNamespace(device, 'nft list ruleset'), inNamespace(device, `ip route get ${to[0]}`)]
              : ['nft list ruleset', 'iptables -t nat -S POSTROUTING', `ip route get ${to[0]}`],
          },
          {
            text: 'Give packets that leave by this device its own address. For new connections, so begin a running ping anew; lasts until the next restart',
            commands: device
              ? [inNamespace(device, `iptables -t nat -A POSTROUTING -s ${inside} -o ${device.name} -j MASQUERADE`)]
              : [`iptables -t nat -A POSTROUTING -s ${from} -o <uplink of ${router}> -j MASQUERADE`],
          },
          {
            text: `Or, where the far side is yours and no NAT is wanted: give it a way back, as on ${lacking && lacking !== far ? printable(lacking.namespace) : to[0]}`,
            commands: [at(lacking, `ip route add ${inside} via ${router}`)],
          },
        ],
        caveats:
          best.confidence === 'hint'
            ? ['another router farther on may translate them, and the answers be lost for another reason']
            : [],
        wouldRaise:
          best.confidence === 'certain'
            ? []
            : [`host context of ${router} (--context): its NAT rules, and the routes of ${to[0]}`],
        context: best.context,
        explains: [
          ...leaks.flatMap(({ symptoms }) => symptoms),
          ...leaks.flatMap(({ wayless }) =>
            wayless.map((home) => ({ rule: 'ip/no-return-route' as const, key: `${segment} ${home}` })),
          ),
        ],
      });
    }

    function lostPing(row: number): Lost | null {
      const state = pings.state(row, network.now);
      if (!state || state.unanswered < thresholds.requests || pings.replies(row) > 0) return null;
      const capture = segments.captureOf(pings.segment(row));
      const elsewhere = pings.elsewhere(row).filter((other) => segments.captureOf(pings.segment(other)) === capture);
      if (elsewhere.some((other) => pings.replies(other) > 0)) return null;
      const to = addresses.format(pings.destination(row));
      const note = `echo request with source ${addresses.format(pings.source(row))}`;
      return {
        to,
        destination: pings.destination(row),
        count: state.unanswered,
        first: state.first,
        last: state.last,
        evidence: state.places.map((place) => ({ capture, layer: 'icmp', note, ...place })),
        symptoms: [row, ...elsewhere].map((each) => ({ rule: 'icmp/echo-unanswered' as const, key: String(each) })),
      };
    }

    function lostSyns(row: number): Lost | null {
      const isLost =
        handshakes.state(row) === Attempt.Waiting &&
        handshakes.answers(row) === 0 &&
        handshakes.syns(row) >= thresholds.requests &&
        !handshakes.wasAnsweredElsewhere(row) &&
        !handshakes.clientWasAnswered(row);
      if (!isLost) return null;
      const connection = connectionOf(network, row);
      const { client, server, segment } = connection;
      const leg = handshakes.firstLeg(row);
      const seen = leg < 0 ? [segment] : [segment, handshakes.segment(leg)];
      return {
        to: server,
        destination: connection.serverRow,
        count: handshakes.syns(row),
        first: handshakes.first(row),
        last: handshakes.last(row),
        evidence: synFrames(network, [connection], `SYN with source ${client}`),
        symptoms: seen.map((each) => ({ rule: 'tcp/syn-unanswered' as const, key: pairKey(each, client, server) })),
      };
    }

    return {
      captureEnd(capture) {
        for (const { segment, source, destination, tries, first, last, places } of questions.unanswered(
          capture,
          thresholds.requests,
        )) {
          const [from, to] = [source, destination].map((each) => addresses.ipv4(each));
          const forwarder = forwarderOf(network, segment, from);
          // Pings and SYNs that come again show that nothing came back; a program asks for one name after the other.
          if (!forwarder || network.seesUnicastTo(segment, forwarder.hi, forwarder.lo) === 'no') continue;
          const note = `DNS question with source ${addresses.format(from)}`;
          const evidence = places.map((place) => ({ capture, layer: 'udp', note, ...place }));
          const lost = { to: addresses.format(to), destination: to, count: tries, first, last, evidence, symptoms: [] };
          look(`dns ${to}`, segment, from, lost);
        }
        // What answers besides is known by then.
        for (const [key, { segment, source, requests }] of sources)
          if (segments.captureOf(segment) === capture && requests.size > 0)
            tell(key, segment, source, [...requests.values()]);
      },
      events: {
        dns(frame, layer) {
          if (udpDestinationPort(frame.view, frame.offsets[layer]) === DNS) questions.asks(frame, layer);
          else questions.answers(frame, layer);
        },
        pingLost(row) {
          const source = pings.source(row);
          if (isPrivateRow(network, source)) look(`ping ${row}`, pings.segment(row), source, lostPing(row));
        },
        connecting(row) {
          const { clientRow, segment } = connectionOf(network, row);
          if (isPrivateRow(network, clientRow)) look(`syn ${row}`, segment, clientRow, lostSyns(row));
        },
      },
    };
  },
};

function isPrivateRow({ addresses }: Network, row: number): boolean {
  return addresses.isIpv4(row) && isPrivate(addresses.words(row)[0]);
}

/**
 * Whether connections of a source go on, to each of the destinations or to a public address: answers find back, if not through
 * here.
 */
function isAnsweredOutOfSight(
  network: Network,
  segment: number,
  source: number,
  destinations: readonly number[],
): boolean {
  const { handshakes, addresses } = network;
  const [client] = addresses.words(source);
  const silent = new Set(destinations.map((row) => addresses.words(row)[0]));
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.client(row) !== client || handshakes.place(row) !== segment) continue;
    if (handshakes.state(row) !== Attempt.Done) continue;
    if (isGlobal(handshakes.server(row))) return true;
    silent.delete(handshakes.server(row));
  }
  return silent.size === 0;
}

/** Whether it is the device that the packets were seen to come from. */
function deviceIsHeard({ context }: Network, { hi, lo }: Forwarder, device: Device): boolean {
  return context?.devicesByMac(hi, lo).includes(device) ?? false;
}

function addressOf({ addresses }: Device): string | null {
  return addresses.find(({ family }) => family === 4)?.text ?? null;
}
