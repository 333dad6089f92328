import { ipKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import type { NatRule } from '../../network/context/firewall.js';
import { contains } from '../../network/context/firewall-match.js';
import type { HostContext } from '../../network/context/host-context.js';

/** Whether a rule names this very address; one that names a whole network says nothing of who has its addresses. */
export function translates({ destination }: NatRule, words: ArrayLike<number>): boolean {
  if (!destination || destination.negated) return false;
  return destination.prefixes.some((prefix) => prefix.length === prefix.words.length * 32 && contains(prefix, words));
}

/** A device of the one machine whose rules send what is for an address on to another; null where the host context shows none, or several. */
export function natHost(context: HostContext | null, asked: Int32Array, answerer: Int32Array): Device | null {
  const holders = new Set(context?.devicesByIp(asked).map(({ namespace }) => namespace));
  const found = [...(context?.namespaces.values() ?? [])].filter(({ name, firewall }) =>
    firewall?.destinationNat.some(
      (rule) =>
        (translates(rule, asked) || (rule.destination === null && holders.has(name))) &&
        (rule.to === null || ipKey(rule.to.words) === ipKey(answerer)),
    ),
  );
  const [device] = found.length === 1 ? found[0].devices.values() : [];
  return device ?? null;
}
