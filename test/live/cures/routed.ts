import { type Lab, sleep } from '../lab.js';
import { succeeds } from './harness.js';

/** Lets namespaces use IPv6, with addresses that are good at once. Before their devices are made. */
export function ipv6(lab: Lab, ...names: string[]): void {
  for (const name of names)
    lab.exec(
      name,
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.disable_ipv6=0',
      'net.ipv6.conf.default.disable_ipv6=0',
      'net.ipv6.conf.default.accept_dad=0',
    );
}

export function set(lab: Lab, namespace: string, ...settings: string[]): void {
  lab.exec(namespace, 'sysctl', '-qw', ...settings);
}

/** Rules of nftables, as `nft` takes them, each a line. */
export function nft(lab: Lab, namespace: string, ...lines: string[]): void {
  lab.exec(namespace, 'nft', lines.join('; '));
}

/** Hosts a (10.1.0.2) and b (10.2.0.2, or another address) behind a router r, which is .1 on both links and their default route. */
export function routed(lab: Lab, far = '10.2.0'): void {
  lab.namespaces('a', 'r', 'b').cable('a', 'eth0', 'r', 'ra').cable('b', 'eth0', 'r', 'rb');
  lab.address('a', 'eth0', '10.1.0.2/24').address('r', 'ra', '10.1.0.1/24');
  lab.address('b', 'eth0', `${far}.2/24`).address('r', 'rb', `${far}.1/24`);
  lab.ip('a', 'route add default via 10.1.0.1').ip('b', `route add default via ${far}.1`);
  set(lab, 'r', 'net.ipv4.ip_forward=1');
}

/** The same with fd01::2, fd02::2 and ::1. */
export function routed6(lab: Lab): void {
  lab.namespaces('a', 'r', 'b');
  ipv6(lab, 'a', 'r', 'b');
  lab.cable('a', 'eth0', 'r', 'ra').cable('b', 'eth0', 'r', 'rb');
  lab.address('a', 'eth0', 'fd01::2/64').address('r', 'ra', 'fd01::1/64');
  lab.address('b', 'eth0', 'fd02::2/64').address('r', 'rb', 'fd02::1/64');
  lab.ip('a', 'route add default via fd01::1').ip('b', 'route add default via fd02::1');
  set(lab, 'r', 'net.ipv6.conf.all.forwarding=1');
}

/** Hosts on one switch `sw`, 10.1.0.2 (fd01::2) and up, each by its eth0. */
export function lan(lab: Lab, ...names: string[]): void {
  lab.namespaces('sw', ...names).bridge('sw', 'br0');
  names.forEach((name, i) => {
    lab.cable(name, 'eth0', 'sw', `p-${name}`).ip('sw', `link set p-${name} master br0`);
    lab.address(name, 'eth0', `10.1.0.${i + 2}/24`);
  });
}

export function lan6(lab: Lab, ...names: string[]): void {
  lab
    .namespaces('sw', ...names)
    .bridge('sw', 'br0')
    .ip('sw', 'link set br0 type bridge mcast_snooping 0');
  ipv6(lab, ...names);
  names.forEach((name, i) => {
    lab.cable(name, 'eth0', 'sw', `p-${name}`).ip('sw', `link set p-${name} master br0`);
    lab.address(name, 'eth0', `fd01::${i + 2}/64`);
  });
}

/** Sends 100 kB by TCP to a host and gets it acknowledged by the program there, within some seconds. */
export function uploads(from: string, to: string, address: string): (lab: Lab) => Promise<boolean> {
  const server = `let n = 0; require('node:net').createServer((s) => s.on('error', () => {}).on('data', (d) => {
    n += d.length; if (n >= 1e5) s.end('x', () => process.exit()); })).listen(9000)`;
  // Reset in the end: what is not acknowledged would be sent on and on.
  const client = `const s = require('node:net').connect(9000, '${address}', () => s.write(Buffer.alloc(1e5)));
    s.on('data', () => process.exit()).on('error', () => process.exit(1));
    setTimeout(() => { s.resetAndDestroy(); setTimeout(() => process.exit(1), 100); }, 4500)`;
  return async (lab) => {
    const serving = succeeds(lab, to, 'timeout', '7', process.execPath, '-e', server);
    await sleep(1000);
    const works = await succeeds(lab, from, 'timeout', '6', process.execPath, '-e', client);
    await serving;
    return works;
  };
}
