import { FAR, HOST, type Host, packet } from './icmp.js';
import { ipv4 } from './tunnel.js';
import { type Capture, u16, type Way } from './wire.js';

export interface Echo {
  sequence?: number;
  id?: number;
  reply?: boolean;
  ttl?: number | undefined;
  way?: Way | undefined;
}

/** An ICMP message in a packet of its own. */
export function icmp(
  capture: Capture,
  from: Host,
  to: Host,
  bytes: readonly number[],
  { ttl = 64, id = 1, way }: { ttl?: number | undefined; id?: number; way?: Way | undefined } = {},
): Capture {
  const whole = ipv4(from.ip, to.ip, 1, bytes, { id });
  whole[8] = ttl;
  return packet(capture, from, to, whole, ...(way ? [way] : []));
}

/** One echo request or reply, with its sequence number. */
export function echo(capture: Capture, from: Host, to: Host, options: Echo = {}): Capture {
  const { sequence = 1, id = 7, reply = false, ttl, way } = options;
  const bytes = [reply ? 0 : 8, 0, 0, 0, ...u16(id), ...u16(sequence), ...new Array(56).fill(0)];
  return icmp(capture, from, to, bytes, { ttl, id: sequence, way });
}

/** Requests 1 to `times`, a second apart from the present time on; those that `answered` names are replied to. */
export function ping(
  capture: Capture,
  times: number,
  {
    from = HOST,
    to = FAR,
    at = 0,
    answered = () => false,
    ...echoes
  }: { from?: Host; to?: Host; at?: number; answered?: (sequence: number) => boolean } & Echo = {},
): Capture {
  for (let sequence = 1; sequence <= times; sequence++) {
    echo(capture.at(at + sequence), from, to, { ...echoes, sequence });
    if (answered(sequence)) echo(capture.at(at + sequence + 0.01), to, from, { ...echoes, sequence, reply: true });
  }
  return capture;
}

/** An ICMP error of a router about a packet of `protocol` from `from` to `to`, to `from`. */
export function error(
  capture: Capture,
  reporter: Host,
  from: Host,
  to: Host,
  {
    type,
    code,
    word = [0, 0, 0, 0],
    protocol = 1,
    payload = [8, 0, 0, 0, 0, 7, 0, 1],
    ttl,
    way,
  }: {
    type: number;
    code: number;
    word?: readonly number[];
    protocol?: number;
    payload?: readonly number[];
    ttl?: number | undefined;
    way?: Way | undefined;
  },
): Capture {
  return icmp(capture, reporter, from, [type, code, 0, 0, ...word, ...ipv4(from.ip, to.ip, protocol, payload)], {
    ttl,
    way,
  });
}
