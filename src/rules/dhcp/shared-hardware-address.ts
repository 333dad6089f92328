import type { Device } from '../../network/context/device.js';
import { formatIpv4, formatMac } from '../../wire/address.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import { printable } from '../../wire/printable.js';
import { withAnotherMac } from '../ethernet/parts/another-mac.js';
import { confidenceBy } from '../parts/confidence.js';
import { label, modeOf } from '../parts/question.js';
import { listed } from '../parts/words.js';
import type { Rule } from '../rule.js';
import { clientOf, dhcpFrames, inOrder } from './parts/client.js';

/** Hardware addresses whose latest lease is remembered. */
const MAX_LEASES = 1 << 12;

interface Lease {
  readonly exchange: number;
  readonly xid: number;
  readonly address: number;
  readonly identifier: number;
  readonly time: number;
}

/** Several DHCP clients share one hardware address, as ipvlan children do (catalogue H6). */
export const sharedHardwareAddress: Rule = {
  meta: {
    id: 'dhcp/shared-hardware-address',
    severity: 'warning',
    summary: 'DHCP clients share a MAC (ipvlan): they are leased one address, or their offers cannot be delivered',
    catalogue: 'H6',
    thresholds: {
      together: {
        value: 60,
        unit: 'seconds between a lease and the next discover of the same MAC',
        source: 'two whole exchanges this close are rarely one machine that starts twice',
      },
      offers: {
        value: 2,
        unit: 'offers by unicast that are not taken up',
        source: 'one may come after the client gave up waiting',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { leases } = network;
    const latest = new Map<string, Lease>();

    /** Whether a client that discovers could not keep the lease that it had. */
    function isLeaseOver(exchange: number): boolean {
      const client = leases.clientOf(exchange);
      return leases.requests.hasBegunAnew(client) || network.now >= leases.requests.leaseEnd(client);
    }

    /** The latest lease of a hardware address was ended or refused. */
    function forget(exchange: number): void {
      const client = leases.clientOf(exchange);
      latest.delete(nameOf(leases.segment(client), leases.hi(client), leases.lo(client)));
    }

    function acknowledged(exchange: number): void {
      const client = leases.clientOf(exchange);
      const hi = leases.hi(client);
      const lo = leases.lo(client);
      const address = leases.lease(exchange);
      const discovered = leases.time(exchange, DhcpMessage.Discover);
      // Without a discover it is a renewal, of the same client.
      if (!Number.isFinite(discovered) || address === 0) return;
      const name = nameOf(leases.segment(client), hi, lo);
      const before = latest.get(name);
      if (latest.size === MAX_LEASES && !before) return;
      const xid = leases.xid(exchange);
      const identifier = leases.identifier(client);
      latest.set(name, { exchange, xid, address, identifier, time: network.now });
      const isAlive = before && before.xid !== xid && leases.xid(before.exchange) === before.xid;
      if (isAlive && before.address === address && before.identifier === identifier)
        oneLease(exchange, before, discovered);
    }

    function oneLease(exchange: number, before: Lease, discovered: number): void {
      const client = leases.clientOf(exchange);
      const { mac, devices, segment, capture } = clientOf(network, client);
      const children = devices.filter(isIpvlan);
      const doubled = children.length < 2 ? machinesOf(devices) : [];
      // The one device with this MAC asked twice: after a restart that is nothing.
      if (devices.length > 0 && children.length < 2 && doubled.length < 2) return;
      if (children.length < 2 && discovered - before.time > thresholds.together * 1e9) return;
      const ip = formatIpv4(before.address);
      const sharers = children.length > 1 ? children : doubled;
      const holders = sharers.filter((each) => network.context?.devicesByIp([before.address]).includes(each));
      // The second asks before the first has its address: no machine starts twice at once.
      const isAtOnce = discovered < before.time;
      const named = listed(sharers.map(label));
      report({
        key: `${segment} ${mac} ${ip}`,
        segment,
        capture,
        confidence: confidenceBy({ certain: holders.length > 1, likely: sharers.length > 1 || isAtOnce }),
        count: 2,
        first: before.time,
        last: network.now,
        title: `DHCP leases ${ip} twice to ${mac}: two clients share this MAC`,
        summary:
          `Two exchanges, each from discover to acknowledgement, give ${ip} to ${mac}, with nothing given back between them` +
          `${leases.identifier(client) === 0 ? ' and without a client identifier' : ', and with the same client identifier'}. ` +
          `To the server they are one client${named ? `; in truth the MAC is that of ${named}` : ''}.`,
        subject: { mac, ip },
        evidence: inOrder(
          dhcpFrames(capture, `first lease of ${ip}`, leases.places(before.exchange, DhcpMessage.Ack)),
          dhcpFrames(capture, `second lease of ${ip}`, leases.places(exchange, DhcpMessage.Ack)),
        ),
        cause:
          doubled.length > 1
            ? 'Two machines have one MAC: one was cloned with it, or both were given it by hand. The switch sends what is for them now to the one, now to the other.'
            : 'Children of an ipvlan have the MAC of their parent, and cloned machines that of their original; the server tells clients apart by MAC unless they send a client identifier (option 61) of their own.',
        remedy:
          doubled.length > 1
            ? [
                {
                  text: `Give ${label(doubled[1])} another MAC, and let it ask for an address anew`,
                  commands: withAnotherMac(doubled[1], leases.lo(client)),
                },
              ]
            : identify(children),
        caveats: sharers.length > 0 || isAtOnce ? [] : ['a machine that starts twice within a minute looks alike'],
        wouldRaise:
          holders.length > 1 ? [] : ['host context (--context): which devices have this MAC, and this address'],
        context: holders.map((each) => `${label(each)}: ${isIpvlan(each) ? 'ipvlan, ' : ''}has ${ip}`),
      });
    }

    /** Offers by unicast for an address that no child has yet: the driver knows none to hand them to. */
    function undelivered(client: number): void {
      const { mac, devices, ...fields } = clientOf(network, client);
      const { key, capture } = fields;
      const name = `${key} offers`;
      const children = devices.filter((device) => isIpvlan(device) && device.parent?.namespace !== device.namespace);
      const isIgnored = leases.ignored(client) > 0 && leases.offers(client) >= thresholds.offers;
      if (!isIgnored || leases.wantsBroadcast(client) || children.length === 0) {
        if (leases.discovers(client) === 0) withdraw(name);
        return;
      }
      const named = listed(children.map(label));
      report({
        ...fields,
        key: name,
        confidence: 'likely',
        count: leases.ignored(client),
        title: `DHCP offers for ${mac} reach no ipvlan child: unicast to an address that none has yet`,
        summary:
          `${leases.offers(client)} offers are sent by unicast to the MAC ${mac}, which ${named} ${children.length === 1 ? 'shares with its parent' : 'share with their parent'}. ` +
          'ipvlan tells its children apart by IP address, and the offered one is not set on any of them yet: the frame goes to the parent, and the client asks again.',
        subject: { mac },
        evidence: inOrder(
          dhcpFrames(capture, 'DHCP discover without broadcast flag', leases.asking(client)),
          dhcpFrames(capture, 'DHCP offer by unicast', leases.offering(client)),
        ),
        cause: 'The client does not ask for answers by broadcast, which ipvlan needs until a child has its address.',
        remedy: [
          {
            text: 'Let the client ask for answers by broadcast, and give it an identifier of its own',
            commands: children.map(({ name }) => `udhcpc -B -i ${printable(name)}`).slice(0, 6),
          },
          ...identify(children).slice(1),
        ],
        context: children.map((child) => modeOf(child)),
        wouldRaise: ['a capture in the namespace of the client: no offer arrives there'],
        explains: [
          { rule: 'dhcp/offer-ignored', key },
          { rule: 'dhcp/no-offer', key },
        ],
      });
    }

    return {
      events: {
        leased(exchange, type) {
          if (type === DhcpMessage.Ack) acknowledged(exchange);
          else if (type === DhcpMessage.Release || type === DhcpMessage.Decline || type === DhcpMessage.Nak)
            forget(exchange);
          else if (type === DhcpMessage.Discover && isLeaseOver(exchange)) forget(exchange);
          undelivered(leases.clientOf(exchange));
        },
      },
    };
  },
};

/** Devices of machines of their own: none of them has its MAC from another device, or gave it to one. */
function machinesOf(devices: readonly Device[]): readonly Device[] {
  const own = devices.filter((device) => device.master === null && device.parent === null && !isIpvlan(device));
  return new Set(own.map(({ namespace }) => namespace)).size === own.length ? own : [];
}

function nameOf(segment: number, hi: number, lo: number): string {
  return `${segment} ${formatMac(hi, lo)}`;
}

function isIpvlan({ kind }: Device): boolean {
  return kind === 'ipvlan' || kind === 'ipvtap';
}

function identify(children: readonly Device[]) {
  const device = children[0] ? printable(children[0].name) : '<device>';
  return [
    {
      text: 'Give each client an identifier of its own (any bytes; here its name in hexadecimal)',
      commands: [`udhcpc -B -i ${device} -x 0x3d:$(hostname | od -An -tx1 | tr -d ' \\n')`],
    },
    {
      text: 'Or use macvlan in place of ipvlan: each child then has a MAC of its own',
      commands: ['ip link add <name> link <parent> type macvlan mode bridge'],
    },
  ];
}
