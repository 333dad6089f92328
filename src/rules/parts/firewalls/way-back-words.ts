import { record } from '../../../network/context/rows.js';
import { printable } from '../../../wire/printable.js';
import type { Remedy } from '../../rule.js';
import { inNamespace } from '../question.js';
import { applying } from '../words.js';
import type { Filtered } from './filtered.js';
import { addressText } from './words.js';

/**
 * Where the routes lead back to a source whose packets a rule drops for that: reverse path filtering as a rule, as firewalld writes it for IPv6
 * (`fib saddr . iif oif missing`, `-m rpfilter`; RFC 3704). Empty for other rules.
 */
export function wayBackWords({ place, packet }: Filtered): string {
  const { wayBack, input } = packet;
  const source = addressText(packet.source);
  if (!asksForWayBack(place) || !wayBack || source === null) return '';
  const names = applying(wayBack).map(printable);
  const to = names.length > 0 ? `they lead through ${names.join(', ')}` : 'there is none';
  return ` The rule lets in only what the routes lead back to${input ? ` through ${printable(input.name)}` : ''}, where these come in; to ${source} ${to}.`;
}

/** How to see that: a route that is wrong is mended rather than the rule. */
export function wayBackRemedy({ place, packet, device }: Filtered): Remedy[] {
  const source = addressText(packet.source);
  if (!asksForWayBack(place) || source === null) return [];
  return [
    {
      text: `See where the routes lead back to ${source}: if that is wrong, mend the route, not the rule`,
      commands: [inNamespace(device, `ip route get ${source}`)],
    },
  ];
}

function asksForWayBack({ rule }: Filtered['place']): boolean {
  return rule?.statements.some((each) => record(record(record(each.match)?.left)?.fib)?.result === 'oif') ?? false;
}
