import { Direction } from '../../src/wire/frame.js';
import type { Shot, Shown } from './recorded.js';

/** LINKTYPE_ values. */
const EN10MB = 1;
const SLL = 113;
const SLL2 = 276;

/** sll_pkttype, from linux/if_packet.h. */
const HOST = 0;
const BROADCAST = 1;
const MULTICAST = 2;
const OTHER_HOST = 3;
const OUTGOING = 4;

const SHORTEST = 60;
const VLAN = 777;
const VNI = 7077;

function isAll(shown: Shown, linkType: number): boolean {
  return shown.shots.every((shot) => shot.linkType === linkType);
}

export function isEthernet(shown: Shown): boolean {
  return isAll(shown, EN10MB);
}

function isCooked(shown: Shown): boolean {
  return isAll(shown, SLL2);
}

/** Bytes in front of the frame's own, or others in their place; what was not captured stays so. */
function withHead(shot: Shot, head: readonly number[], skipped: number): Shot {
  const bytes = Uint8Array.from([...head, ...shot.bytes.subarray(skipped)]);
  return { ...shot, bytes, wireLength: shot.wireLength + head.length - skipped };
}

export function snapped(shot: Shot, length: number): Shot {
  return { ...shot, bytes: shot.bytes.slice(0, length) };
}

/** One VLAN tag more, outside. */
export function tagged(shot: Shot): Shot {
  const { bytes, linkType } = shot;
  const tci = [VLAN >> 8, VLAN & 255];
  if (linkType === EN10MB) return withHead(shot, [...bytes.subarray(0, 12), 0x81, 0, ...tci], 12);
  if (linkType === SLL2)
    return withHead(shot, [0x81, 0, ...bytes.subarray(2, 20), ...tci, ...bytes.subarray(0, 2)], 20);
  return withHead(shot, [...bytes.subarray(0, 14), 0x81, 0, ...tci, ...bytes.subarray(14, 16)], 16);
}

/** Frames filled up to the least length of Ethernet, as a switch hands them over. */
export function padded(shot: Shot): Shot {
  if (shot.wireLength >= SHORTEST || shot.bytes.length < shot.wireLength) return shot;
  const bytes = new Uint8Array(SHORTEST);
  bytes.set(shot.bytes);
  return { ...shot, bytes, wireLength: SHORTEST };
}

/** The tunnel's ends as outer MAC and IPv4 addresses; their own network, which is fine. */
const ENDS = [
  { mac: [0x00, 0x16, 0x3e, 0x77, 0x00, 0x01], ip: [192, 0, 2, 1] },
  { mac: [0x00, 0x16, 0x3e, 0x77, 0x00, 0x02], ip: [192, 0, 2, 2] },
] as const;

/** In a VXLAN packet from one end of a tunnel to the other. */
export function tunnelled(shot: Shot, from: 0 | 1, number: number): Shot {
  const source = ENDS[from];
  const destination = ENDS[1 - from];
  const udp = 8 + 8 + shot.wireLength;
  const ip = [
    0x45,
    0,
    ...u16(20 + udp),
    ...u16(number & 0xffff),
    0x40,
    0,
    64,
    17,
    0,
    0,
    ...source.ip,
    ...destination.ip,
  ];
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (ip[i] << 8) | ip[i + 1];
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = (~sum >> 8) & 255;
  ip[11] = ~sum & 255;
  const port = 49152 + ((shot.bytes[5] * 31 + shot.bytes[11]) & 0x3fff);
  const vxlan = [8, 0, 0, 0, (VNI >> 16) & 255, ...u16(VNI & 0xffff), 0];
  return withHead(
    shot,
    [...destination.mac, ...source.mac, 8, 0, ...ip, ...u16(port), ...u16(4789), ...u16(udp), 0, 0, ...vxlan],
    0,
  );
}

function u16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

interface LinkJson {
  ifname: string;
  ifindex: number;
  address?: string;
  link_index?: number;
  link?: string;
  master?: string;
  linkinfo?: { info_kind?: string };
}

/** Devices that send by another one, with MACs of their own. */
const STACKED = /macv|ipv/;

/** Links of all namespaces of the host context, and the device at which the capture was taken. */
function linksOf({ context, vantage }: Shown): { links: LinkJson[]; device: LinkJson | null } {
  const spaces =
    (context as { namespaces?: Record<string, Record<string, LinkJson[] | null>> } | null)?.namespaces ?? {};
  const here = vantage && spaces[vantage.namespace]?.['ip -d -j link'];
  return {
    links: Object.values(spaces).flatMap((space) => space['ip -d -j link'] ?? []),
    device: here?.find(({ ifname }) => ifname === vantage?.interface) ?? null,
  };
}

/**
 * Which way frames went that do not say so themselves: at the end of a link that has no other devices on it, the device's
 * own MAC leaves and others come in. Null where that cannot be told.
 */
function directed(shown: Shown): Shown | null {
  if (shown.shots.every(({ direction }) => direction !== Direction.Unknown)) return shown;
  const { links, device } = linksOf(shown);
  // Children of an ipvlan have one MAC.
  if (device?.address === undefined || device.master !== undefined || device.linkinfo?.info_kind === 'ipvlan')
    return null;
  const leans = ({ link, link_index, linkinfo }: LinkJson) =>
    STACKED.test(linkinfo?.info_kind ?? '') && (link === device.ifname || link_index === device.ifindex);
  if (links.some(leans)) return null;
  const own = device.address.replaceAll(':', '');
  const isOwn = ({ bytes }: Shot) => Buffer.from(bytes.subarray(6, 12)).toString('hex') === own;
  return {
    ...shown,
    shots: shown.shots.map((shot) => ({ ...shot, direction: isOwn(shot) ? Direction.Out : Direction.In })),
  };
}

/** As pcapng with directions would have kept it; null where the directions are not known. */
export function withDirections(shown: Shown): Shown | null {
  if (!isEthernet(shown) || shown.shots.some(({ direction }) => direction !== Direction.Unknown)) return null;
  return directed(shown);
}

/** As `tcpdump -i any` would have shown it; null where the directions are not known. */
export function cooked(shown: Shown, linkType: typeof SLL | typeof SLL2): Shown | null {
  const known = isEthernet(shown) ? directed(shown) : null;
  if (known === null) return null;
  const { device } = linksOf(known);
  const own = device?.address?.replaceAll(':', '') ?? null;
  return {
    ...known,
    interfaces: [{ ...known.interfaces[0], name: null, linkType }],
    vantage: known.vantage && { ...known.vantage, interface: 'any' },
    shots: known.shots.map((shot) => cookedShot(shot, linkType, own, device?.ifindex ?? 2)),
  };
}

/** Type of a frame that came in, by its destination and the capturing device's own address. */
function typeOfReceived(destination: string, own: string | null): number {
  if (destination === 'ffffffffffff') return BROADCAST;
  if ((Number.parseInt(destination.slice(0, 2), 16) & 1) !== 0) return MULTICAST;
  return own === null || own === destination ? HOST : OTHER_HOST;
}

function cookedShot(shot: Shot, linkType: number, own: string | null, index: number): Shot {
  const { bytes, direction } = shot;
  const destination = Buffer.from(bytes.subarray(0, 6)).toString('hex');
  const type = direction === Direction.Out ? OUTGOING : typeOfReceived(destination, own);
  const etherType = (bytes[12] << 8) | bytes[13];
  const protocol = etherType < 1536 ? [0, 4] : [...bytes.subarray(12, 14)];
  const address = [...bytes.subarray(6, 12), 0, 0];
  const head =
    linkType === SLL
      ? [...u16(type), 0, 1, 0, 6, ...address, ...protocol]
      : [...protocol, 0, 0, 0, 0, ...u16(index), 0, 1, type, 6, ...address];
  // The cooked header says which way it went, not the file.
  return { ...withHead(shot, head, 14), linkType, interface: 0, direction: Direction.Unknown };
}

/** SLL2 as SLL, which does not tell the devices apart. */
export function oldCooked(shown: Shown): Shown | null {
  if (!isCooked(shown)) return null;
  return {
    ...shown,
    interfaces: shown.interfaces.map((each) => ({ ...each, linkType: SLL })),
    shots: shown.shots.map((shot) => {
      const { bytes } = shot;
      const head = [
        0,
        bytes[10],
        ...bytes.subarray(8, 10),
        0,
        bytes[11],
        ...bytes.subarray(12, 20),
        ...bytes.subarray(0, 2),
      ];
      return { ...withHead(shot, head, 20), linkType: SLL };
    }),
  };
}
