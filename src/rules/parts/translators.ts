import type { Ip } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { appliesAt, type NatRule } from '../../network/context/firewall.js';
import { contains } from '../../network/context/firewall-match.js';
import type { HostContext } from '../../network/context/host-context.js';
import { translates } from './nat-host.js';

/** Devices on the link where one host asks for the address of another, in namespaces whose NAT rules translate that, or to it. */
export function translators(
  context: HostContext,
  asked: Int32Array,
  asker: Int32Array,
): { readonly device: Device; readonly rule: NatRule; readonly isSource: boolean; readonly writes: boolean }[] {
  const found = [];
  for (const { firewall, devices } of context.namespaces.values()) {
    if (!firewall) continue;
    const waiting = firewall.destinationNat.find((each) => translates(each, asked));
    for (const device of devices.values()) {
      const isOnLink = device.addresses.some(({ words, prefixLength: length }) => {
        const prefix = { words, length };
        return contains(prefix, asked) && contains(prefix, asker);
      });
      const writing = firewall.sourceNat.find((each) => isSame(each.to, asked) && appliesAt(each, device.name));
      const rule = waiting ?? writing;
      if (isOnLink && device.up && rule)
        found.push({ device, rule, isSource: !waiting, writes: writing !== undefined });
    }
  }
  return found;
}

/** The device that source NAT gives an address to packets at, though another machine has that address: answers go there. */
export function misplacedSource(
  context: HostContext | null,
  address: Int32Array,
  server: Int32Array,
): { readonly translator: Device; readonly holder: Device } | null {
  const holders = context?.devicesByIp(address) ?? [];
  if (!context || holders.length !== 1) return null;
  const [holder] = holders;
  const found = translators(context, address, server).filter(({ writes }) => writes);
  if (found.length !== 1 || found[0].device.namespace === holder.namespace) return null;
  return { translator: found[0].device, holder };
}

function isSame(one: Ip | null, words: Int32Array): boolean {
  return one !== null && one.words.length === words.length && words.every((word, i) => word === one.words[i]);
}
