import { Wish } from '../../network/dhcp/lease-requests.js';
import type { Network } from '../../network/network.js';
import { formatIpv4 } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { acceptsOf, placeContext, placeWords } from '../parts/firewall-words.js';
import { inNamespace, label, modeOf } from '../parts/question.js';
import type { Rule } from '../rule.js';
import { AskingSince } from './parts/asking-since.js';
import { BusyServers } from './parts/busy-servers.js';
import { clientOf, dhcpFrames, hardwareAddressIs } from './parts/client.js';
import { hasLostLease, keyOfRequests, requestsInVain, type Sight } from './parts/requests-in-vain.js';
import { isOffer, READS_IN_FRONT, serverFilter, WRITES_PAST } from './parts/server-firewall.js';

/** Clients of which it is remembered that they lost their lease. */
const MAX_LOST = 1024;
/** Children of an ipvlan that are named at most. */
const MAX_COMMANDS = 6;

/** A client discovers or requests again and again, and no server answers (catalogue H1). */
export const noOffer: Rule = {
  meta: {
    id: 'dhcp/no-offer',
    severity: 'error',
    summary: 'A DHCP client asks again and again, for an address or to keep the one that it has, without answer',
    catalogue: 'H1',
    silence: true,
    thresholds: {
      discovers: {
        value: 3,
        unit: 'discovers or requests in vain that make more than a hint',
        source: 'the first two may meet a server that just starts, or that pings an address first',
      },
      offerDelay: {
        value: 3,
        unit: 'seconds that they take, for more than a hint',
        source: 'dnsmasq waits so long for an answer to its ping before it offers (PING_WAIT)',
      },
      before: {
        value: 4,
        unit: 'seconds that a client has asked before its first discover here, by its own account (secs), for more than a hint',
        source: 'catalogue H1; at least one discover went out before then',
      },
      trial: {
        value: 0.1,
        unit: 'seconds after a discover in which a server begins to look whether an address is free',
        source: 'it asks at once (RFC 2131 section 4.3.1); machines under load take some time',
      },
    },
  },
  create({ network, captures, report, withdraw, thresholds }) {
    const { leases, stations } = network;
    const since = new AskingSince();
    const servers = new BusyServers(network, { offerDelay: thresholds.offerDelay, trial: thresholds.trial });
    const limits = { requests: thresholds.discovers, seconds: thresholds.offerDelay };
    /** Keys of clients that had to give their address up: an answer that comes later takes nothing back. */
    const lost = new Set<string>();

    function captureOf(client: number): number {
      return network.segments.captureOf(leases.segment(client));
    }

    function sightOf(client: number): Sight & { isHere: boolean } {
      const isBusy = servers.isBusySince(captureOf(client), leases.requests.first(client));
      const segment = leases.segment(client);
      const station = stations.find(segment, leases.hi(client), leases.lo(client));
      if (station < 0) return { isHere: false, isOwn: false, sees: false, isBusy };
      const isHere = stations.sentOut(station);
      // With `-Q out` nothing that comes in is in the capture.
      const isOwn = isHere && captures[captureOf(client)].inbound > 0;
      return { isHere, isOwn, sees: isOwn || stations.wasWrittenTo(station), isBusy };
    }

    /** Requests that nobody answers: to keep an address, or to take one that was offered. */
    function lookAtRequests(client: number, atEnd: boolean): void {
      const key = keyOfRequests(clientOf(network, client).key);
      const hasLost = hasLostLease(network, client);
      // Whoever begins anew with time left was started anew, or told to.
      const isOver = leases.requests.hasBegunAnew(client) && leases.requests.wish(client) === Wish.Kept;
      const diagnosis = isOver && !hasLost ? null : requestsInVain(network, client, sightOf(client), limits, atEnd);
      if (lost.has(key) && !hasLost) return;
      if (diagnosis) report(diagnosis);
      else withdraw(key);
      if (diagnosis && hasLost && lost.size < MAX_LOST) lost.add(key);
    }

    function look(client: number, atEnd: boolean): void {
      const { mac, devices, ...fields } = clientOf(network, client);
      const { key, count, first, last, capture } = fields;
      const isLong = count >= thresholds.discovers && last - first > thresholds.offerDelay * 1e9;
      if (leases.offers(client) > 0 || count === 0) {
        withdraw(key);
        return;
      }
      if (!isLong && !(atEnd && count >= 2)) return;
      // A child of an ipvlan is handed nothing by unicast before it has the address.
      const children = devices.filter(
        ({ kind, parent, namespace }) => kind === 'ipvlan' && parent?.namespace !== namespace,
      );
      const isDeaf = !leases.wantsBroadcast(client) && children.some((device) => device === network.vantage);
      // Only what follows the latest discover tells, so it is known at the end at the earliest.
      const isTried =
        servers.isBusySince(capture, first) ||
        (atEnd &&
          network.now - last <= thresholds.offerDelay * 1e9 &&
          isTryingOut(network, client, thresholds.trial * 1e9));
      // Whoever discovers again got no offer: it is enough that the client is here.
      const sight = sightOf(client);
      const sees = sight.isHere || sight.sees;
      const before = since.before(capture, leases.hi(client), leases.lo(client));
      const isOld = before > thresholds.before;
      const filtered = serverFilter(network, devices);
      const who = devices.length === 1 ? label(devices[0]) : mac;
      const watch = `udp port 67 and ${hardwareAddressIs(leases.hi(client), leases.lo(client))}`;
      const cures = [
        ...(filtered
          ? [
              {
                text: filtered.isTarget
                  ? `If the server is in ${printable(filtered.device.namespace)}: let ${isOffer(filtered) ? 'its offers out' : 'questions of clients in'}, until the next restart`
                  : `Let DHCP through ${label(filtered.device)}, until the next restart`,
                commands: acceptsOf([filtered]),
              },
            ]
          : []),
        ...(isDeaf
          ? [
              {
                text: 'Let the client ask for answers by broadcast (needed with ipvlan)',
                commands: children
                  .map((child) => inNamespace(child, `udhcpc -B -i ${printable(child.name)}`))
                  .slice(0, MAX_COMMANDS),
              },
            ]
          : []),
      ];
      report({
        ...fields,
        confidence: isTried || !(isLong || isDeaf || isOld) ? 'hint' : sees && isLong ? 'certain' : 'likely',
        title: `${who} gets no DHCP offer`,
        summary: `${mac} sent ${count} DHCP discovers within ${((last - first) / 1e9).toFixed(1)} s, and no server offered it an address. ${hasLostLease(network, client) ? `Before, it asked in vain to keep ${formatIpv4(leases.requests.address(client))}. ` : ''}${isOld ? `It had been asking for ${before} s before, as it says in them. ` : ''}The machine stays without one, or takes one from 169.254.0.0/16.`,
        subject: { mac },
        evidence: dhcpFrames(capture, 'DHCP discover, no offer follows', leases.asking(client)),
        trail: {
          of: 'leases',
          rows: [client],
          title: `${who} gets no DHCP offer`,
          asker: who,
          target: 'the DHCP server',
          watch: watch,
          mac,
          cures,
        },
        explains: [{ rule: 'dhcp/no-offer', key: keyOfRequests(key) }],
        cause: isDeaf
          ? `The client does not ask for answers by broadcast, so servers send the offer by unicast to an address that no device has yet: ipvlan tells its children apart by address, and hands such a frame to none of them.`
          : filtered
            ? !filtered.isTarget
              ? `The bridge ${label(filtered.device)} hands what it passes on to the firewall of its host. There ${placeWords(filtered.place)} drops ${isOffer(filtered) ? 'what servers answer on its way to the client' : 'the discover on its way to every other port'}.`
              : `The discover reaches ${label(filtered.device)}. There ${placeWords(filtered.place)} drops what ${isOffer(filtered) ? 'a server sends to clients: no offer leaves.' : 'is for UDP port 67: a server there does not hear it.'}`
            : 'No server hears the discover, none wants to answer, or the offer is lost on its way back: a server that is down, another VLAN, a relay that is missing, a filter on UDP 67 and 68 or on the MAC, an empty pool.',
        remedy: [
          ...cures,
          {
            text: 'See on the server whether the discover arrives, and whether an offer leaves',
            commands: [`tcpdump -eni any '${watch}'`],
          },
          {
            text: 'See whether a server runs, and on which devices it listens',
            commands: ["ss -ulnp 'sport = :67'", 'journalctl -u dnsmasq -u isc-dhcp-server -u kea-dhcp4-server -n 50'],
          },
        ],
        caveats: [
          ...(isTried
            ? [
                'somebody looks for an address just then, as a server does before it offers one: other clients wait meanwhile',
              ]
            : []),
          ...(isLong || isDeaf || isOld
            ? []
            : ['only a few discovers: a server that first looks whether the address is free takes up to 3 s']),
          ...(filtered?.isTarget && !isDeaf ? [isOffer(filtered) ? WRITES_PAST : READS_IN_FRONT] : []),
          ...(sees ? [] : ['no unicast for the client is in this capture: an offer may have gone another way, unseen']),
        ],
        wouldRaise: ['a capture at the DHCP server: does the discover arrive, and does an offer leave?'],
        context: [
          ...(isDeaf ? children.slice(0, MAX_COMMANDS).map(modeOf) : []),
          ...(filtered ? [`${label(filtered.device)}: ${placeContext(filtered.place)}`] : []),
        ],
      });
    }

    return {
      layers: { Dhcp: (frame, layer) => since.note(frame, layer) },
      events: {
        unanswered: (resolution) => servers.unanswered(resolution),
        leased(exchange, type) {
          servers.leased(exchange, type);
          look(leases.clientOf(exchange), false);
          lookAtRequests(leases.clientOf(exchange), false);
        },
      },
      captureEnd(capture) {
        for (let client = 0; client < leases.clientCount; client++)
          if (clientOf(network, client).capture === capture) {
            look(client, true);
            lookAtRequests(client, true);
          }
      },
    };
  },
};

/** Whether somebody other than the client begins to ask for an address right after its latest discover: a server tries one out. */
function isTryingOut({ leases, resolutions }: Network, client: number, delay: number): boolean {
  for (let row = 0; row < resolutions.count; row++) {
    const after = resolutions.last(row) - leases.last(client);
    const isClient = resolutions.hi(row) === leases.hi(client) && resolutions.lo(row) === leases.lo(client);
    if (after >= 0 && after <= delay && !isClient && resolutions.segment(row) === leases.segment(client)) return true;
  }
  return false;
}
