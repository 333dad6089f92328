import type { Lab } from '../lab.js';

/** A host on a switch, with two ipvlan children in namespaces of their own: 10.9.0.1, .101 and .102. */
export function ipvlans(lab: Lab, mode: string, flag = 'bridge'): Lab {
  lab.namespaces('sw', 'host', 'ns01', 'ns02').bridge('sw', 'br0').cable('host', 'ens34', 'sw', 'p-host');
  lab.ip('sw', 'link set p-host master br0').address('host', 'ens34', '10.9.0.1/24');
  for (const i of [1, 2]) {
    const [name, device] = [`ns0${i}`, `ipvlan${i}`];
    lab.ip('host', `link add link ens34 name ${device} netns ${lab.name(name)} type ipvlan mode ${mode} ${flag}`);
    lab.address(name, device, `10.9.0.10${i}/24`).ip(name, `link set ${device} up`);
  }
  return lab;
}

/** The switch is a host as well, 10.9.0.9. */
export function outside(lab: Lab): Lab {
  return lab.address('sw', 'br0', '10.9.0.9/24');
}

/** A switch that knows VLANs, `sw`, and hosts on it by their eth0. */
export function trunks(lab: Lab, ...names: string[]): Lab {
  lab.namespaces('sw', ...names).ip('sw', 'link add br0 type bridge stp_state 0 forward_delay 0 vlan_filtering 1');
  lab.ip('sw', 'link set br0 up');
  for (const name of names) lab.cable(name, 'eth0', 'sw', `p-${name}`).ip('sw', `link set p-${name} master br0`);
  return lab;
}

/** The VLANs of a port: `10`, or `10 pvid untagged`; the one that all ports have at first is taken away. */
export function carries(lab: Lab, port: string, ...vlans: string[]): void {
  lab.exec('sw', ...`bridge vlan del dev ${port} vid 1`.split(' '));
  for (const vlan of vlans) lab.exec('sw', ...`bridge vlan add dev ${port} vid ${vlan}`.split(' '));
}

/** A VLAN device, up. */
export function vlan(lab: Lab, host: string, id: number, address?: string, parent = 'eth0', proto = '802.1q'): void {
  const name = `${parent}.${id}`;
  lab
    .ip(host, `link add link ${parent} name ${name} type vlan proto ${proto} id ${id}`)
    .ip(host, `link set ${name} up`);
  if (address) lab.address(host, name, address);
}
