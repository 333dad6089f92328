import type { Lab } from '../lab.js';

/** Hosts on one bridge, br0 in `sw`: `a` has 10.9.0.1 on eth0 and port p-a, `b` has 10.9.0.2, and so on. */
export function onSwitch(lab: Lab, ...hosts: string[]): Lab {
  lab.namespaces('sw', ...hosts).bridge('sw', 'br0');
  for (const [i, each] of hosts.entries()) plug(lab, each, 'sw').address(each, 'eth0', `10.9.0.${i + 1}/24`);
  return lab;
}

/** A cable from eth0 of a host to the port p-<host> of br0 in a switch. */
export function plug(lab: Lab, host: string, sw: string): Lab {
  return lab.cable(host, 'eth0', sw, `p-${host}`).ip(sw, `link set p-${host} master br0`);
}

/**
 * Endpoints `one`, `two`, … with 192.0.2.1, 192.0.2.2, … on eth0, on one bridge br0 in `net`. Each has a VXLAN device vx0 made
 * with what `settings` gives for it, with 10.9.0.1, 10.9.0.2, …
 */
export function endpoints(lab: Lab, ...settings: string[]): Lab {
  const names = ['one', 'two', 'three'].slice(0, settings.length);
  lab.namespaces('net', ...names).bridge('net', 'br0');
  for (const [i, each] of names.entries()) {
    plug(lab, each, 'net').address(each, 'eth0', `192.0.2.${i + 1}/24`);
    lab.ip(each, `link add vx0 type vxlan ${settings[i]} local 192.0.2.${i + 1} dev eth0`);
    lab.ip(each, `link set vx0 address 02:00:00:00:42:0${i + 1}`);
    lab.address(each, 'vx0', `10.9.0.${i + 1}/24`).ip(each, 'link set vx0 up');
  }
  return lab;
}
