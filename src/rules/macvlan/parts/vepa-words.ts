import type { HostContext } from '../../../network/context/host-context.js';
import { columnsOf, padColumns } from '../../../wire/columns.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import { ownChild } from './own-child.js';
import type { Pair } from './siblings.js';

/** Who wants to reach whom. */
type Ends = Pick<Question, 'asker' | 'spa' | 'tpa' | 'isIpv4'>;

/** What helps children in VEPA mode whose switch does not reflect. */
export function vepaRemedies(context: HostContext, pair: Pair, question?: Ends): Remedy[] {
  const { child, other, isParent, parent } = pair;
  const port = parent && context.switchPort(parent);
  const bridge = (device: typeof child) =>
    inNamespace(device, `ip link set ${device.name} type ${device.kind} mode bridge`);
  const hairpin: Remedy = {
    text: 'A Linux bridge as switch: on its port facing this host (a hardware switch: reflective relay, IEEE 802.1Qbg)',
    commands: [
      port
        ? inNamespace(port, `bridge link set dev ${port.name} hairpin on`)
        : 'bridge link set dev <switch port> hairpin on',
    ],
  };
  if (isParent && question) {
    const { asker, spa, tpa, isIpv4 } = question;
    return [ownChild(pair, ...(asker === child ? ([tpa, spa] as const) : ([spa, tpa] as const)), isIpv4), hairpin];
  }
  return [
    {
      text: `Bridge mode: children of ${parent ? label(parent) : 'one device'} talk inside the host, the switch is not asked`,
      commands: [child, other].filter(({ mode }) => mode === 'vepa').map(bridge),
    },
    hairpin,
  ];
}

/** The failing path in the manner of the field notes, as wide as the names need. */
export function vepaPicture({ spa, tpa }: Pick<Question, 'spa' | 'tpa'>, { child, other, parent }: Pair): string[] {
  const place = printable(`${child.namespace} ${spa}`);
  const name = printable(child.name);
  const below = `─ ${printable(parent?.name ?? 'parent')} `;
  const hang = columnsOf(name) + 6;
  const room = Math.max(26, columnsOf(place), hang + 1 + columnsOf(below));
  return [
    `${padColumns(place, room + 2)}${printable(`${other.namespace} ${tpa}`)}`,
    `  ${padColumns(`${name} ──1──┐`, room)}┌──✗── ${printable(other.name)}`,
    `  ${' '.repeat(hang)}└${padColumns(below, room - hang - 1, '─')}┘`,
    `  ${' '.repeat(hang + 3)}│ 2  the request leaves`,
    `  ${' '.repeat(hang)}switch  3  sends it to other ports, not back  ✗ stops here`,
  ];
}
