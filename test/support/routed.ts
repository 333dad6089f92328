import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import { HOST, type Host, PEER } from './icmp.js';
import { ping } from './ping.js';
import { Capture, type Way } from './wire.js';

/** A machine with two devices: PEER is its eth0, and this its eth1. */
export const SECOND = { mac: '02:00:00:00:01:02', ip: '198.51.100.2' };
/** A host behind the router HOST. */
export const AWAY = { mac: HOST.mac, ip: '192.0.2.77' };

export interface Machine {
  routes?: readonly object[] | null;
  sysctl?: Readonly<Record<string, string>>;
  /** Devices besides, as `ip -d -j link` and `ip -j addr` say. */
  devices?: readonly object[];
}

export const ON_LINK = [
  { dst: '10.0.0.0/24', dev: 'eth0' },
  { dst: '198.51.100.0/24', dev: 'eth1' },
];

/** The host context of that machine, namespace `box`. */
export function machine(how: Machine = {}): HostContext {
  return parseContext({ namespaces: { box: machineFile(how) } });
}

/** What a file says of the namespace. */
export function machineFile({ routes = ON_LINK, sysctl = {}, devices = [] }: Machine = {}): object {
  const all = [device(2, 'eth0', PEER), device(3, 'eth1', SECOND), ...devices];
  return { 'ip -d -j link': all, 'ip -j addr': all, 'ip -j route': routes, sysctl };
}

function device(ifindex: number, ifname: string, { mac, ip }: Host): object {
  return { ifindex, ifname, flags: ['UP'], address: mac, addr_info: [{ local: ip, prefixlen: 24 }] };
}

/** Four pings, and time enough after them. */
export function pings(to: Host, { from = AWAY, way }: { from?: Host; way?: Way } = {}): Capture {
  return ping(new Capture(), 4, { from, to, way }).at(20).ask(HOST.mac, HOST.ip, '10.0.0.99', way);
}
