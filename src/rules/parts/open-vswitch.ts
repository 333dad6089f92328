import type { Network } from '../../network/network.js';
import type { Remedy } from '../rule.js';
import { onHost } from './device-argument.js';

/** Whether the host context shows Open vSwitch on the machine that has an address: there tunnels are its ports, no devices of `ip link`. */
export function hasSwitch({ context, addresses }: Network, endpoint: number): boolean {
  if (!context) return false;
  const names = new Set(context.devicesByIp(addresses.words(endpoint)).map(({ namespace }) => namespace));
  return context.devices.some(({ kind, namespace }) => kind === 'openvswitch' && names.has(namespace));
}

/** To look for the port of Open vSwitch that takes a peer's packets, and to make it. */
export function switchPort(network: Network, type: 'geneve' | 'vxlan', target: string, peer: string): Remedy[] {
  const on = (command: string) => onHost(network, target, command);
  return [
    {
      text: `On ${target}: see which tunnel ports Open vSwitch has, and which of them it could not make`,
      commands: [on(`ovs-vsctl --columns=name,options,error find interface type=${type}`)],
    },
    {
      text: "Without one for this peer: make it on the bridge of tunnels (and its flows: neutron's agent does both when it starts again)",
      commands: [
        on(
          `ovs-vsctl add-port <bridge> <port> -- set interface <port> type=${type} options:remote_ip=${peer} options:key=flow`,
        ),
      ],
    },
  ];
}
