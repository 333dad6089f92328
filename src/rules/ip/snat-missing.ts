import type { Device } from '../../network/context/device.js';
import { appliesAt, coversSource } from '../../network/context/firewall.js';
import { Attempt } from '../../network/flows/handshake-columns.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { DNS, udpDestinationPort } from '../../wire/udp.js';
import { connectionOf, pairKey, synFrames } from '../parts/connections/connection.js';
import { at } from '../parts/device-argument.js';
import { prefixAround } from '../parts/next-router.js';
import { inNamespace, label } from '../parts/question.js';
import { listed } from '../parts/words.js';
import type { Confidence, EvidenceRef, Rule, RuleId } from '../rule.js';
import { DnsQuestions } from './parts/dns-questions.js';
import { deviceOf, type Forwarder, forwarderOf, isGlobal, isPrivate } from './parts/forwarder.js';
import { endOfWay, isTranslatedBeyond, uplinkOf, wayBack } from './parts/way-out.js';

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
    const sources = new Map<string, Map<string, Lost>>();
    const questions = new DnsQuestions(network);

    function look(name: string, segment: number, source: number, lost: Lost | null): void {
      const key = `${segment} ${addresses.format(source)}`;
      let requests = sources.get(key);
      if (!lost) {
        if (!requests?.delete(name)) return;
        if (requests.size === 0) withdraw(key);
        else tell(key, segment, source, [...requests.values()]);
        return;
      }
      if (!requests) {
        if (sources.size === MAX_SOURCES) return;
        requests = new Map();
        sources.set(key, requests);
      }
      if (requests.size < MAX_REQUESTS || requests.has(name)) requests.set(name, lost);
      tell(key, segment, source, [...requests.values()]);
    }

    function tell(key: string, segment: number, source: number, lost: readonly Lost[]): void {
      const forwarder = forwarderOf(network, segment, source);
      if (!forwarder) return;
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

/** How sure it is that a packet should have been translated; null where nothing says that it should. */
function judge(
  network: Network,
  source: number,
  forwarder: Forwarder,
  destination: number,
): { confidence: Confidence | null; why: string; context: string[]; wayless: string[]; device: Device | null } {
  const { addresses, context } = network;
  const words = addresses.words(source);
  const target = addresses.words(destination);
  const here = deviceOf(network, forwarder);
  const device = here && context ? (uplinkOf(context, here, words, target) ?? here) : here;
  const firewall = device && context?.namespaces.get(device.namespace)?.firewall;
  const holders = context?.devicesByIp(target) ?? [];
  const homes = new Set(holders.map(({ namespace }) => context?.namespaces.get(namespace)));
  const silent = { confidence: null, why: '', context: [], wayless: [], device };
  const ways = [...homes].map((home) => (home ? wayBack(home, words) : 'unknown'));
  // Between private networks it is the router without a route that lacks something.
  const lost = ways.includes('routed') && isGlobal(target[0]) && context ? endOfWay(context, [...homes], words) : null;
  if (ways.includes('routed') && lost === null) return silent;
  const wayless = lost ?? (ways.length === 1 && ways[0] !== 'unknown' ? holders[0].namespace : null);
  const isWayless = wayless !== null;
  const noRoute = isWayless
    ? [`${lost === null ? label(holders[0]) : printable(lost)} has no route to ${addresses.format(source)}`]
    : [];
  if (here && context && isTranslatedBeyond(context, here.namespace, words, target)) return silent;
  if (device && firewall) {
    // That is what a rule makes of a source: nobody answers for it, or nothing comes back for another reason.
    if (firewall.sourceNat.some(({ to }) => to?.words.length === 1 && to.words[0] === words[0])) return silent;
    const rules = firewall.sourceNat.filter((rule) => appliesAt(rule, device.name));
    if (rules.some((rule) => coversSource(rule, words, device.name) !== 'no')) return silent;
    if (rules.length > 0)
      return {
        confidence: isWayless ? 'certain' : 'likely',
        why: `The rules of source NAT in ${printable(device.namespace)} name other addresses than ${addresses.format(source)}.`,
        context: [
          `source NAT in ${printable(device.namespace)}: ${rules.map((rule) => sourcesOf(rule.source)).join(', ')}`,
          ...noRoute,
        ],
        wayless: isWayless ? [wayless] : [],
        device,
      };
  }
  // Between private networks no NAT is needed, only routes.
  if (!isGlobal(target[0])) return silent;
  const isEdge = forwarder.own.some((row) => addresses.isIpv4(row) && isGlobal(addresses.words(row)[0]));
  return {
    confidence: isEdge || isWayless ? 'likely' : 'hint',
    why: isEdge
      ? 'This router has a public address here and sends private ones beside it: a rule of source NAT is missing, names other addresses or another device, or was flushed.'
      : 'No router on the way translated the source yet: a rule of source NAT is missing, names other addresses or another device, or was flushed.',
    context: noRoute,
    wayless: isWayless ? [wayless] : [],
    device,
  };
}

/** Whether it is the device that the packets were seen to come from. */
function deviceIsHeard({ context }: Network, { hi, lo }: Forwarder, device: Device): boolean {
  return context?.devicesByMac(hi, lo).includes(device) ?? false;
}

function addressOf({ addresses }: Device): string | null {
  return addresses.find(({ family }) => family === 4)?.text ?? null;
}

function sourcesOf(
  match: { readonly prefixes: readonly { text: string }[]; readonly negated: boolean } | null,
): string {
  if (!match) return 'all sources';
  return `${match.negated ? 'not ' : ''}${match.prefixes.map(({ text }) => printable(text)).join(' ')}`;
}
