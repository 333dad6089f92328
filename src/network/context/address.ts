import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { formatMac, parseMac } from '../../wire/address.js';

/** A 48-bit hardware address as the two integers that frames are compared by. */
export interface Mac {
  /** First two bytes, 0 to 65535. */
  readonly hi: number;
  /** Last four bytes as signed int32. */
  readonly lo: number;
  /** Lower case, colons. */
  readonly text: string;
}

/** An IP address: one signed int32 word for IPv4, four for IPv6, most significant first. */
export interface Ip {
  readonly family: 4 | 6;
  readonly words: readonly number[];
  /** As the kernel's tools wrote it. */
  readonly text: string;
}

/** The address in `text`, null unless it is a MAC. */
export function readMac(text: string): Mac | null {
  const mac = parseMac(text);
  return mac && { ...mac, text: formatMac(mac.hi, mac.lo) };
}

/** One number per hardware address, exact below 2^53; `lo` signed or not. */
export function macKey(hi: number, lo: number): number {
  return hi * 2 ** 32 + (lo >>> 0);
}

/** The hardware address of a `macKey` as text. */
export function formatMacKey(key: number): string {
  return formatMac(Math.floor(key / 2 ** 32), (key % 2 ** 32) | 0);
}

/** The address in `text`, null unless it is dotted decimal or IPv6 without a zone. */
export function parseIp(text: string): Ip | null {
  const version = isIP(text);
  if (version === 0 || text.includes('%')) return null;
  const bytes = ipaddr.parse(text).toByteArray();
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 4) {
    words.push((bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3]);
  }
  return { family: version === 4 ? 4 : 6, words, text };
}

/** One key per IP address, for words as in {@link Ip}. */
export function ipKey(words: ArrayLike<number>): number | string {
  return words.length === 1 ? words[0] | 0 : `${words[0] | 0},${words[1] | 0},${words[2] | 0},${words[3] | 0}`;
}

/** Whether an address lies in the network of another, whose first `prefixLength` bits name it. */
export function isWithin(words: ArrayLike<number>, network: ArrayLike<number>, prefixLength: number): boolean {
  if (words.length !== network.length) return false;
  for (let word = 0, bits = prefixLength; word < words.length && bits > 0; word++, bits -= 32) {
    const mask = bits >= 32 ? -1 : -1 << (32 - bits);
    if (((words[word] ^ network[word]) & mask) !== 0) return false;
  }
  return true;
}

/** The MAC in what a command printed, null for anything else. */
export function macOf(value: unknown): Mac | null {
  return typeof value === 'string' ? readMac(value) : null;
}

/** The address in what a command printed, null for anything else. */
export function ipOf(value: unknown): Ip | null {
  return typeof value === 'string' ? parseIp(value) : null;
}
