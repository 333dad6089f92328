import type { Network } from '../../../network/network.js';
import { formatIpv4 } from '../../../wire/address.js';
import { DhcpMessage } from '../../../wire/dhcp.js';
import { clientOf, dhcpFrames, inOrder } from '../../dhcp/parts/client.js';
import { applying } from '../../parts/words.js';
import type { Diagnosis, EvidenceRef, Remedy } from '../../rule.js';

/** Addresses whose latest lease is remembered. */
const MAX_ADDRESSES = 4096;

interface Lease {
  readonly mac: string;
  readonly xid: number;
  readonly identifier: number;
  /** Server identifier as an integer, 0 where the exchange does not name it. */
  readonly server: number;
  readonly time: number;
  /** NaN where the lease has no end, or none is known. */
  readonly end: number;
  readonly evidence: readonly EvidenceRef[];
  /** The latest one of another MAC before it, which itself has none here. */
  readonly former: Lease | null;
}

/** An address that DHCP gave to two clients. */
export interface LeasedTwice {
  /** Of the finding. */
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly ip: string;
  readonly earlier: Lease;
  readonly later: Lease;
  /** The earlier one keeps its lease behind the later one's: both have it. Else it may be one machine with another MAC. */
  readonly isKept: boolean;
}

/** Leases of one address to more than one MAC, as the acknowledgements in a capture give them (RFC 2131 section 4.3). */
export class DoubleLeases {
  /** By segment and address: other networks may use the same ones. */
  readonly #latest = new Map<string, Lease>();
  /** Where in `latest` the latest lease of a client may be, by segment and MAC. */
  readonly #ofClient = new Map<string, string>();
  readonly #twice = new Map<string, LeasedTwice>();

  constructor(private readonly network: Network) {}

  /** A DHCP message; the address that it shows to be given twice, if it does. */
  leased(exchange: number, type: number): LeasedTwice | null {
    const { leases } = this.network;
    const { segment, capture, mac } = clientOf(this.network, leases.clientOf(exchange));
    if (type === DhcpMessage.Ack) return this.#acknowledged(exchange, { segment, capture, mac });
    // Declined, released or refused: whoever gets the address next has it alone.
    if (type !== DhcpMessage.Release && type !== DhcpMessage.Decline && type !== DhcpMessage.Nak) return null;
    const name = this.#ofClient.get(`${segment} ${mac}`) ?? '';
    if (this.#latest.get(name)?.mac === mac) this.#latest.delete(name);
    return null;
  }

  /** What DHCP shows of an address in a segment; null where it does not give it to both of these. */
  of(segment: number, ip: string, macs: readonly string[]): LeasedTwice | null {
    const found = this.#twice.get(`${segment} ${ip}`);
    return found && macs.includes(found.earlier.mac) && macs.includes(found.later.mac) ? found : null;
  }

  /** All of a capture. */
  *all(capture: number): Iterable<LeasedTwice> {
    for (const each of this.#twice.values()) if (each.capture === capture) yield each;
  }

  #acknowledged(
    exchange: number,
    { segment, capture, mac }: { segment: number; capture: number; mac: string },
  ): LeasedTwice | null {
    const { leases, now } = this.network;
    const address = leases.lease(exchange);
    if (address === 0) return null;
    const ip = formatIpv4(address);
    const name = `${segment} ${ip}`;
    const client = leases.clientOf(exchange);
    const before = this.#latest.get(name);
    if (!before && this.#latest.size === MAX_ADDRESSES) return null;
    if (this.#ofClient.size === MAX_ADDRESSES) this.#ofClient.clear();
    this.#ofClient.set(`${segment} ${mac}`, name);
    const lease: Lease = {
      mac,
      xid: leases.xid(exchange),
      identifier: leases.identifier(client),
      server: leases.servers(exchange)[0],
      time: now,
      end: leases.requests.leaseEnd(client),
      evidence: dhcpFrames(capture, `lease of ${ip} to ${mac}`, leases.places(exchange, DhcpMessage.Ack)),
      former: before && before.mac !== mac ? { ...before, former: null } : (before?.former ?? null),
    };
    this.#latest.set(name, lease);
    if (!before || before.mac === mac || before.end < now) return null;
    const isKept = this.#keeps(exchange, before.former?.mac === mac ? before.former : null);
    const isSame = lease.identifier !== 0 && lease.identifier === before.identifier;
    if (!isKept && !isSame) return null;
    const known = this.#twice.get(name);
    if (!known && this.#twice.size === MAX_ADDRESSES) return null;
    const place = { key: `${segment} leased ${ip}`, segment, capture };
    const found: LeasedTwice = {
      ...(known ?? place),
      ip,
      earlier: before,
      later: lease,
      isKept: isKept || known?.isKept === true,
    };
    this.#twice.set(name, found);
    return found;
  }

  /** Whether a client that was acknowledged asked to keep what it has, so that it had it when another one got it. */
  #keeps(exchange: number, own: Lease | null): boolean {
    const { leases } = this.network;
    const discovered = leases.time(exchange, DhcpMessage.Discover);
    // Some clients renew with the xid that they began with.
    if (own?.xid === leases.xid(exchange)) return !(discovered > own.time);
    return !Number.isFinite(discovered) && leases.wanted(exchange) === 0;
  }
}

/** The finding, where DHCP alone tells of it. */
export function toldByDhcp(twice: LeasedTwice): Diagnosis {
  const { key, segment, capture, ip, earlier, later, isKept } = twice;
  return {
    key,
    segment,
    capture,
    confidence: areBoth(twice) ? 'likely' : 'hint',
    count: 1,
    first: earlier.time,
    last: later.time,
    title: `${ip} is leased to two hosts: ${earlier.mac} and ${later.mac}`,
    summary: isKept
      ? `DHCP acknowledges ${ip} to ${earlier.mac}, and while that lease lasts to ${later.mac}, which asks to keep it: both have the address.`
      : `DHCP gives ${ip} to ${earlier.mac}, and while that lease lasts to ${later.mac}, which sends the same client identifier.`,
    subject: { ip, mac: earlier.mac, rival: later.mac },
    evidence: inOrder([...earlier.evidence], [...later.evidence]),
    cause: causeOf(twice),
    remedy: remediesOf(twice),
    caveats: applying([
      !isKept && 'one machine whose MAC changed, or whose network card was replaced, looks alike',
      !isOneRange(earlier, later) &&
        'captures of two networks with the same addresses, merged into one file, look alike',
    ]),
    wouldRaise: [
      ...(isKept ? [] : [`a renewal by ${earlier.mac}: it then has the address still`]),
      `a capture on the link of the clients: do both answer ARP for ${ip}?`,
    ],
  };
}

/** Whether two hosts have the address, as far as DHCP can show it. */
export function areBoth({ isKept, earlier, later }: LeasedTwice): boolean {
  return isKept && isOneRange(earlier, later);
}

/** Why DHCP gave it twice. */
export function causeOf({ earlier, later }: LeasedTwice): string {
  if (isOneIdentifier(earlier, later))
    return (
      'Both send the same client identifier (option 61), so the server takes them for one client. Machines that were cloned have it ' +
      'alike: it is made from /etc/machine-id (systemd-networkd, NetworkManager) or a stored DUID (dhcpcd, dhclient).'
    );
  if (earlier.server !== 0 && later.server !== 0 && earlier.server !== later.server)
    return `Two DHCP servers, ${formatIpv4(earlier.server)} and ${formatIpv4(later.server)}, give from one range and know nothing of each other's leases.`;
  return 'The DHCP server forgot a lease: it lost its file of leases, was restored, or a second one gives from the same range.';
}

/** What to do about it. */
export function remediesOf({ earlier, later }: LeasedTwice): Remedy[] {
  if (isOneIdentifier(earlier, later))
    return [
      {
        text: `On one of the two (${earlier.mac} or ${later.mac}): make it a machine of its own, and restart it`,
        commands: ['rm /etc/machine-id /var/lib/dbus/machine-id', 'systemd-machine-id-setup', 'reboot'],
      },
      {
        text: 'Or let clients be known by their MAC',
        commands: [
          "printf '[DHCPv4]\\nClientIdentifier=mac\\n' # in the .network file of systemd-networkd",
          'nmcli connection modify <connection> ipv4.dhcp-client-id mac',
        ],
      },
    ];
  return [
    {
      text: 'See which servers answer, and what each knows of its leases',
      commands: [
        "tcpdump -envi any 'udp src port 67'",
        'cat /var/lib/misc/dnsmasq.leases /var/lib/dhcp/dhcpd.leases /var/lib/kea/kea-leases4.csv',
      ],
    },
    { text: 'Keep the leases where a restart leaves them, and ranges of servers apart', commands: [] },
  ];
}

/** Whether both are of one network for sure: nothing but chance gives two networks such leases. */
function isOneRange(one: Lease, other: Lease): boolean {
  return isOneIdentifier(one, other) || (one.server !== 0 && one.server === other.server);
}

function isOneIdentifier(one: Lease, other: Lease): boolean {
  return one.identifier !== 0 && one.identifier === other.identifier;
}
