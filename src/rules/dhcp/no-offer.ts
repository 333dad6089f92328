import { label } from '../question.js';
import type { Rule } from '../rule.js';
import { clientOf, dhcpFrames } from './client.js';

/** A client discovers again and again, and no server offers an address (catalogue H1). */
export const noOffer: Rule = {
  meta: {
    id: 'dhcp/no-offer',
    severity: 'error',
    summary: 'A DHCP client asks for an address again and again, and no server offers one',
    catalogue: 'H1',
    thresholds: {
      discovers: {
        value: 3,
        unit: 'discovers in vain that make more than a hint',
        source: 'the first two may meet a server that just starts, or that pings an address first',
      },
      offerDelay: {
        value: 3,
        unit: 'seconds that they take, for more than a hint',
        source: 'dnsmasq waits so long for an answer to its ping before it offers (PING_WAIT)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { leases, stations } = network;
    const told = new Set<string>();

    function look(client: number, atEnd: boolean): void {
      const { mac, devices, ...fields } = clientOf(network, client);
      const { key, count, first, last, capture } = fields;
      const isLong = count >= thresholds.discovers && last - first > thresholds.offerDelay * 1e9;
      if (leases.offers(client) > 0 || count === 0) {
        if (told.delete(key)) withdraw(key);
        return;
      }
      if (!isLong && !(atEnd && count >= 2)) return;
      const station = stations.find(fields.segment, leases.hi(client), leases.lo(client));
      const sees = station >= 0 && (stations.sentOut(station) || stations.wasWrittenTo(station));
      const who = devices.length === 1 ? label(devices[0]) : mac;
      told.add(key);
      report({
        ...fields,
        confidence: isLong ? (sees ? 'certain' : 'likely') : 'hint',
        title: `${who} gets no DHCP offer`,
        summary: `${mac} sent ${count} DHCP discovers within ${((last - first) / 1e9).toFixed(1)} s, and no server offered it an address. The machine stays without one, or takes one from 169.254.0.0/16.`,
        subject: { mac },
        evidence: dhcpFrames(capture, 'DHCP discover, no offer follows', leases.asking(client)),
        cause:
          'No server hears the discover, none wants to answer, or the offer is lost on its way back: a server that is down, another VLAN, a relay that is missing, a filter on UDP 67 and 68 or on the MAC, an empty pool.',
        remedy: [
          {
            text: 'See on the server whether the discover arrives, and whether an offer leaves',
            commands: [`tcpdump -eni <device of the server> 'udp port 67 and ether host ${mac}'`],
          },
          {
            text: 'See whether a server runs, and on which devices it listens',
            commands: ["ss -ulnp 'sport = :67'", 'journalctl -u dnsmasq -u isc-dhcp-server -u kea-dhcp4-server -n 50'],
          },
        ],
        caveats: [
          ...(isLong
            ? []
            : ['only a few discovers: a server that first looks whether the address is free takes up to 3 s']),
          ...(sees ? [] : ['no unicast for the client is in this capture: an offer may have gone another way, unseen']),
        ],
        wouldRaise: ['a capture at the DHCP server: does the discover arrive, and does an offer leave?'],
      });
    }

    return {
      events: { leased: (exchange) => look(leases.clientOf(exchange), false) },
      captureEnd(capture) {
        for (let client = 0; client < leases.clientCount; client++)
          if (clientOf(network, client).capture === capture) look(client, true);
      },
    };
  },
};
