import { Direction } from '../../wire/frame.js';
import { macBytes, u16, u32 } from './bytes.js';
import { arpPayload, ipPayload, madeUpMac, type Payload, usualDestination } from './payload.js';

export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_SLL2 = 276;

/** What a line of tcpdump says of its packet. */
export interface TcpdumpLine {
  /** Seconds since 1970, or since midnight, or (isDelta) since the packet before; null where the line has none. */
  readonly seconds: number | null;
  readonly nanoseconds: number;
  readonly isDelta: boolean;
  readonly device: string | null;
  readonly direction: Direction;
  readonly linkType: number;
  /** Of the link header, as far as the line tells it. */
  readonly linkHeader: readonly number[];
  readonly payload: Payload | null;
  /** Length on the wire as the line tells it, 0 where it does not. */
  readonly wireLength: number;
  /** MACs were not in the text. */
  readonly madeUp: boolean;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d) (?=\d\d:)/;
const CLOCK = /^\s*(\d\d):(\d\d):(\d\d)\.(\d{6,9}) /;
const EPOCH = /^\s*(\d{9,10})\.(\d{6,9}) /;
const DEVICE = /^(?:([\w.@:-]{1,15})\s+)?(In|Out|B|M|P)\s+(?=ifindex|ARP|IP6?\b|ethertype)/;
const MAC = '(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}';
const LINK = new RegExp(`^(${MAC})(?: \\([^)]*\\))? > (${MAC}|Broadcast|[\\w-]+)(?: \\([^)]*\\))?, (.*)$`, 'i');
const COOKED = new RegExp(`^ifindex (\\d+) (?:(${MAC}) (?:\\([^)]*\\) )?)?(.*)$`, 'i');
const WHOLE_MAC = new RegExp(`^${MAC}$`, 'i');
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const SOME_GROUP = '01:00:5e:00:00:01';
const PACKET_TYPES: Readonly<Record<string, number>> = { In: 0, B: 1, M: 2, P: 3, Out: 4 };

/** A line of tcpdump's text, null if it is something else. Quoting (`> `) and code marks in front are passed over. */
export function tcpdumpLine(text: string): TcpdumpLine | null {
  const unquoted = text.replace(/^(?:\s*[>|`]+\s?)+/, '').slice(0, 4000);
  const { seconds, nanoseconds, isDelta, rest } = timeOf(unquoted);
  const device = DEVICE.exec(rest);
  const words = device === null ? rest : rest.slice(device[0].length);
  const packet = device === null ? ethernetOf(words) : cookedOf(words, device[2]);
  if (packet === null) return null;
  const direction = directionOf(device?.[2] ?? null);
  return { seconds, nanoseconds, isDelta, device: device?.[1] ?? null, direction, ...packet };
}

/** By tcpdump's word for the packet type of a cooked header: of five, one is sent. */
function directionOf(type: string | null): Direction {
  if (type === null) return Direction.Unknown;
  return type === 'Out' ? Direction.Out : Direction.In;
}

function timeOf(line: string): { seconds: number | null; nanoseconds: number; isDelta: boolean; rest: string } {
  const date = DATE.exec(line);
  const behindDate = date === null ? line : line.slice(date[0].length);
  const clock = CLOCK.exec(behindDate);
  const fraction = (digits: string) => Number(digits.padEnd(9, '0'));
  if (clock !== null) {
    const [all, hours, minutes, secs, digits] = clock;
    const day = date === null ? 0 : Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3])) / 1000;
    const seconds = day + Number(hours) * 3600 + Number(minutes) * 60 + Number(secs);
    // -ttt puts a space in front of the time since the packet before.
    const isDelta = date === null && /^\s/.test(line) && hours === '00' && minutes === '00';
    return { seconds, nanoseconds: fraction(digits), isDelta, rest: behindDate.slice(all.length) };
  }
  const epoch = EPOCH.exec(line);
  if (epoch !== null) {
    return {
      seconds: Number(epoch[1]),
      nanoseconds: fraction(epoch[2]),
      isDelta: false,
      rest: line.slice(epoch[0].length),
    };
  }
  return { seconds: null, nanoseconds: 0, isDelta: false, rest: line.trimStart() };
}

type Packet = Pick<TcpdumpLine, 'linkType' | 'linkHeader' | 'payload' | 'wireLength' | 'madeUp'>;

function ethernetOf(words: string): Packet | null {
  const link = LINK.exec(words);
  if (link === null) return withoutLink(words);
  const [, source, destination, rest] = link;
  const { tags, words: inner } = tagsOf(rest);
  const payload = payloadOf(inner, source);
  if (payload === null && !/ethertype|802\.3/.test(rest)) return null;
  return {
    linkType: LINKTYPE_ETHERNET,
    linkHeader: [...macBytes(destinationMac(destination)), ...macBytes(source), ...tags],
    payload,
    wireLength: Number(/\blength (\d+):/.exec(rest)?.[1] ?? 0),
    madeUp: false,
  };
}

/** tcpdump names what is broadcast, and some groups (`IPv4mcast_01`): which group it was does not matter. */
function destinationMac(word: string): string {
  if (/^broadcast$/i.test(word)) return BROADCAST;
  return WHOLE_MAC.test(word) ? word : SOME_GROUP;
}

/** Text of tcpdump without -e: `ARP, Request …`, `IP 10.0.0.1 > …`, and bare `who-has … tell …` with a length behind. */
function withoutLink(words: string): Packet | null {
  if (!/^(ARP, |IP6? |arp who-has |arp reply |(Request )?who-has )/.test(words)) return null;
  const payload = payloadOf(words, null);
  if (payload === null) return null;
  const sender = /tell (\d+(?:\.\d+){3})|(\d+(?:\.\d+){3}) (?:is-at|>)/.exec(words);
  const replying = new RegExp(`is-at (${MAC})`, 'i').exec(words)?.[1];
  const source = replying ?? madeUpMac(sender?.[1] ?? sender?.[2] ?? '0.0.0.0');
  return {
    linkType: LINKTYPE_ETHERNET,
    linkHeader: [...macBytes(usualDestination(words)), ...macBytes(source)],
    payload,
    wireLength: 0,
    madeUp: true,
  };
}

/** A line of a capture on all devices: Linux cooked v2. */
function cookedOf(words: string, type: string): Packet | null {
  const cooked = COOKED.exec(words);
  const [index, source, rest] = cooked === null ? ['0', undefined, words] : cooked.slice(1);
  const payload = payloadOf(rest, source ?? null);
  if (payload === null) return null;
  const address = source === undefined ? [0, 0, 0, 0, 0, 0] : macBytes(source);
  const head = [0, 0, ...u32(Number(index)), ...u16(1), PACKET_TYPES[type], 6, ...address, 0, 0];
  return {
    linkType: LINKTYPE_SLL2,
    linkHeader: [...u16(payload.etherType), ...head],
    payload,
    wireLength: Number(/\blength (\d+):/.exec(rest)?.[1] ?? 0),
    madeUp: source === undefined,
  };
}

/** VLAN tags in front of the payload's words: `ethertype 802.1Q (0x8100), length 46: vlan 100, p 0, ethertype ARP (0x0806), …` */
function tagsOf(rest: string): { tags: number[]; words: string } {
  const tags: number[] = [];
  let words = rest;
  for (let tag = nextTag(words); tag !== null && tags.length < 16; tag = nextTag(words)) {
    const tpid = tags.length === 0 && /802\.1Q-QinQ|0x88a8/.test(rest.split('vlan')[0]) ? 0x88a8 : 0x8100;
    tags.push(...u16(tpid), ...u16((Number(tag[2]) << 13) | (Number(tag[1]) & 0xfff)));
    words = words.slice(tag.index + tag[0].length);
  }
  return { tags, words };
}

function nextTag(words: string): RegExpExecArray | null {
  return /\bvlan (\d+), p (\d)(?:, DEI)?, /.exec(words);
}

function payloadOf(words: string, mac: string | null): Payload | null {
  return arpPayload(words, mac) ?? ipPayload(words);
}
