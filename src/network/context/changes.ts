import { COUNT } from './connection-tracking.js';
import { type Device, isPair } from './device.js';
import type { HostContext } from './host-context.js';

/** Changes that are told one by one at most. */
const MOST = 20;

/** A property in words, null where it is not known. */
type Word = (device: Device) => string | null;

const PROPERTIES: readonly (readonly [name: string, word: Word])[] = [
  ['state', stateWord],
  ['kind', ({ kind }) => kind],
  ['mode', ({ mode }) => mode],
  ['flag', ({ flag }) => flag],
  ['MAC', ({ mac }) => mac?.text ?? null],
  ['MTU', ({ mtu }) => (mtu === null ? null : String(mtu))],
  ['parent', ({ parent }) => parent && `${parent.name} in ${parent.namespace}`],
  ['master', ({ master }) => master?.name ?? null],
  ['hairpin', ({ hairpin }) => onOff(hairpin)],
  ['isolated', ({ isolated }) => onOff(isolated)],
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

function stateWord({ up, noCarrier }: Device): string {
  if (!up) return 'down';
  return noCarrier ? 'up without carrier' : 'up';
}

function onOff(flag: boolean | null): string | null {
  if (flag === null) return null;
  return flag ? 'on' : 'off';
}

/** Something that is other now than before. Raw text. */
export interface Change {
  /** What it is about: where the same changes again and again, not each time is told. */
  readonly topic: string;
  /** One line: `macvlan1 in ns01: mode vepa, now bridge`. */
  readonly text: string;
}

/** Of namespaces that come and go, as they do all the time where containers are run. */
const COMINGS = 'namespaces that come and go';

/** What is other in the later context. */
export function contextChanges(before: HostContext, after: HostContext): Change[] {
  const changes: Change[] = [];
  /** Cables in namespaces that stay, by the namespace that came or went with their other ends. */
  const cables = new Map<string, string[]>();
  /** Whether a device came or went with the namespace of its other end. */
  const isCableOf = (device: Device, others: HostContext): boolean => {
    const far = device.peer?.namespace;
    if (far === undefined || others.namespaces.has(far)) return false;
    cables.set(far, [...(cables.get(far) ?? []), device.name]);
    return true;
  };
  for (const device of before.devices) {
    const { namespace, name } = device;
    const now = after.device(namespace, name);
    const label = after.label(device);
    if (now !== null) changes.push(...deviceChanges(device, now, label));
    else if (after.namespaces.has(namespace) && !isCableOf(device, after))
      changes.push({ topic: topicOf(device, label), text: `${label} is gone` });
  }
  for (const device of after.devices)
    if (
      before.namespaces.has(device.namespace) &&
      before.device(device.namespace, device.name) === null &&
      !isCableOf(device, before)
    ) {
      const label = after.label(device);
      changes.push({
        topic: topicOf(device, label),
        text: `${label} is new${device.kind === null ? '' : `: ${device.kind}`}`,
      });
    }
  for (const [name, { sysctl }] of after.namespaces)
    for (const [key, value] of sysctl) {
      if (key === COUNT) continue;
      const earlier = before.sysctl(name, key);
      const label = `${key} in ${name}`;
      if (earlier !== null && earlier !== value)
        changes.push({ topic: label, text: `${label}: ${earlier}, now ${value}` });
    }
  // Last, for on a machine with containers they come and go all the time.
  const passing = (name: string, what: string): Change => {
    const ends = cables.get(name) ?? [];
    return {
      topic: COMINGS,
      text: `namespace ${name} is ${what}${ends.length > 0 ? `, with ${ends.join(', ')}` : ''}`,
    };
  };
  for (const name of before.namespaces.keys()) if (!after.namespaces.has(name)) changes.push(passing(name, 'gone'));
  for (const name of after.namespaces.keys()) if (!before.namespaces.has(name)) changes.push(passing(name, 'new'));
  if (changes.length <= MOST) return changes;
  return [
    ...changes.slice(0, MOST),
    { topic: 'many changes at once', text: `and ${changes.length - MOST} more changes` },
  ];
}

/** A cable may outlive the namespace at its other end for a while, or be there before it. */
function topicOf(device: Device, label: string): string {
  return isPair(device) && device.link?.name === null ? COMINGS : label;
}

function deviceChanges(before: Device, after: Device, label: string): Change[] {
  const made = before.index === after.index ? [] : [{ topic: label, text: `${label} was deleted and made again` }];
  const others = PROPERTIES.flatMap(([name, word]) => {
    const [then, now] = [word(before), word(after)];
    // Which device is the parent is sometimes concluded from counters that were not read at once.
    if (name === 'parent' && (then === null || now === null)) return [];
    const text = `${label}: ${name} ${then ?? 'none'}, now ${now ?? 'none'}`;
    return then === now ? [] : [{ topic: `${label}: ${name}`, text }];
  });
  return [...made, ...others];
}
