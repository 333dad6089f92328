import { printable } from '../../wire/printable.js';
import { at, onlyOf } from '../parts/device-argument.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { clientOf, dhcpFrames, inOrder } from './parts/client.js';

/** Offers are there, and the client goes on to discover (catalogue H2). */
export const offerIgnored: Rule = {
  meta: {
    id: 'dhcp/offer-ignored',
    severity: 'warning',
    summary: 'A DHCP client is offered an address and goes on asking: the offer does not reach it',
    catalogue: 'H2',
    thresholds: {
      offers: {
        value: 2,
        unit: 'offers that are not taken up',
        source: 'one may come after the client gave up waiting',
      },
      patience: setting('offerTaken'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { leases } = network;
    return {
      events: {
        leased(exchange) {
          const client = leases.clientOf(exchange);
          const { mac, devices, ...fields } = clientOf(network, client);
          const { key, capture } = fields;
          if (leases.discovers(client) === 0) withdraw(key);
          const offers = leases.offers(client);
          const ignored = leases.ignored(client);
          if (ignored === 0 || offers < thresholds.offers) return;
          const device = onlyOf(devices);
          const name = device ? printable(device.name) : '<device>';
          const ipvlan = devices.filter(({ kind }) => kind === 'ipvlan');
          report({
            ...fields,
            count: ignored,
            confidence: 'likely',
            title: `${mac} is offered an address and goes on asking for one`,
            summary: `${offers} DHCP offers for ${mac} are in this capture, and each time it sends another discover instead of a request: the offers do not reach its DHCP client, or it refuses them.`,
            subject: { mac },
            evidence: inOrder(
              dhcpFrames(capture, 'DHCP discover', leases.asking(client)),
              dhcpFrames(capture, 'DHCP offer that no request follows', leases.offering(client)),
            ),
            cause: leases.wantsBroadcast(client)
              ? 'Between here and the client the offer is dropped (a filter on UDP 67 to 68, a VLAN that is missing in one direction), or its UDP checksum is wrong and the client throws it away.'
              : 'The offer goes by unicast to an address that the client does not have yet: ipvlan cannot hand such a frame to a namespace. Otherwise a filter on UDP 67 to 68 drops it, or its UDP checksum is wrong.',
            remedy: [
              ...(leases.wantsBroadcast(client)
                ? []
                : [
                    {
                      text: 'Let the client ask for answers by broadcast (needed with ipvlan): udhcpc as here, dhcpcd with -J, dhclient of Red Hat with -B',
                      commands: [at(device, `udhcpc -B -i ${name}`)],
                    },
                  ]),
              {
                text: 'See at the client whether the offer arrives, and with which checksum',
                commands: [at(device, `tcpdump -vvni ${device ? name : 'any'} 'udp port 68'`)],
              },
              {
                text: 'See what filters it at the client: its chains at ingress alone, for it reads in front of all others. Then look at the bridges on the way',
                commands: ['nft list ruleset netdev', `tc filter show dev ${name} ingress`].map((command) =>
                  at(device, command),
                ),
              },
            ],
            caveats:
              ipvlan.length > 0
                ? []
                : ['why the client does not take the offer is not in this capture: only that it does not'],
            wouldRaise: ['a capture at the client itself: does the offer arrive there?'],
          });
        },
      },
    };
  },
};
