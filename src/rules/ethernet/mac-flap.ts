import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import type { Rule } from '../rule.js';
import { setting } from '../setting.js';

/** First four bytes of MACs that wander on purpose: VRRP (RFC 5798 section 7.3), HSRP, GLBP. */
const VIRTUAL = [0x00005e00, 0x00000c07, 0x00000c9f, 0x0007b400];

/** Frames of one MAC enter a bridge now by one port and now by another (catalogue D3). */
export const macFlap: Rule = {
  meta: {
    id: 'ethernet/mac-flap',
    severity: 'warning',
    summary: 'Frames from one MAC enter now by one port of a bridge and now by another',
    catalogue: 'D3',
    thresholds: {
      window: setting('flapWindow'),
      stay: {
        value: 3,
        unit: 'seconds at a port on average, from which on changes are only a hint',
        source:
          'a guest that is migrated there and back stays for seconds, two senders of one MAC take turns with each packet',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { locations, segments } = network;
    return {
      events: {
        moved(row) {
          const hi = locations.hi(row);
          const lo = locations.lo(row);
          if (VIRTUAL.includes(((hi << 16) | (lo >>> 16)) >>> 0)) return;
          const [latest, before] = locations.ports(row);
          const capture = segments.captureOf(latest);
          const mac = formatMac(hi, lo);
          const names = [before, latest].map((base) => nameOf(network, base)).sort();
          const moves = locations.moves(row);
          const stay = (locations.last(row) - locations.first(row)) / 1e9 / moves;
          const mayBeMoved = stay > thresholds.stay;
          report({
            key: keyOf(capture, mac),
            segment: latest,
            capture,
            count: moves,
            first: locations.first(row),
            last: locations.last(row),
            confidence: mayBeMoved ? 'hint' : 'likely',
            title: `${mac} moves between two ports of the bridge, ${moves} times`,
            summary:
              `Unicast frames from ${mac} enter by ${names.join(' and ')}, in turns: ${moves} changes within a minute. ` +
              'The bridge learns the address anew each time, and what is sent to it leaves by the port that spoke last, so part of it is lost.',
            subject: { mac },
            evidence: locations.places(row).map((frame) => ({
              capture,
              frame,
              layer: 'ethernet',
              offset: 0,
              length: 12,
              note: `from ${mac}`,
            })),
            cause:
              'Two machines have the same MAC (a clone, a MAC given by hand), or two paths lead to one machine: a loop, a bond without LACP.',
            remedy: [
              {
                text: 'See where the bridge has the address now, and again',
                commands: [`bridge fdb show | grep -i ${mac}`, `bridge monitor fdb | grep -i ${mac}`],
              },
              {
                text: 'Two machines: give one of them another MAC',
                commands: ['ip link set dev <device> address <new MAC>'],
              },
              {
                text: 'One machine with a bond: LACP on both sides',
                commands: ['ip link set <bond> type bond mode 802.3ad'],
              },
            ],
            wouldRaise: [
              '`bridge monitor fdb` of the bridge: the address changes its port',
              ...(mayBeMoved ? ['changes that come faster: a guest may have been moved there and back'] : []),
            ],
          });
        },
      },
    };
  },
};

/** Key of the finding about a MAC, for causes. */
export function keyOf(capture: number, mac: string): string {
  return `${capture} ${mac}`;
}

function nameOf({ segments }: Network, base: number): string {
  const { interface: port, deviceIndex } = segments.describe(base);
  return deviceIndex > 0 ? `the device with index ${deviceIndex}` : `interface ${port}`;
}
