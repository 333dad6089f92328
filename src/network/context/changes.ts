import type { Device } from './device.js';
import type { HostContext } from './host-context.js';

/** Changes that are told one by one at most. */
const MOST = 20;

/** A property in words, null where it is not known. */
type Word = (device: Device) => string | null;

const PROPERTIES: readonly (readonly [name: string, word: Word])[] = [
  ['state', ({ up, noCarrier }) => (up ? (noCarrier ? 'up without carrier' : 'up') : 'down')],
  ['kind', ({ kind }) => kind],
  ['mode', ({ mode }) => mode],
  ['flag', ({ flag }) => flag],
  ['MAC', ({ mac }) => mac?.text ?? null],
  ['MTU', ({ mtu }) => (mtu === null ? null : String(mtu))],
  ['parent', ({ parent }) => parent && `${parent.name} in ${parent.namespace}`],
  ['master', ({ master }) => master?.name ?? null],
  ['hairpin', ({ hairpin }) => (hairpin === null ? null : hairpin ? 'on' : 'off')],
  ['isolated', ({ isolated }) => (isolated === null ? null : isolated ? 'on' : 'off')],
  ['port state', ({ state }) => state],
  [
    'VXLAN',
    ({ vxlan }) => vxlan && `id ${vxlan.id}, port ${vxlan.port ?? 'unknown'}, remote ${vxlan.remote?.text ?? 'none'}`,
  ],
  [
    'addresses',
    ({ addresses }) => addresses.map(({ text, prefixLength }) => `${text}/${prefixLength}`).join(' ') || null,
  ],
];

/** What is other in the later context, one line each: `macvlan1 in ns01: mode vepa, now bridge`. Raw text. */
export function contextChanges(before: HostContext, after: HostContext): string[] {
  const changes: string[] = [];
  for (const device of before.devices) {
    const { namespace, name } = device;
    const now = after.device(namespace, name);
    if (now !== null) changes.push(...deviceChanges(device, now, after.label(device)));
    else if (after.namespaces.has(namespace)) changes.push(`${after.label(device)} is gone`);
  }
  for (const device of after.devices)
    if (before.namespaces.has(device.namespace) && before.device(device.namespace, device.name) === null)
      changes.push(`${after.label(device)} is new${device.kind === null ? '' : `: ${device.kind}`}`);
  for (const [name, { sysctl }] of after.namespaces)
    for (const [key, value] of sysctl) {
      const earlier = before.sysctl(name, key);
      if (earlier !== null && earlier !== value) changes.push(`${key} in ${name}: ${earlier}, now ${value}`);
    }
  // Last, for on a machine with containers they come and go all the time.
  for (const name of before.namespaces.keys())
    if (!after.namespaces.has(name)) changes.push(`namespace ${name} is gone`);
  for (const name of after.namespaces.keys())
    if (!before.namespaces.has(name)) changes.push(`namespace ${name} is new`);
  if (changes.length <= MOST) return changes;
  return [...changes.slice(0, MOST), `and ${changes.length - MOST} more changes`];
}

function deviceChanges(before: Device, after: Device, label: string): string[] {
  const made = before.index === after.index ? [] : [`${label} was deleted and made again`];
  const others = PROPERTIES.flatMap(([name, word]) => {
    const [then, now] = [word(before), word(after)];
    // Which device is the parent is sometimes concluded from counters that were not read at once.
    if (name === 'parent' && (then === null || now === null)) return [];
    return then === now ? [] : [`${label}: ${name} ${then ?? 'none'}, now ${now ?? 'none'}`];
  });
  return [...made, ...others];
}
