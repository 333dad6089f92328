import type { Ipv6, Mac } from './packet.js';

/**
 * The made-up network: segment s has hosts 0 … n-1, host 0 is its router. Whoever has a number of `OUTSIDE` or
 * above is not on the segment: its packets carry the router's MAC address.
 */
export const ROUTER = 0;
export const OUTSIDE = 0x8000;

/** 52:54:SS:SS:HH:HH, in the range that QEMU gives its guests. */
export function macOf(segment: number, host: number): Mac {
  return { high: 0x5254, low: (((segment << 16) | (host >= OUTSIDE ? ROUTER : host)) + 1) >>> 0 };
}

/** 10.S.H.H on the segment, 198.18.H.H (RFC 2544's test range) outside. */
export function ipv4Of(segment: number, host: number): number {
  return host >= OUTSIDE ? 0xc6120000 + (host - OUTSIDE) + 1 : 0x0a000000 + ((segment & 0xff) << 16) + host + 1;
}

/** 2001:db8:S::H on the segment, 2001:db8:ffff::H outside. */
export function ipv6Of(segment: number, host: number): Ipv6 {
  return host >= OUTSIDE
    ? [0x20010db8, 0xffff0000, 0, host - OUTSIDE + 1]
    : [0x20010db8, (segment << 16) >>> 0, 0, host + 1];
}

/** ff02::1:ffXX:XXXX, RFC 4291 §2.7.1. */
export function solicitedNode(address: Ipv6): Ipv6 {
  return [0xff020000, 0, 1, (0xff000000 | (address[3] & 0xffffff)) >>> 0];
}

/** 33:33 and the last four bytes, RFC 2464 §7. */
export function multicastMac(address: Ipv6): Mac {
  return { high: 0x3333, low: address[3] };
}
