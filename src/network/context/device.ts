import type { Ip, Mac } from './address.js';
import type { Firewall } from './firewall.js';
import type { PolicyRule } from './policy.js';

/** An address of a device, with the length of the prefix that is on its link. */
export interface DeviceAddress extends Ip {
  readonly prefixLength: number;
  /** IPv6: duplicate address detection gave it up (`dadfailed`), so that it is not used. */
  readonly dadFailed?: boolean;
}

/** What `ip -d link` says about a VXLAN device (kernel: drivers/net/vxlan). */
export interface Vxlan {
  readonly id: number;
  /** UDP destination port, null where it was not told. */
  readonly port: number | null;
  readonly local: Ip | null;
  /** Unicast address of the default destination. */
  readonly remote: Ip | null;
  /** Multicast address of the default destination. */
  readonly group: Ip | null;
  readonly learning: boolean | null;
  /** Answers ARP itself for the neighbours it was told, and sends no other question on (`proxy`). */
  readonly proxy: boolean;
  /** Takes the extensions for group based policy, and the generic protocol extension. */
  readonly gbp: boolean;
  readonly gpe: boolean;
  /** Name of the device in the same namespace that carries the outer frames; null for a device that was moved to another namespace. */
  readonly link: string | null;
}

/** A row of a VXLAN device's forwarding table (`bridge fdb`): frames for this MAC go to this endpoint. */
export interface VxlanEntry {
  /** As `macKey`; 0 is the flood list: broadcasts, and unicast to MACs without an entry. */
  readonly mac: number;
  readonly dst: Ip;
  /** The device that packets there leave by, where the entry names one: it is deleted by that name only. */
  readonly via: string | null;
}

/** How a bridge port takes part in a VLAN (`bridge vlan`). */
export interface PortVlan {
  /** Untagged frames that come in belong to this VLAN. */
  readonly pvid: boolean;
  /** Frames of this VLAN leave without its tag. */
  readonly untagged: boolean;
}

/** Frames and bytes that passed a device since it was made (`ip -s link`). */
export interface Counters {
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
}

export interface Vlan {
  readonly id: number;
  /** '802.1Q' or '802.1ad'. */
  readonly protocol: string | null;
}

/**
 * How the parent of a device, or the peer of a veth, was found:
 * - `name`: in the same namespace, by name or index
 * - `mac`: the only device with that index that has the hardware address which the kernel makes them share
 *   (ipvlan, macvlan passthru)
 * - `fdb`: the only device with that index that has the child's address in its filter, or that learned the peer's
 * - `counters`: the only device with that index that received what this one sent, to the byte, and sent what it received
 * - `netns`: the device with that index in the namespace that `link_netnsid` stands for, as the host says or another device
 *   with the same number shows
 * - `pair`: the only two devices in the file that name each other's index (veth), where there are no counters to compare
 */
export type Found = 'name' | 'mac' | 'fdb' | 'counters' | 'netns' | 'pair';

/** The far end of a link: the parent of a macvlan, ipvlan or VLAN device, the peer of a veth. */
export interface Link {
  /** Interface index in its own namespace. */
  readonly index: number | null;
  /** Name, where it is in the same namespace. */
  readonly name: string | null;
  /** The other namespace's number in this one; null where it is the same. */
  readonly netnsid: number | null;
  /** The device, null where the file leaves more than one or none. */
  readonly device: Device | null;
  readonly found: Found | null;
  /** Every device that it can be by the numbers in the file, `device` alone where that is known. */
  readonly candidates: readonly Device[];
}

/** A network device as one namespace of the host context shows it. All text is raw: escape it before printing. */
export interface Device {
  readonly namespace: string;
  readonly name: string;
  readonly index: number;
  /** Null for devices without a 48-bit address. */
  readonly mac: Mac | null;
  readonly loopback: boolean;
  /** `info_kind`: 'macvlan', 'macvtap', 'ipvlan', 'vxlan', 'vlan', 'bridge', 'veth', 'bond', 'tun', …; null: a real one. */
  readonly kind: string | null;
  /** macvlan and macvtap: vepa, bridge, private, passthru, source. ipvlan: l2, l3, l3s. */
  readonly mode: string | null;
  /** ipvlan. */
  readonly flag: 'bridge' | 'private' | 'vepa' | null;
  /** Set up by the administrator (IFF_UP). */
  readonly up: boolean;
  /** As the kernel names it: 'UP', 'DOWN', 'LOWERLAYERDOWN', 'UNKNOWN', … */
  readonly operstate: string | null;
  /** Up without a carrier. */
  readonly noCarrier: boolean;
  readonly mtu: number | null;
  readonly counters: Counters | null;
  readonly addresses: readonly DeviceAddress[];
  /** What the device leans on or is wired to, null where it is to nothing. */
  readonly link: Link | null;
  /** Device that this one sends through: `link.device` where the link is to a parent. */
  readonly parent: Device | null;
  /** The other end of a veth. */
  readonly peer: Device | null;
  /** Bridge, bond, VRF … that the device is enslaved to. */
  readonly master: Device | null;
  /** What the master is: 'bridge', 'bond', 'vrf', … */
  readonly masterKind: string | null;
  /** Bridge port: whether frames may leave by the port they came from. Null where unknown or no port. */
  readonly hairpin: boolean | null;
  /** Bridge port: no frames to and from other isolated ports, nor back to itself. */
  readonly isolated: boolean | null;
  /** Bridge port: 'forwarding', 'blocking', … */
  readonly state: string | null;
  /** Bridge port: whether it gets multicast for groups that nobody reported (`mcast_flood`). Null where unknown or no port. */
  readonly multicastFlood: boolean | null;
  /** Bridge port: whether it gets broadcasts (`bcast_flood`), and unicast to MACs that the bridge did not learn (`flood`). As above. */
  readonly broadcastFlood: boolean | null;
  readonly flood: boolean | null;
  /** Bridge port: whether the bridge answers ARP and neighbor discovery itself for who is there, and passes no questions on (`neigh_suppress`). As above. */
  readonly neighSuppress: boolean | null;
  /** Bridge port: whether the bridge learns who is there, and takes frames only from those it has an entry for (`locked`). As above. */
  readonly learning: boolean | null;
  readonly locked: boolean | null;
  /** Bridge: whether it passes multicast on only where a report for the group was heard (`mcast_snooping`). As above. */
  readonly multicastSnooping: boolean | null;
  /** Bridge: whether it asks for group members itself (`mcast_querier`). As above. */
  readonly multicastQuerier: boolean | null;
  /** Bridge: whether it keeps VLANs apart (`vlan_filtering`). Null where unknown or no bridge. */
  readonly vlanFiltering: boolean | null;
  /** Bridge: the tag that it keeps VLANs apart by, `802.1Q` or `802.1ad`; what another one marks is data to it. As above. */
  readonly vlanProtocol: string | null;
  /** Bridge port: the VLANs it carries, by id. Null where the file does not say. */
  readonly portVlans: ReadonlyMap<number, PortVlan> | null;
  /** A tunnel device whose packets each bring their key and endpoints: those of Open vSwitch, of Cilium, of routes with `encap`. */
  readonly external: boolean;
  /** Null for one that is `external`, too. */
  readonly vxlan: Vxlan | null;
  /** VXLAN: where frames go. Null where the file does not say. */
  readonly endpoints: readonly VxlanEntry[] | null;
  readonly vlan: Vlan | null;
  /** Unicast hardware addresses in the receive filter (`bridge fdb`: self, permanent), as `macKey`s: children's, mostly. */
  readonly filter: ReadonlySet<number>;
  /** Hardware addresses that the bridge learned on this port, as `macKey`s. */
  readonly learned: ReadonlySet<number>;
  /** VLANs in which a filtering bridge learned them, by `macKey`; the last one named. */
  readonly learnedVlans: ReadonlyMap<number, number>;
}

const MACVLAN: readonly (string | null)[] = ['macvlan', 'macvtap'];
const IPVLAN: readonly (string | null)[] = ['ipvlan', 'ipvtap'];
const PAIR: readonly (string | null)[] = ['veth', 'netkit'];

/** A child that shares the link of its parent: macvlan, ipvlan and their taps. */
export function isStacked({ kind }: Device): boolean {
  return MACVLAN.includes(kind) || IPVLAN.includes(kind);
}

/** One of two ends of a virtual cable. */
export function isPair({ kind }: Device): boolean {
  return PAIR.includes(kind);
}

/** The kernel keeps the address of an ipvlan or macvlan passthru device equal to its parent's. */
export function sharesMac({ kind, mode }: Device): boolean {
  return IPVLAN.includes(kind) || (MACVLAN.includes(kind) && mode === 'passthru');
}

/** ipvlan in mode l3 or l3s: its host routes for it, and what stands in its neighbour table decides nothing. */
export function doesNoArp({ kind, mode }: Device): boolean {
  return IPVLAN.includes(kind) && (mode === 'l3' || mode === 'l3s');
}

/** Whether it has no addresses but those that IPv6 gives every device: then its IP, if any, is somebody else's, as with a guest's tap. */
export function isWithoutAddress({ addresses }: Device): boolean {
  return addresses.every(({ family, words }) => family === 6 && words[0] >>> 22 === 0xfe80 >>> 6);
}

/** A device while it is being put together. */
export type Draft = { -readonly [K in keyof Device]: Device[K] };

/** A row of `ip route`. */
export interface Route {
  readonly family: 4 | 6;
  /** 'default', or an address with or without prefix length. */
  readonly dst: string;
  readonly gateway: Ip | null;
  readonly dev: string | null;
  readonly prefsrc: Ip | null;
  /** The gateway counts as on the link, whatever the addresses say (`onlink`). */
  readonly onLink: boolean;
  /** 'unicast' where the file does not say. */
  readonly type: string;
  /** Of routes to the same addresses the kernel takes the one with the least. */
  readonly metric: number;
  /** IPv6: of routes with the same metric the kernel takes the most preferred (RFC 4191); 1 high, 0 medium, -1 low. */
  readonly preference: number;
}

/** A row of `ip neigh`. */
export interface Neighbour {
  readonly dst: Ip;
  readonly dev: string | null;
  readonly lladdr: Mac | null;
  /** 'REACHABLE', 'FAILED', 'INCOMPLETE', 'PERMANENT', … */
  readonly state: readonly string[];
}

export interface Namespace {
  readonly name: string;
  readonly devices: ReadonlyMap<string, Device>;
  readonly byIndex: ReadonlyMap<number, Device>;
  readonly routes: readonly Route[];
  /** Other routing tables than the main and the local one, by name or number; empty where the file has none. */
  readonly tables: ReadonlyMap<string, readonly Route[]>;
  /** Families whose other tables the file has. */
  readonly tableFamilies: readonly (4 | 6)[];
  /** What decides by which table a packet is routed, first what comes first; empty where the file does not tell. */
  readonly rules: readonly PolicyRule[];
  /** Address families whose main routing table the file has. */
  readonly routeFamilies: readonly (4 | 6)[];
  readonly neighbours: readonly Neighbour[];
  readonly sysctl: ReadonlyMap<string, string>;
  /**
   * The namespaces that numbers in `link_netnsid` stand for here (`ip netns list-id`): null is one that is not in the file, a
   * number that is not there is not known.
   */
  readonly ids: ReadonlyMap<number, string | null>;
  /** Null where the file does not say. */
  readonly firewall: Firewall | null;
}
