import { packet } from './icmp.js';
import { ipv4 } from './tunnel.js';
import { type Capture, ip, u16, type Way } from './wire.js';

export interface Advert {
  priority?: number;
  version?: 2 | 3;
  id?: number;
  seconds?: number;
  address?: string;
  ttl?: number;
  /** Of version 2: up to 8 characters. */
  password?: string;
  way?: Way;
}

/** A VRRP advertisement of the router at `source` (RFC 5798 section 5.1). */
export function advert(capture: Capture, source: string, advert: Advert = {}): Capture {
  const {
    priority = 100,
    version = 2,
    id = 51,
    seconds = 1,
    address = '10.0.0.100',
    ttl = 255,
    password,
    way,
  } = advert;
  const times = version === 2 ? [password === undefined ? 0 : 1, seconds] : u16(seconds * 100);
  const data = password === undefined ? [] : [...Buffer.alloc(8).fill(password, 0, password.length)];
  const bytes = ipv4(source, '224.0.0.18', 112, [
    (version << 4) | 1,
    id,
    priority,
    1,
    ...times,
    0,
    0,
    ...ip(address),
    ...data,
  ]);
  bytes[8] = ttl;
  const from = { mac: `02:00:00:00:00:${ip(source)[3]}`, ip: source };
  return packet(capture, from, { mac: '01:00:5e:00:00:12', ip: '224.0.0.18' }, bytes, way);
}
