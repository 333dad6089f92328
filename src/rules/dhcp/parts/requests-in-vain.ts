import { INFINITE, Wish } from '../../../network/dhcp/lease-requests.js';
import type { Network } from '../../../network/network.js';
import { formatIpv4 } from '../../../wire/address.js';
import { acceptsOf, placeContext, placeWords } from '../../parts/firewalls/words.js';
import { label } from '../../parts/question.js';
import { seconds } from '../../parts/words.js';
import type { Confidence, Diagnosis, Remedy } from '../../rule.js';
import { clientOf, dhcpFrames, hardwareAddressIs } from './client.js';
import { SERVER_LOG, SERVER_SOCKETS } from './server-commands.js';
import { READS_IN_FRONT, renewalFilter } from './server-firewall.js';

/** A lease that is over for less than this (s) is over: the client counts from its request, and may let go a moment early. */
const EARLY_S = 2;

/** How many requests in vain, and seconds, make more than a hint. */
export interface Limits {
  readonly requests: number;
  readonly seconds: number;
}

/** Whose answers the capture shows. */
export interface Sight {
  /** The client sends from this machine, and what comes in is in the capture. */
  readonly isOwn: boolean;
  /** What is sent to it is in the capture. */
  readonly sees: boolean;
  /** A server tries addresses out for others, and may not have come to the request yet. */
  readonly isBusy: boolean;
}

/** Key of the diagnosis beside that of the client's discovers. */
export function keyOfRequests(key: string): string {
  return `${key} request`;
}

/** A client's requests that nobody answers (a row of `leases`), null where they say nothing. */
export function requestsInVain(
  network: Network,
  client: number,
  sight: Sight,
  limits: Limits,
  atEnd: boolean,
): Diagnosis | null {
  const { requests } = network.leases;
  const wish = requests.wish(client);
  const confidence = wish === Wish.None ? null : confidenceOf(network, client, sight, limits, atEnd);
  if (!confidence) return null;
  const { mac, devices, capture, segment, key } = clientOf(network, client);
  const count = requests.count(client);
  const [first, last] = [requests.first(client), requests.last(client)];
  const ip = formatIpv4(requests.address(client));
  const who = devices.length === 1 ? label(devices[0]) : mac;
  const server = requests.server(client) === 0 ? '' : formatIpv4(requests.server(client));
  const within = `within ${seconds(last - first)}`;
  const { title, summary, note, ...more } = WORDS[wish as keyof typeof WORDS]({
    network,
    client,
    who,
    mac,
    ip,
    server,
    within,
    count,
  });
  const isAsked = requests.renewals(client) > 0 && server !== '';
  const filter = isAsked ? renewalFilter(network, requests.server(client), requests.address(client)) : null;
  return {
    key: keyOfRequests(key),
    segment,
    capture,
    confidence,
    ...more,
    title,
    summary: filter
      ? `${summary} On the machine of ${server}, ${placeWords(filter.place)} drops what comes for UDP port 67.`
      : summary,
    subject: { mac, ip },
    count,
    first,
    last,
    evidence: dhcpFrames(capture, note, requests.places(client)),
    remedy: [
      ...(filter
        ? [{ text: `Let the client write to ${server}, until the next restart`, commands: acceptsOf([filter]) }]
        : []),
      {
        text: 'See on the server whether the request arrives, and whether an answer leaves',
        commands: [
          `tcpdump -eni any 'udp port 67 and (host ${ip} or (${hardwareAddressIs(network.leases.hi(client), network.leases.lo(client))}))'`,
        ],
      },
      {
        text: 'See whether it runs, on which devices it listens, and what it says of this client',
        commands: [SERVER_SOCKETS, SERVER_LOG],
      },
      ...more.remedy,
    ],
    context: filter ? [`${label(filter.device)}: ${placeContext(filter.place)}`] : [],
    caveats: [
      ...(filter ? [READS_IN_FRONT] : []),
      ...(sight.sees
        ? []
        : ['no unicast for the client is in this capture: the latest request may have been answered, unseen']),
      ...(sight.isBusy
        ? [
            'a server looks just then whether addresses are free, as dnsmasq does for 3 s each: other clients wait meanwhile',
          ]
        : []),
      ...more.caveats,
    ],
    wouldRaise: ['a capture at the DHCP server: does the request arrive, and does an answer leave?'],
  };
}

/** When the lease that is asked for runs out, as `Frame.time`; NaN where the capture does not tell, or never. */
function endOf({ requests }: Network['leases'], client: number): number {
  return requests.lease(client)?.address === requests.address(client) ? requests.leaseEnd(client) : Number.NaN;
}

/** Whether the lease that is asked for is over, as far as the capture tells. */
function isOver({ leases, now }: Network, client: number): boolean {
  return now >= endOf(leases, client) - EARLY_S * 1e9;
}

/** Whether a client that begins anew does so because nobody let it keep its address: it asked by broadcast too, or its lease ran out. */
export function hasLostLease(network: Network, client: number): boolean {
  const { requests } = network.leases;
  if (!requests.hasBegunAnew(client) || requests.wish(client) !== Wish.Kept) return false;
  return requests.broadcasts(client) > 0 || isOver(network, client);
}

function confidenceOf(
  { leases: { requests }, now }: Network,
  client: number,
  { isOwn, sees, isBusy }: Sight,
  limits: Limits,
  atEnd: boolean,
): Confidence | null {
  const wish = requests.wish(client);
  const count = requests.count(client);
  const last = requests.last(client);
  const isSeen = sees || (wish === Wish.Offered && requests.isOffered(client));
  // The latest one may be answered yet.
  const vain = now - last > limits.seconds * 1e9 || requests.hasBegunAnew(client) ? count : count - 1;
  // Over to broadcast: most of the lease went by meanwhile.
  const isLate = wish === Wish.Kept && requests.renewals(client) > 0 && requests.broadcasts(client) > 0;
  const isLong =
    last - requests.first(client) > limits.seconds * 1e9 &&
    vain >= (isLate ? Math.min(2, limits.requests) : limits.requests);
  // A server that does not know the client keeps silent, and the client begins anew (RFC 2131 section 4.3.2).
  if (wish === Wish.Former) return atEnd && isLong && sees ? 'hint' : null;
  const isRepeated = requests.isRepeated(client);
  if (!isLong) return atEnd && vain >= 2 && isSeen && (isRepeated || isOwn) ? 'hint' : null;
  // Beside the way of the answers it may have got the last one.
  const isOpen = wish === Wish.Offered && !isSeen;
  if (isBusy || isOpen) return atEnd ? 'hint' : null;
  if (isRepeated && isSeen) return 'certain';
  if (isRepeated) return count >= limits.requests ? 'likely' : null;
  if (!sees) return null;
  return isOwn ? 'likely' : 'hint';
}

interface Case {
  readonly network: Network;
  readonly client: number;
  readonly who: string;
  readonly mac: string;
  readonly ip: string;
  /** Empty where none was asked by unicast. */
  readonly server: string;
  readonly within: string;
  readonly count: number;
}

type Words = Pick<Diagnosis, 'title' | 'summary' | 'cause' | 'severity'> & {
  readonly note: string;
  readonly remedy: readonly Remedy[];
  readonly caveats: readonly string[];
};

/** A server that lost its leases. */
const AUTHORITATIVE: Remedy = {
  text: 'Where the server has lost its leases: let it refuse whom it does not know, so that clients begin anew at once (ISC dhcpd, Kea: authoritative; dnsmasq)',
  commands: [
    'grep -n authoritative /etc/dhcp/dhcpd.conf /etc/kea/kea-dhcp4.conf',
    'grep -rn dhcp-authoritative /etc/dnsmasq.conf /etc/dnsmasq.d',
  ],
};

const WORDS = {
  [Wish.Offered]: ({ who, mac, ip, server, within, count }: Case): Words => ({
    title: `${who} takes ${ip}, which ${server} offers, and gets no acknowledgement`,
    summary: `${mac} requested ${ip} of ${server} ${count} times ${within}, and neither an acknowledgement nor a refusal came. It stays without an address, and begins anew after some tries.`,
    note: 'DHCP request, no answer follows',
    cause: `The request does not get to ${server}, ${server} does not answer it, or the answer is lost on its way back. Offers pass, so a server that was just stopped, a lease database that cannot be written, and two servers of which one drops what it did not offer are likelier than a filter.`,
    remedy: [],
    caveats: [],
  }),
  [Wish.Former]: ({ who, mac, ip, within, count }: Case): Words => ({
    severity: 'warning',
    title: `${who} asks for its former address ${ip} and gets no answer`,
    summary: `${mac} asked ${count} times ${within} for ${ip}, which it had before, and no server answered. It begins anew with a discover soon, or uses the address on trust.`,
    note: 'DHCP request for a former address, no answer follows',
    cause:
      'No server hears the request or its answer is lost; or none knows the client: then servers keep silent, by the rules.',
    remedy: [AUTHORITATIVE],
    caveats: ['a server that does not know the client keeps silent, and the client begins anew: no fault then'],
  }),
  [Wish.Kept]: keeps,
};

function keeps({ network, client, who, mac, ip, server, within, count }: Case): Words {
  const { requests } = network.leases;
  const [renewals, broadcasts] = [requests.renewals(client), requests.broadcasts(client)];
  const asked = () => {
    if (renewals === 0)
      return `asked ${count} times ${within}, by broadcast, for any server to renew its lease of ${ip}`;
    if (broadcasts === 0) return `asked ${server} ${count} times ${within} to renew its lease of ${ip}`;
    return `asked ${server} to renew its lease of ${ip}, and then by broadcast any server, ${count} times ${within} in all`;
  };
  const relay = requests.relay(client);
  const isPast = relay !== 0 && broadcasts === 0;
  return {
    // So far the client has its address.
    severity: isOver(network, client) && !requests.hasBegunAnew(client) ? 'error' : 'warning',
    title: `${who} asks to keep ${ip} and gets no answer`,
    summary: `${mac} ${asked()}, and no answer came. ${ofLease(network, client, ip)}`,
    note: 'DHCP request to renew the lease, no answer follows',
    cause:
      broadcasts === 0
        ? `${isPast ? `The lease came through the relay ${formatIpv4(relay)}; renewals go past it, straight to ${server}. ` : ''}${server} is down, does not know the lease and keeps silent, or cannot be reached by unicast${isPast ? '' : ' (behind a relay only broadcasts pass by it)'}: no route, or a filter on UDP 67 between the client and ${server}. Broadcasts, which follow at 7/8 of the lease, may still be answered.`
        : `No server hears the client any more, or none answers: it is down, it has lost its leases and keeps silent, the VLAN or the relay to it is gone, or UDP 67 and 68 are filtered${renewals === 0 ? '' : '. That broadcasts stay without answer too speaks against a mere lack of a route'}.`,
    remedy: [
      ...(renewals === 0
        ? []
        : [
            {
              text: `See from the client whether ${server} is reached by unicast`,
              commands: [`ip route get ${server}`, `ping -c 3 ${server}`],
            },
            {
              text: 'See whether a filter on the way lets the client write to UDP 67 of the server',
              commands: ['nft list ruleset', 'iptables-save -c'],
            },
          ]),
      AUTHORITATIVE,
    ],
    caveats: [],
  };
}

/** What becomes of the address. */
function ofLease(network: Network, client: number, ip: string): string {
  const { requests } = network.leases;
  const lease = requests.lease(client);
  const anew = requests.hasBegunAnew(client);
  if (!lease || lease.address !== requests.address(client))
    return anew
      ? `It gave ${ip} up and began anew with a discover; its connections break.`
      : `When the lease runs out is not in this capture; then the client has to give ${ip} up, and its connections break.`;
  if (lease.seconds === INFINITE) return 'The lease never runs out.';
  const length = `Its lease of ${lease.seconds} s`;
  if (anew)
    return `${length} ${isOver(network, client) ? 'ran out' : 'was nearly over'}, and it began anew with a discover: ${ip} was no longer its own, and its connections break.`;
  if (isOver(network, client)) return `${length} ran out: it has to give ${ip} up, and its connections break.`;
  const left = (endOf(network.leases, client) - requests.last(client)) / 1e9;
  return `${length} runs out ${left.toFixed(1)} s after the latest of them; until then it keeps ${ip}, then it has to give it up, and its connections break.`;
}
