import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { columnsOf, padColumns } from '../../wire/columns.js';
import { printable } from '../../wire/printable.js';
import type { Finding } from '../finding.js';

/** Words of a finding's subject for who sends and who should get it, in the order in which they are tried. */
const ENDS: readonly (readonly [from: string, to: string])[] = [
  ['requester', 'ip'],
  ['sender', 'endpoint'],
  ['source', 'destination'],
  ['endpoint', 'missing'],
  ['endpoint', 'peer'],
];
/** Devices upwards from a child that are drawn at most. */
const MOST_PARENTS = 4;

const CAPTURED = 'captured here';

/** A machine or namespace, and what of it the packet meets. */
interface Stop {
  readonly place: string;
  readonly what: string;
}

/**
 * The way that a finding's packets take, drawn as boxes from who sends to who should get them, with numbered steps and
 * the one where they stop. Empty where the finding does not tell two ends. Safe to print.
 */
export function pathPicture(finding: Finding, context: HostContext | null): string[] {
  const { subject, segment, evidence } = finding;
  const named: Readonly<Record<string, unknown>> = subject;
  const ends = ENDS.find(([from, to]) => named[from] !== undefined && named[to] !== undefined);
  if (ends === undefined) return [];
  const [from, to] = ends.map((end) => String(named[end]));
  const sender = deviceWith(from, context);
  const target = deviceWith(to, context);
  const up = sender === null ? [] : chain(sender);
  const down = target === null ? [] : chain(target);
  const meeting = up.find((device) => down.includes(device));
  const before = up.slice(0, meeting === undefined ? up.length : up.indexOf(meeting) + 1);
  const stops: Stop[] = before.map((device, i) => stopOf(device, i === 0 ? from : null));
  if (stops.length === 0) stops.push({ place: 'sender', what: from });
  const where = [
    ...segment.vlans.map((id) => `VLAN ${id}`),
    ...segment.vnis.map((vni) => `VNI ${vni}`),
    ...(segment.vnis.length === 0 && named.vni !== undefined ? [`VNI ${named.vni}`] : []),
    ...(named.port === undefined ? [] : [`port ${named.port}`]),
  ];
  // The parent that both share was drawn; else where it was captured is the last place that is known.
  if (meeting === undefined)
    stops.push({ place: CAPTURED, what: [interfaceIn(segment.interface), ...where].join(', ') });
  const after = meeting === undefined ? down : down.slice(0, down.indexOf(meeting));
  const ending = [...after].reverse().map((device) => stopOf(device, device === target ? to : null));
  if (ending.length === 0) ending.push(target === null ? { place: 'target', what: to } : stopOf(target, to));
  const frames = evidence.length === 0 ? '' : ` (frame ${evidence[0].frame})`;
  const steps = stops.map(({ place }, i) => {
    if (i === 0) return `${evidence[0]?.note ?? 'sends'}${frames}`;
    return place === CAPTURED || before[i]?.name === segment.interface ? 'seen here' : 'goes on';
  });
  return draw(stops, steps, ending, finding.cause);
}

/** Boxes one below the other; between them what happens, and the cross where it ends. */
function draw(stops: readonly Stop[], steps: readonly string[], ending: readonly Stop[], cause: string): string[] {
  const width = Math.max(
    ...[...stops, ...ending].flatMap(({ place, what }) => [columnsOf(place) + 2, columnsOf(what) + 4]),
    20,
  );
  const lines = stops.flatMap((stop, i) => [...box(stop, width, i > 0, true), `${HANG}│ ${i + 1}  ${steps[i]}`]);
  const [why] = cause.split(/(?<=[.:;]) /);
  lines.push(`${HANG}✗ ${stops.length + 1}  stops here${why === '' ? '' : `: ${why.replace(/[.:;]$/, '')}`}`);
  return [...lines, ...ending.flatMap((stop, i) => box(stop, width, i > 0, i < ending.length - 1))].map(printable);
}

const HANG = ' '.repeat(6);

function box({ place, what }: Stop, width: number, hasAbove: boolean, hasBelow: boolean): string[] {
  const joint = (line: string, mark: string) => `${line.slice(0, HANG.length)}${mark}${line.slice(HANG.length + 1)}`;
  const bottom = `└${'─'.repeat(width)}┘`;
  const top = `┌${'─'.repeat(width)}┐`;
  return [
    hasAbove ? joint(top, '┴') : top,
    `│ ${padColumns(place, width - 1)}│`,
    `│   ${padColumns(what, width - 3)}│`,
    hasBelow ? joint(bottom, '┬') : bottom,
  ];
}

function stopOf({ namespace, name, kind, mode, flag }: Device, address: string | null): Stop {
  const how = [kind, mode, flag].filter((word) => word !== null).join(' ');
  const what = [name, address ?? '', how === '' ? '' : `(${how})`].filter(Boolean).join(' ');
  return { place: printable(namespace), what: printable(what) };
}

/** Files without names number their interfaces. */
function interfaceIn(name: string | null): string {
  return name === null || /^\d+$/.test(name) ? `interface ${name ?? 'unknown'}` : printable(name);
}

function deviceWith(address: string, context: HostContext | null): Device | null {
  const holders = context?.devices.filter(({ addresses }) => addresses.some(({ text }) => text === address)) ?? [];
  return holders.length === 1 ? holders[0] : null;
}

/** A device, what it is a child of, and so on. */
function chain(device: Device): Device[] {
  const devices = [device];
  for (let next = device.parent; next && !devices.includes(next) && devices.length < MOST_PARENTS; next = next.parent)
    devices.push(next);
  return devices;
}
