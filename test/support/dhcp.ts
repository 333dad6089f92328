import { ipv4 } from './tunnel.js';
import { type Capture, ip, mac, u16, type Way } from './wire.js';

export const CLIENT = '02:00:00:00:00:01';
export const SERVER = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
export const RIVAL = { mac: '02:00:00:00:00:03', ip: '10.0.0.3' };
const TYPES = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7 } as const;

/** A DHCP message; those of a server come from `server`, the others name it in option 54 if it is given. */
export function dhcp(
  capture: Capture,
  type: keyof typeof TYPES,
  {
    client = CLIENT,
    xid = 1,
    flags = 0,
    secs = 0,
    server,
    router,
    mask,
    classless,
    address = '10.0.0.9',
    held,
    to,
    relay,
    options = [],
    checksum = [0, 0],
    way,
  }: {
    client?: string;
    xid?: number;
    /** 0x8000 asks for answers by broadcast. */
    flags?: number;
    /** How long the client has been asking, as it says. */
    secs?: number;
    server?: { mac: string; ip: string };
    router?: string;
    mask?: string;
    /** Value of option 121. */
    classless?: readonly number[];
    address?: string;
    /** The client has this address (ciaddr), and sends from it. */
    held?: string;
    /** Server that a client writes to by unicast. */
    to?: { mac: string; ip: string };
    /** Between client and server: messages go from and to it, and giaddr is its address. */
    relay?: { mac: string; ip: string } | undefined;
    /** Further options, as bytes. */
    options?: readonly number[];
    /** Of UDP; 0 is none. */
    checksum?: readonly number[];
    way?: Way;
  } = {},
): Capture {
  const fromServer = type === 'offer' || type === 'ack' || type === 'nak';
  const zero = (count: number) => new Array<number>(count).fill(0);
  const message = [
    ...[fromServer ? 2 : 1, 1, 6, 0, 0, 0, ...u16(xid), ...u16(secs), ...u16(flags)],
    ...(held ? ip(held) : zero(4)),
    ...(fromServer && type !== 'nak' ? ip(address) : zero(4)),
    ...zero(4),
    ...(relay ? ip(relay.ip) : zero(4)),
    ...mac(client),
    ...zero(10 + 192),
    ...[0x63, 0x82, 0x53, 0x63, 53, 1, TYPES[type]],
    ...(server ? [54, 4, ...ip(server.ip)] : []),
    ...(mask ? [1, 4, ...ip(mask)] : []),
    ...(router ? [3, 4, ...ip(router)] : []),
    ...(classless ? [121, classless.length, ...classless] : []),
    ...((type === 'request' && !held) || type === 'decline' ? [50, 4, ...ip(address)] : []),
    ...options,
    255,
  ];
  if (relay) {
    const udp = [0, 67, 0, 67, ...u16(message.length + 8), ...checksum, ...message];
    const [from, to] = fromServer ? [server ?? SERVER, relay] : [relay, server ?? SERVER];
    return capture.raw([...mac(to.mac), ...mac(from.mac), 8, 0, ...ipv4(from.ip, to.ip, 17, udp)], way);
  }
  const ports = fromServer ? [0, 67, 0, 68] : [0, 68, 0, 67];
  const udp = [...ports, ...u16(message.length + 8), ...checksum, ...message];
  const [source, target] =
    fromServer && server ? [server, client] : [{ mac: client, ip: held ?? '0.0.0.0' }, to?.mac ?? 'ff:ff:ff:ff:ff:ff'];
  const packet = ipv4(source.ip, fromServer && type !== 'nak' ? address : (to?.ip ?? '255.255.255.255'), 17, udp);
  return capture.raw([...mac(target), ...mac(source.mac), 8, 0, ...packet], way);
}

/** Discovers `times` times, `pause` seconds apart from 0 on. */
export function discovers(capture: Capture, times: number, pause = 4, more: Parameters<typeof dhcp>[2] = {}): Capture {
  for (let i = 0; i < times; i++) dhcp(capture.at(i * pause), 'discover', more);
  return capture;
}
