import type { Device } from '../../../network/context/device.js';
import { printable } from '../../../wire/printable.js';
import { at, settingsName } from '../../parts/device-argument.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/**
 * Takes an address from one of its two holders: each that the host context shows, else whichever. Where a new address is put
 * beside the old one, it is gone with that one unless it is promoted (`fib` loses the default route as well).
 */
export function takeFromOne(ip: string, holders: readonly (Device | null)[]): Remedy[] {
  const known = holders.filter((device) => device !== null);
  if (known.length === 0)
    return [{ text: 'Give one of them another address, and tell the neighbours', commands: moved(ip, null, null) }];
  return known.map((device) => {
    const other = holders.find((each) => each !== device) ?? null;
    return {
      text: `If ${other ? label(other) : 'the other'} is to keep it: give ${label(device)} another address. Its connections from ${ip} end`,
      commands: moved(ip, device, other),
    };
  });
}

function moved(ip: string, device: Device | null, keeper: Device | null): string[] {
  const name = device ? printable(device.name) : '<device>';
  const length = device?.addresses.find(({ text }) => text === ip)?.prefixLength ?? '<length>';
  const there = (command: string) => at(device, command);
  if (ip.includes(':'))
    return [
      there(`ip -6 addr add <free address>/${length} dev ${name}`),
      there(`ip -6 addr del ${ip}/${length} dev ${name}`),
    ];
  const keeps = keeper ? printable(keeper.name) : '<device>';
  return [
    there(`sysctl -w net.ipv4.conf.${settingsName(name)}.promote_secondaries=1`),
    there(`ip addr add <free address>/${length} dev ${name}`),
    there(`ip addr del ${ip}/${length} dev ${name}`),
    keeper ? inNamespace(keeper, `arping -c 2 -U -I ${keeps} ${ip}`) : `arping -c 2 -U -I <device of the other> ${ip}`,
  ];
}
