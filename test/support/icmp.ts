import { ipv4 } from './tunnel.js';
import { type Capture, mac, u16, type Way } from './wire.js';

/** Two hosts and the router between other networks. */
export const HOST = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
export const PEER = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
export const ROUTER = { mac: '02:00:00:00:00:fe', ip: '10.0.0.254' };
export const FAR = { mac: ROUTER.mac, ip: '192.0.2.9' };

export interface Host {
  mac: string;
  ip: string;
}

export function packet(capture: Capture, from: Host, to: Host, bytes: readonly number[], way?: Way): Capture {
  return capture.raw([...mac(to.mac), ...mac(from.mac), 8, 0, ...bytes], way);
}

/** An echo request, or the reply, in an IP packet of `size` bytes; with DF. */
export function echo(
  capture: Capture,
  from: Host,
  to: Host,
  { size, id = 7, reply = false, way }: { size: number; id?: number; reply?: boolean; way?: Way },
): Capture {
  const icmp = [reply ? 0 : 8, 0, 0, 0, ...u16(id), 0, 1, ...new Array(size - 28).fill(0)];
  return packet(capture, from, to, ipv4(from.ip, to.ip, 1, icmp, { fragment: 0x4000 }), way);
}

/** Pings `times` times a second apart from `at` on, with replies or without. */
export function ping(
  capture: Capture,
  from: Host,
  to: Host,
  more: { size: number; at: number; times: number; answered: boolean; id?: number; way?: Way },
): Capture {
  for (let i = 0; i < more.times; i++) {
    echo(capture.at(more.at + i), from, to, more);
    if (more.answered) echo(capture.at(more.at + i + 0.01), to, from, { ...more, reply: true });
  }
  return capture;
}

/** Fragmentation needed from a router: a packet of `size` bytes from `from` to `to` is too big. */
export function tooBig(
  capture: Capture,
  from: Host,
  to: Host,
  { size, mtu, way, reporter = ROUTER }: { size: number; mtu: number; way?: Way; reporter?: Host },
): Capture {
  const whole = ipv4(from.ip, to.ip, 1, new Array(size - 20).fill(0), { fragment: 0x4000 });
  const icmp = [3, 4, 0, 0, 0, 0, ...u16(mtu), ...whole.slice(0, 60)];
  return packet(capture, ROUTER, from, ipv4(reporter.ip, from.ip, 1, icmp), way);
}

/** One fragment of a datagram, `length` bytes at `offset`. */
export function fragment(
  capture: Capture,
  from: Host,
  to: Host,
  { id, offset, length, more, way }: { id: number; offset: number; length: number; more: boolean; way?: Way },
): Capture {
  const flags = (more ? 0x2000 : 0) | (offset / 8);
  return packet(capture, from, to, ipv4(from.ip, to.ip, 17, new Array(length).fill(1), { id, fragment: flags }), way);
}

/** who-has and is-at between two hosts. */
export function meet(capture: Capture, a: Host, b: Host): Capture {
  return capture.ask(a.mac, a.ip, b.ip).answer(b.mac, b.ip, a.mac, a.ip);
}
