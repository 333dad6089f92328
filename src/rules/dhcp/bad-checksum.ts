import { formatMac } from '../../wire/address.js';
import { Checksum, transportChecksum } from '../../wire/checksum.js';
import { CHADDR, DhcpMessage, dhcpHasMac, dhcpMessageType } from '../../wire/dhcp.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { printable } from '../../wire/printable.js';
import { Protocol } from '../../wire/protocol.js';
import { at, onlyOf } from '../parts/device-argument.js';
import { headerOf } from '../parts/evidence.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { clientOf } from './parts/client.js';

const MAX_CLIENTS = 1024;
const MAX_FRAMES = 32;

/** Offers for one hardware address, by their UDP checksum. */
interface Offers {
  fine: number;
  wrong: number;
  /** Wrong and not just unfinished. */
  broken: number;
  /** Unfinished ones that came in from elsewhere, where nobody will finish them, and that went on. */
  cameIn: number;
  wentOut: number;
  /** Discovers of the client came in: the capture was taken between it and the server. */
  isBetween: boolean;
  readonly frames: EvidenceRef[];
}

/** Offers with a wrong UDP checksum, which the client throws away (catalogue H3). */
export const badChecksum: Rule = {
  meta: {
    id: 'dhcp/bad-checksum',
    severity: 'warning',
    summary: 'DHCP offers have a wrong UDP checksum, and the client throws them away and asks again',
    catalogue: 'H3',
    thresholds: {
      offers: { value: 2, unit: 'offers with a wrong checksum', source: 'one may be damaged on the way' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { leases } = network;
    const clients = new Map<string, Offers>();

    function offered(frame: Frame, layer: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const udp = layer - 1;
      if (udp < 1 || frame.kinds[udp] !== Protocol.Udp || !dhcpHasMac(view, at)) return;
      const type = dhcpMessageType(view, at, frame.ends[layer]);
      const isDiscover = type === DhcpMessage.Discover && frame.direction === Direction.In;
      if (type !== DhcpMessage.Offer && !isDiscover) return;
      const name = `${frame.capture} ${formatMac(view.getUint16(at + CHADDR), view.getInt32(at + CHADDR + 2))}`;
      let offers = clients.get(name);
      if (!offers) {
        if (clients.size === MAX_CLIENTS) return;
        offers = { fine: 0, wrong: 0, broken: 0, cameIn: 0, wentOut: 0, isBetween: false, frames: [] };
        clients.set(name, offers);
      }
      if (isDiscover) {
        offers.isBetween = true;
        return;
      }
      const checksum = transportChecksum(frame, udp);
      if (checksum !== Checksum.Wrong && checksum !== Checksum.Unfinished) {
        offers.fine++;
        return;
      }
      offers.wrong++;
      if (checksum === Checksum.Wrong) offers.broken++;
      else if (frame.direction === Direction.In) offers.cameIn++;
      else if (frame.direction === Direction.Out) offers.wentOut++;
      if (offers.frames.length === MAX_FRAMES) return;
      const note =
        checksum === Checksum.Wrong ? 'UDP checksum is wrong' : 'UDP checksum was left unfinished by the sender';
      offers.frames.push(headerOf(frame, udp, 'udp', note));
    }

    return {
      layers: { Dhcp: offered },
      events: {
        leased(exchange, type) {
          const client = leases.clientOf(exchange);
          const { mac, devices, ...fields } = clientOf(network, client);
          const { key, capture } = fields;
          if (leases.discovers(client) === 0) {
            withdraw(key);
            // The client takes what it is offered: whatever it makes of checksums.
            clients.delete(`${capture} ${mac}`);
            return;
          }
          const offers = clients.get(`${capture} ${mac}`);
          if (type !== DhcpMessage.Discover || !offers) return;
          if (offers.fine > 0) {
            withdraw(key);
            return;
          }
          if (offers.wrong < thresholds.offers || leases.ignored(client) < thresholds.offers) return;
          const { broken, cameIn, wentOut, isBetween } = offers;
          const server = onlyOf(network.context?.devicesByIp([leases.servers(exchange)[0]]));
          // On a bridge between the two, what comes in and does not go on to the client was lost here. By unicast an unfinished one that comes
          // in at the client's machine may not get to the client for other reasons, as below ipvlan.
          const broadcast = leases.wantsBroadcast(client) ? cameIn : 0;
          const arrived = isBetween ? Math.min(cameIn, wentOut) : broadcast;
          const arrives = broken + arrived >= thresholds.offers;
          report({
            ...fields,
            count: offers.wrong,
            confidence: arrives ? 'likely' : 'hint',
            title: `DHCP offers for ${mac} have a wrong UDP checksum, and it asks again`,
            summary: `${offers.wrong === 2 ? 'Both' : `All ${offers.wrong}`} offers for ${mac} have a wrong UDP checksum, and after each it sends another discover: its DHCP client reads raw packets, checks the sum itself, and throws them away.`,
            subject: { mac },
            evidence: offers.frames,
            cause:
              'The server leaves the checksum to its network card (offload), and no card is on the way: veth, tap and bridges hand the packet on as it is.',
            remedy: [
              {
                text: 'On the host between: fill in the checksums of DHCP answers',
                commands: ['iptables -t mangle -A POSTROUTING -p udp --dport 68 -j CHECKSUM --checksum-fill'],
              },
              {
                text: 'Or let the device of the server compute them at once (costs some speed)',
                commands: [
                  at(server, `ethtool -K ${server ? printable(server.name) : '<device of the server>'} tx off`),
                ],
              },
            ],
            caveats: arrives
              ? []
              : [
                  cameIn > 0
                    ? 'the sum may not be what is wrong: clients of today ask the kernel whether it is unfinished, and by unicast the offer may not get to the client at all'
                    : 'seen on the machine that sends, every packet looks like this: the card may fill the sum in later',
                ],
            wouldRaise: arrives
              ? []
              : ['a capture at the client, with directions (`-i any`): is the checksum still wrong there?'],
            explains: [{ rule: 'dhcp/offer-ignored', key }],
          });
        },
      },
    };
  },
};
