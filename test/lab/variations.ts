import { AddressMap } from '../../src/commands/anonymize/mapping.js';
import type { Finding } from '../../src/findings/finding.js';
import { Direction } from '../../src/wire/frame.js';
import type { Below } from '../support/random.js';
import type { Shot, Shown } from './recorded.js';
import { RENAMINGS, renamed, renamedShot } from './renaming.js';
import { cooked, isEthernet, oldCooked, padded, snapped, tagged, tunnelled, withDirections } from './reshaping.js';

/** A capture shown otherwise. */
export interface Variation {
  name: string;
  /** `same`: nothing that is said may change. `rules`: nothing but the frames that are named. `true`: what is said must stay true. */
  keeps: 'same' | 'rules' | 'true';
  /** Rules that rightly speak of what the variation did. */
  besides?: readonly string[];
  /** Only with captures of this kind. */
  only?: 'healthy' | 'faulty';
  /** Null if it does not apply. `found` is what is said of the capture as it is. */
  apply: (shown: Shown, below: Below, healthy: readonly Shown[], found: readonly Finding[]) => Shown | null;
}

const YEAR = 365 * 86_400;
const PAUSE = 90e9;
const SWAPPED_WITHIN = 50_000;

function timed(shown: Shown, time: (shot: Shot, i: number) => number): Shown {
  return { ...shown, shots: shown.shots.map((shot, i) => ({ ...shot, time: time(shot, i) })) };
}

function stretched(factor: number): Variation['apply'] {
  return (shown) => timed(shown, ({ time }) => Math.round(time * factor));
}

/** Later by up to 300 µs, in the same order; what has one stamp (a frame at a bridge and its port) keeps one. */
function jittered(shown: Shown, below: Below): Shown {
  let last = Number.NEGATIVE_INFINITY;
  const times = [...new Set(shown.shots.map(({ time }) => time))].sort((a, b) => a - b);
  const later = new Map(
    times.map((time) => {
      last = Math.max(time + below(300_000), last + 1);
      return [time, last];
    }),
  );
  return timed(shown, ({ time }) => later.get(time) ?? time);
}

/** Whether a frame may come of the one before, so that no kernel captures it earlier at the same port. */
function mayComeOf(before: Shot, after: Shot): boolean {
  const [a, b] = [before, after].map(({ bytes, linkType }) => ({
    to: linkType === 1 ? Buffer.from(bytes.subarray(0, 6)).toString('hex') : '',
    from: linkType === 1 ? Buffer.from(bytes.subarray(6, 12)).toString('hex') : '',
    isGroup: linkType !== 1 || (bytes[0] & 1) !== 0,
  }));
  return a.isGroup || a.to === b.from || a.from === b.to || a.from === b.from;
}

function isSamePort(a: Shot, b: Shot): boolean {
  const device = ({ bytes, linkType }: Shot) =>
    linkType === 276 ? Buffer.from(bytes.subarray(4, 8)).toString('hex') : '';
  return a.interface === b.interface && device(a) === device(b);
}

/**
 * Neighbours within 50 µs in the other order; their stamps go with them, or stay in order. At one port only those that have nothing to
 * do with each other.
 */
function reordered(stampsGo: boolean): Variation['apply'] {
  return (shown, below) => {
    const shots = [...shown.shots];
    for (let i = 0; i + 1 < shots.length; i++) {
      const [a, b] = [shots[i], shots[i + 1]];
      if (b.time - a.time > SWAPPED_WITHIN || b.time < a.time || below(3) !== 0) continue;
      if (isSamePort(a, b) ? mayComeOf(a, b) : !stampsGo) continue;
      shots[i] = stampsGo ? b : { ...b, time: a.time };
      shots[i + 1] = stampsGo ? a : { ...a, time: b.time };
      i++;
    }
    return { ...shown, shots };
  };
}

function inOrder(shots: readonly Shot[]): Shot[] {
  return shots.toSorted((a, b) => a.time - b.time);
}

/** Another healthy capture at the same port at the same time, with addresses of its own. */
function withBackground(shown: Shown, below: Below, healthy: readonly Shown[]): Shown | null {
  if (!isEthernet(shown) || shown.interfaces.length !== 1) return null;
  const isDirected = shown.shots[0].direction !== Direction.Unknown;
  const fit = healthy.filter(
    (each) =>
      each.at.split('/')[1] !== shown.at.split('/')[1] &&
      isEthernet(each) &&
      each.interfaces.length === 1 &&
      each.shots.length >= 8 &&
      // What these show of themselves (frames that come back, or from a MAC to itself) is not the other's fault.
      !/ipvlan|vepa|hairpin/.test(each.at) &&
      (each.shots[0].direction !== Direction.Unknown) === isDirected,
  );
  if (fit.length === 0) return null;
  const other = fit[below(fit.length)];
  const map = new AddressMap({ key: 'background' });
  const shots = other.shots.map((shot) => ({ ...renamedShot(shot, map), origin: 0 }));
  return { ...shown, isMixed: true, shots: inOrder([...shown.shots, ...shots]) };
}

function inTunnel(shown: Shown): Shown | null {
  if (!isEthernet(shown)) return null;
  const side = new Map<string, 0 | 1>();
  const sideOf = ({ bytes, direction }: Shot) => {
    if (direction !== Direction.Unknown) return direction === Direction.Out ? 0 : 1;
    const mac = Buffer.from(bytes.subarray(6, 12)).toString('hex');
    const known = side.get(mac) ?? (side.size % 2 === 0 ? 0 : 1);
    side.set(mac, known);
    return known;
  };
  return { ...shown, context: null, shots: shown.shots.map((shot, i) => tunnelled(shot, sideOf(shot), i)) };
}

function twice(shown: Shown): Shown {
  const { shots } = shown;
  const span = shots[shots.length - 1].time - shots[0].time;
  return { ...shown, shots: [...shots, ...shots.map((shot) => ({ ...shot, time: shot.time + span + PAUSE }))] };
}

function mirrored(shown: Shown): Shown {
  const shots = shown.shots.flatMap((shot) => [shot, { ...shot, time: shot.time + 5000 }]);
  return { ...shown, shots: inOrder(shots) };
}

function every(change: (shot: Shot) => Shot): Variation['apply'] {
  return (shown) => ({ ...shown, shots: shown.shots.map(change) });
}

/** As a network card shows it: what comes in was filled up on the wire, what goes out not yet. */
function paddedIn(shown: Shown): Shown | null {
  if (!isEthernet(shown)) return null;
  const known = shown.shots.some(({ direction }) => direction !== Direction.Unknown) ? shown : withDirections(shown);
  if (known === null) return null;
  const shots = shown.shots.map((shot, i) => (known.shots[i].direction === Direction.In ? padded(shot) : shot));
  return { ...shown, shots };
}

/** The first frames are missing, but none that proves. */
function cutStart(shown: Shown, below: Below, _: readonly Shown[], found: readonly Finding[]): Shown | null {
  const file = shown.at.split('/').at(-1) ?? '';
  const proving = [
    ...shown.truth.expected_findings.flatMap(({ evidence }) => evidence[file]?.frames ?? []),
    ...found.flatMap(({ evidence }) => evidence.map(({ frame }) => frame)),
  ];
  const first = Math.min(...proving);
  if (proving.length === 0 || first < 2) return null;
  const from = 2 + below(first - 1);
  return { ...shown, shots: shown.shots.filter(({ origin }) => origin >= from) };
}

function lossy(perThousand: number): Variation['apply'] {
  return (shown, below) => {
    const shots = shown.shots.filter(() => below(1000) >= perThousand);
    return shots.length === shown.shots.length || shots.length === 0 ? null : { ...shown, shots };
  };
}

export const VARIATIONS: readonly Variation[] = [
  { name: 'unvaried', keeps: 'same', apply: (shown) => shown },
  { name: '11 years later', keeps: 'same', apply: (shown) => ({ ...shown, seconds: shown.seconds + 11 * YEAR }) },
  { name: '40 years earlier', keeps: 'same', apply: (shown) => ({ ...shown, seconds: shown.seconds - 40 * YEAR }) },
  ...[0.97, 1.03].map((factor) => ({
    name: `${factor} times as long`,
    keeps: 'same' as const,
    apply: stretched(factor),
  })),
  ...[0.8, 1.25].map((factor) => ({
    name: `${factor} times as long`,
    keeps: 'true' as const,
    apply: stretched(factor),
  })),
  { name: 'jitter', keeps: 'rules', apply: jittered },
  { name: 'neighbours swapped, stamps go', keeps: 'true', apply: reordered(true) },
  { name: 'neighbours swapped, stamps stay', keeps: 'true', apply: reordered(false) },
  ...Object.entries(RENAMINGS).map(([name, map]) => ({
    name,
    keeps: 'same' as const,
    apply: (shown: Shown) => renamed(shown, map()),
  })),
  { name: 'with background', keeps: 'true', apply: withBackground },
  { name: 'with other background', keeps: 'true', apply: withBackground },
  { name: 'pcapng', keeps: 'same', apply: (shown) => ({ ...shown, isFile: true }) },
  { name: 'directions known', keeps: 'true', apply: withDirections },
  { name: 'SLL', keeps: 'true', apply: (shown) => cooked(shown, 113) },
  { name: 'SLL2', keeps: 'true', apply: (shown) => cooked(shown, 276) },
  { name: 'SLL2 as SLL', keeps: 'true', apply: oldCooked },
  { name: '128 bytes a frame', keeps: 'true', apply: every((shot) => snapped(shot, 128)) },
  { name: '96 bytes a frame', keeps: 'true', apply: every((shot) => snapped(shot, 96)) },
  {
    name: 'one tag more',
    keeps: 'true',
    apply: (shown) => ({ ...shown, context: null, shots: shown.shots.map(tagged) }),
  },
  { name: 'in a tunnel', keeps: 'true', apply: inTunnel },
  { name: 'twice', keeps: 'true', apply: twice },
  {
    name: 'mirrored',
    keeps: 'true',
    besides: ['capture/duplicated-by-tap'],
    apply: (shown) => (isEthernet(shown) ? mirrored(shown) : null),
  },
  {
    name: 'padded',
    keeps: 'true',
    apply: (shown) => (isEthernet(shown) ? every(padded)(shown, () => 0, [], []) : null),
  },
  { name: 'padded incoming', keeps: 'true', apply: paddedIn },
  { name: 'cut start', keeps: 'true', only: 'faulty', apply: cutStart },
  { name: 'cut start again', keeps: 'true', only: 'faulty', apply: cutStart },
  { name: '0.5 % lost', keeps: 'true', only: 'healthy', apply: lossy(5) },
  { name: '3 % lost', keeps: 'true', only: 'healthy', apply: lossy(30) },
  { name: '3 % lost again', keeps: 'true', only: 'healthy', apply: lossy(30) },
];
