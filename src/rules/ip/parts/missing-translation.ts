import type { Device } from '../../../network/context/device.js';
import { appliesAt, coversSource } from '../../../network/context/firewall.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { label } from '../../parts/question.js';
import type { Confidence } from '../../rule.js';
import { deviceOf, type Forwarder, isGlobal } from './forwarder.js';
import { endOfWay, isTranslatedBeyond, uplinkOf, wayBack } from './way-out.js';

/** How sure it is that a packet should have been translated; null where nothing says that it should. */
export function judge(
  network: Network,
  source: number,
  forwarder: Forwarder,
  destination: number,
): { confidence: Confidence | null; why: string; context: string[]; wayless: string[]; device: Device | null } {
  const { addresses, context } = network;
  const words = addresses.words(source);
  const target = addresses.words(destination);
  const here = deviceOf(network, forwarder);
  const device = here && context ? (uplinkOf(context, here, words, target) ?? here) : here;
  const firewall = device && context?.namespaces.get(device.namespace)?.firewall;
  const holders = context?.devicesByIp(target) ?? [];
  const homes = new Set(holders.map(({ namespace }) => context?.namespaces.get(namespace)));
  const silent = { confidence: null, why: '', context: [], wayless: [], device };
  const ways = [...homes].map((home) => (home ? wayBack(home, words) : 'unknown'));
  // Between private networks it is the router without a route that lacks something.
  const lost = ways.includes('routed') && isGlobal(target[0]) && context ? endOfWay(context, [...homes], words) : null;
  if (ways.includes('routed') && lost === null) return silent;
  const wayless = lost ?? (ways.length === 1 && ways[0] !== 'unknown' ? holders[0].namespace : null);
  const isWayless = wayless !== null;
  const noRoute = isWayless
    ? [`${lost === null ? label(holders[0]) : printable(lost)} has no route to ${addresses.format(source)}`]
    : [];
  if (here && context && isTranslatedBeyond(context, here.namespace, words, target)) return silent;
  if (device && firewall) {
    // That is what a rule makes of a source: nobody answers for it, or nothing comes back for another reason.
    if (firewall.sourceNat.some(({ to }) => to?.words.length === 1 && to.words[0] === words[0])) return silent;
    const rules = firewall.sourceNat.filter((rule) => appliesAt(rule, device.name));
    if (rules.some((rule) => coversSource(rule, words, device.name) !== 'no')) return silent;
    if (rules.length > 0)
      return {
        confidence: isWayless ? 'certain' : 'likely',
        why: `The rules of source NAT in ${printable(device.namespace)} name other addresses than ${addresses.format(source)}.`,
        context: [
          `source NAT in ${printable(device.namespace)}: ${rules.map((rule) => sourcesOf(rule.source)).join(', ')}`,
          ...noRoute,
        ],
        wayless: isWayless ? [wayless] : [],
        device,
      };
  }
  // Between private networks no NAT is needed, only routes.
  if (!isGlobal(target[0])) return silent;
  const isEdge = forwarder.own.some((row) => addresses.isIpv4(row) && isGlobal(addresses.words(row)[0]));
  return {
    confidence: isEdge || isWayless ? 'likely' : 'hint',
    why: isEdge
      ? 'This router has a public address here and sends private ones beside it: a rule of source NAT is missing, names other addresses or another device, or was flushed.'
      : 'No router on the way translated the source yet: a rule of source NAT is missing, names other addresses or another device, or was flushed.',
    context: noRoute,
    wayless: isWayless ? [wayless] : [],
    device,
  };
}

function sourcesOf(
  match: { readonly prefixes: readonly { text: string }[]; readonly negated: boolean } | null,
): string {
  if (!match) return 'all sources';
  return `${match.negated ? 'not ' : ''}${match.prefixes.map(({ text }) => printable(text)).join(' ')}`;
}
