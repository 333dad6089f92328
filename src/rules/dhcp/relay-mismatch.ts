import type { Network } from '../../network/network.js';
import { formatIpv4 } from '../../wire/address.js';
import { confidenceBy } from '../parts/confidence.js';
import { questionOf } from '../parts/question.js';
import { seconds } from '../parts/words.js';
import type { Diagnosis, EvidenceRef, Rule, RuleId } from '../rule.js';
import { clientOf, dhcpFrames } from './parts/client.js';
import { noWayBack } from './parts/no-way-back.js';
import { SERVER_LOG } from './parts/server-commands.js';

/** ICMP destination unreachable: network and host (RFC 792). */
const UNREACHABLE = 3;
const CODES: readonly number[] = [0, 1];

interface Symptom {
  readonly rule: RuleId;
  readonly key: string;
}

/** A DHCP relay gets no answer, or one with an address of another subnet (catalogue H9). */
export const relayMismatch: Rule = {
  meta: {
    id: 'dhcp/relay-mismatch',
    severity: 'warning',
    summary: 'A DHCP relay asks in vain, or gets an address of another subnet than that of its clients',
    catalogue: 'H9',
    silence: true,
    thresholds: {
      questions: {
        value: 3,
        unit: 'relayed messages in vain',
        source: 'two may meet a server that looks whether an address is free',
      },
      offerDelay: {
        value: 3,
        unit: 'seconds that they take',
        source: 'dnsmasq waits so long for an answer to its ping before it offers (PING_WAIT)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { relays, segments } = network;

    function look(row: number): void {
      const capture = segments.captureOf(relays.segment(row));
      const rows = rowsOf(network, capture, relays.address(row));
      const found = mismatch(network, capture, rows) ?? silence(network, capture, rows, thresholds);
      const key = `${capture} ${formatIpv4(relays.address(row))}`;
      if (found) report({ ...found, key });
      else withdraw(key);
    }

    return {
      events: { relayed: look },
      captureEnd(capture) {
        for (let row = 0; row < relays.count; row++) if (segments.captureOf(relays.segment(row)) === capture) look(row);
      },
    };
  },
};

/** The relay at all ports of a capture: what is asked at one may be answered at another. */
function rowsOf({ relays, segments }: Network, capture: number, address: number): number[] {
  const rows = [];
  for (let row = 0; row < relays.count; row++)
    if (relays.address(row) === address && segments.captureOf(relays.segment(row)) === capture) rows.push(row);
  return rows;
}

/** Addresses that do not belong to the subnet of the relay's address. */
function mismatch(network: Network, capture: number, rows: readonly number[]): Diagnosis | null {
  const { relays, addresses, claims } = network;
  const odd = rows.filter((row) => relays.odd(row) > 0);
  if (odd.length === 0 || rows.some((row) => relays.selects(row))) return null;
  const [row] = odd;
  const segment = relays.segment(row);
  const { address, mask, router } = relays.lease(row);
  const lease = formatIpv4(address);
  const length = 32 - Math.log2(~mask + 1);
  const relay = formatIpv4(relays.address(row));
  const gateway = router === 0 ? null : formatIpv4(router);
  const isOutside = router !== 0 && ((router ^ address) & mask) !== 0;
  // A link may carry several subnets: then the relay, or another router there, has an address in this one too.
  if (gateway && !isOutside && odd.some((each) => claims.holder(relays.segment(each), addresses.ipv4(router)) >= 0))
    return null;
  const errors = unreachableErrors(network, capture, address);
  const vain = router === 0 ? [] : askedInVain(network, capture, address, router);
  const confidence = confidenceBy({ certain: isOutside, likely: errors.length + vain.length > 0 });
  const proof = () => {
    if (isOutside)
      return `It names ${gateway} as its router, which is not in that subnet: the client cannot reach it as a neighbour.`;
    if (vain.length > 0) return `The client asks for its router ${gateway} there, and nobody answers.`;
    return errors.length > 0 ? `A router says that ${lease} cannot be reached: the relay is not the way there.` : '';
  };
  return {
    key: '',
    segment,
    capture,
    confidence,
    count: Math.max(...odd.map((each) => relays.odd(each))),
    first: Math.min(...odd.map((each) => relays.oddFirst(each))),
    last: Math.max(...odd.map((each) => relays.oddLast(each))),
    title: `The DHCP server leases ${lease}/${length} to clients behind the relay ${relay}: another subnet`,
    summary:
      `The relay asks as ${relay} (giaddr), its address on the link of the client, and the lease is ${lease} with the mask ${formatIpv4(mask)}. ${proof()}`.trim(),
    subject: { relay, ip: lease },
    evidence: odd.flatMap((each) =>
      dhcpFrames(capture, `lease of ${lease}/${length} for a client behind ${relay}`, relays.oddPlaces(each)),
    ),
    cause:
      'The server takes the pool from something else than giaddr: a subnet or shared network that is declared wrongly, or a relay that puts an address of another device into giaddr.',
    remedy: [
      {
        text: `On the relay: see which addresses the device has that clients are on; ${relay} must be one of them`,
        commands: ['ip -br -4 addr'],
      },
      {
        text: `On the server: see which pool belongs to the subnet of ${relay}`,
        commands: [
          'grep -rnE "dhcp-range|shared-network|relay|subnet" /etc/dnsmasq.conf /etc/dnsmasq.d /etc/dhcp /etc/kea',
        ],
      },
    ],
    caveats:
      confidence === 'certain'
        ? []
        : ['a link may carry several subnets (shared network, superscope): then the relay has an address in each'],
    wouldRaise:
      confidence === 'certain'
        ? []
        : [`a capture on the link of the client: does anybody answer for ${gateway ?? 'its router'}?`],
    explains: [...errors, ...vain, ...lostPings(network, capture, address)],
  };
}

/** Questions of a relay that nobody answers. */
function silence(
  network: Network,
  capture: number,
  rows: readonly number[],
  { questions, offerDelay }: Record<string, number>,
): Diagnosis | null {
  const { relays, leases, icmpErrors, addresses } = network;
  if (rows.some((row) => relays.answered(row) > 0)) return null;
  const [row] = [...rows].sort((a, b) => relays.asked(b) - relays.asked(a));
  const count = relays.asked(row);
  const span = relays.last(row) - relays.first(row);
  if (count < questions || span <= offerDelay * 1e9) return null;
  const segment = relays.segment(row);
  const target = relays.server(row);
  const server = target === 0 || target === -1 ? 'its server' : formatIpv4(target);
  // icmp/unreachable says that nobody listens there, or that there is no way.
  for (let error = 0; error < icmpErrors.count; error++)
    if (icmpErrors.segment(error) === segment && icmpErrors.destination(error) === addresses.ipv4(target)) return null;
  const alive = answeredOther(network, capture, segment, target);
  const relay = formatIpv4(relays.address(row));
  // Two relays pass on what a client asks: it is served by the other.
  const exchanges = relays.exchanges(row);
  if (exchanges.some((exchange) => leases.servers(exchange)[0] !== 0 || leases.lease(exchange) !== 0)) return null;
  const clients = new Set(exchanges.map((exchange) => leases.clientOf(exchange)));
  const wayless = noWayBack(network, target, relays.address(row));
  const isKnown = alive || wayless !== null;
  const evidence: EvidenceRef[] = dhcpFrames(capture, `asked through ${relay}, no answer`, relays.askPlaces(row));
  return {
    key: '',
    segment,
    capture,
    confidence: confidenceBy({ certain: wayless !== null, likely: alive }),
    // Its clients stay without an address: as bad as by any other silence.
    ...(isKnown ? { severity: 'error' as const } : {}),
    count,
    first: relays.first(row),
    last: relays.last(row),
    title: `${server} does not answer the DHCP relay ${relay}${wayless ? ': it has no route there' : ''}`,
    summary:
      `The relay ${relay} passed ${count} DHCP messages of ${clients.size === 1 ? 'a client' : 'clients'} on to ${server} within ${seconds(span)}, and no answer for it came. ` +
      (alive && !wayless
        ? `${server} answers others here: it has no address for clients behind ${relay}.`
        : 'Its clients stay without an address.'),
    subject: { relay, server },
    evidence,
    cause: alive
      ? `${server} has no pool for the subnet of ${relay}, or none of its addresses is free: it chooses the pool by giaddr, and drops what fits none. Or it has no route back to ${relay}.`
      : `${server} has no pool for the subnet of ${relay} and so keeps silent, it is down, a filter drops UDP port 67, or it has no route back to ${relay}, where answers go.`,
    remedy: [
      {
        text: 'On the server: read why it keeps silent (dnsmasq: `no address range available for DHCP request via …`)',
        commands: [SERVER_LOG],
      },
      { text: 'On the server: see the way back, which must lead to the relay', commands: [`ip route get ${relay}`] },
      {
        text: `Give it a pool for the subnet of ${relay}`,
        commands: ['grep -rnE "dhcp-range|subnet" /etc/dnsmasq.conf /etc/dnsmasq.d /etc/dhcp /etc/kea'],
      },
    ],
    caveats: isKnown ? [] : ['answers may take another way, where this capture does not see them'],
    wouldRaise: alive
      ? ['the log of the server', 'host context (--context) of the server: its routes']
      : ['a capture on the server: do the questions arrive, and does an answer leave?'],
    ...(wayless ? { ...wayless, wouldRaise: [] } : {}),
    explains: [...clients].map((client) => ({ rule: 'dhcp/no-offer', key: clientOf(network, client).key })),
  };
}

/** Whether the server answered any other relay or client where it was asked in vain. */
function answeredOther({ leases }: Network, capture: number, segment: number, server: number): boolean {
  for (let exchange = 0; exchange < leases.exchangeCount; exchange++)
    if (
      leases.capture(exchange) === capture &&
      leases.answeredAt(exchange) === segment &&
      leases.servers(exchange).includes(server)
    )
      return true;
  return false;
}

/** Findings of routers that cannot reach a leased address. */
function unreachableErrors({ icmpErrors, segments, addresses }: Network, capture: number, address: number): Symptom[] {
  const found: Symptom[] = [];
  const target = addresses.ipv4(address);
  for (let row = 0; row < icmpErrors.count; row++) {
    if (icmpErrors.destination(row) !== target || segments.captureOf(icmpErrors.segment(row)) !== capture) continue;
    if (icmpErrors.type(row) === UNREACHABLE && CODES.includes(icmpErrors.code(row)))
      found.push(
        { rule: 'icmp/unreachable', key: String(row) },
        { rule: 'ip/no-return-route', key: `${icmpErrors.segment(row)} refused ${row}` },
      );
  }
  return found;
}

/** Findings about pings of a client that meet no reply. */
function lostPings({ pings, segments, addresses }: Network, capture: number, client: number): Symptom[] {
  const found: Symptom[] = [];
  const source = addresses.ipv4(client);
  for (let row = 0; row < pings.count; row++)
    if (pings.source(row) === source && segments.captureOf(pings.segment(row)) === capture)
      found.push({ rule: 'icmp/echo-unanswered', key: String(row) });
  return found;
}

/** Questions of a client for its router that nobody answers. */
function askedInVain(network: Network, capture: number, client: number, router: number): Symptom[] {
  const { resolutions, addresses, segments } = network;
  const spa = addresses.ipv4(client);
  const tpa = addresses.ipv4(router);
  const found: Symptom[] = [];
  for (const row of resolutions.askedBy(spa)) {
    if (resolutions.tpa(row) !== tpa || resolutions.requests(row) < 2) continue;
    if (segments.captureOf(resolutions.segment(row)) !== capture) continue;
    const { key } = questionOf(network, row);
    found.push({ rule: 'arp/gateway-unanswered', key }, { rule: 'arp/unanswered', key });
  }
  return found;
}
