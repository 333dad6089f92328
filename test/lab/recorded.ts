import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { vantageOf } from '../../scripts/score.js';
import { Analyzer, type Vantage } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { CaptureSource, OnFrame } from '../../src/capture/source.js';
import { writeRecorded } from '../../src/commands/evidence/recorded.js';
import type { Finding } from '../../src/findings/finding.js';
import { parseContext } from '../../src/network/context/parse.js';
import type { CaptureInfo, InterfaceInfo } from '../../src/wire/capture-info.js';
import { type Direction, Frame } from '../../src/wire/frame.js';

/** Recorded captures, outside the repository. */
export const lab = fileURLToPath(new URL('../../../shared/captures/lab', import.meta.url));

/** What is known of the captures of one folder. */
interface Truth {
  healthy: boolean;
  vantage: Record<string, string>;
  expected_findings: { problem: string; evidence: Record<string, { frames: number[] }> }[];
  must_not_report: string[];
}

/** One frame of a capture, or of what was made of it. */
export interface Shot {
  /** Its number in the recorded capture; 0 if it does not stand there. */
  origin: number;
  bytes: Uint8Array;
  wireLength: number;
  linkType: number;
  interface: number;
  direction: Direction;
  deviceIndex: number;
  /** Nanoseconds since `Shown.seconds`. */
  time: number;
}

/** A capture in memory, and what is known about where it was taken. */
export interface Shown {
  /** `<scenario>/<file>` */
  at: string;
  truth: Truth;
  /** Seconds since 1970 to which times are added. */
  seconds: number;
  shots: readonly Shot[];
  interfaces: readonly InterfaceInfo[];
  /** JSON of the host context, null if there is none. */
  context: unknown;
  vantage: Vantage | null;
  /** It is read from a file, a pcapng. */
  isFile?: boolean;
  /** Another capture was mixed in. */
  isMixed?: boolean;
}

/** Every capture that a truth.json names, without those that cannot be read at all. */
export async function recordedCaptures(): Promise<Shown[]> {
  const truths = readdirSync(lab, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('/truth.json'));
  const all: Shown[] = [];
  for (const path of truths.sort()) {
    const scenario = path.slice(0, -'/truth.json'.length);
    const truth: Truth = JSON.parse(readFileSync(join(lab, path), 'utf8'));
    const contextFile = join(lab, scenario, 'context.json');
    const context: unknown = existsSync(contextFile) ? JSON.parse(readFileSync(contextFile, 'utf8')) : null;
    for (const [file, taken] of Object.entries(truth.vantage)) {
      const { shots, interfaces, seconds } = await shotsOf(join(lab, scenario, file)).catch(() => ({
        shots: [],
        interfaces: [],
        seconds: 0,
      }));
      const vantage = vantageOf(taken);
      if (shots.length > 0)
        all.push({ at: `${scenario}/${file}`, truth, seconds, shots, interfaces, context, vantage });
    }
  }
  return all;
}

async function shotsOf(file: string): Promise<Pick<Shown, 'shots' | 'interfaces' | 'seconds'>> {
  const source = await openCapture(file);
  const shots: Shot[] = [];
  let seconds = 0;
  await source.run(new Frame(), (frame) => {
    if (shots.length === 0) seconds = frame.seconds;
    shots.push({
      origin: frame.number,
      bytes: frame.bytes.slice(frame.start, frame.end),
      wireLength: frame.wireLength,
      linkType: frame.linkType,
      interface: frame.interface,
      direction: frame.direction,
      deviceIndex: frame.deviceIndex,
      time: (frame.seconds - seconds) * 1e9 + frame.nanoseconds,
    });
  });
  return { shots, interfaces: source.info.interfaces, seconds };
}

/** What is said of a capture. */
export async function findingsOf(shown: Shown, isKnown: boolean): Promise<Finding[]> {
  const context = isKnown && shown.context !== null ? parseContext(shown.context) : null;
  const analyzer = new Analyzer(context === null ? {} : { context, vantage: shown.vantage });
  await analyzer.read(
    shown.isFile ? await openCapture('-', { stdin: Readable.from([fileOf(shown)]) }) : new ShownSource(shown),
  );
  return analyzer.analysis().findings;
}

/** As pcapng. */
export function fileOf({ shots, interfaces, seconds }: Shown): Uint8Array {
  const frames = shots.map((shot, i) => ({ ...shot, capture: 0, number: i + 1, ...stamp(seconds, shot.time) }));
  return writeRecorded({ frames, interfaces: [interfaces] }, new Map(), []).bytes;
}

function stamp(seconds: number, time: number): { seconds: number; nanoseconds: number } {
  const whole = Math.floor(time / 1e9);
  return { seconds: seconds + whole, nanoseconds: Math.round(time - whole * 1e9) };
}

/** Shows frames as a file would. */
class ShownSource implements CaptureSource {
  readonly progress = { read: 0, total: null };
  readonly info: CaptureInfo;

  constructor(private readonly shown: Shown) {
    this.info = {
      name: shown.at,
      format: 'pcap',
      compression: null,
      interfaces: shown.interfaces.map((each) => ({ ...each })),
      complete: true,
      problems: [],
      dropped: null,
      comments: 0,
      untimed: 0,
    };
  }

  async run(frame: Frame, onFrame: OnFrame): Promise<void> {
    const { shots, seconds } = this.shown;
    frame.number = 0;
    for (const shot of shots) {
      frame.useBuffer(shot.bytes);
      frame.start = 0;
      frame.end = shot.bytes.length;
      frame.wireLength = shot.wireLength;
      frame.number++;
      frame.interface = shot.interface;
      frame.linkType = shot.linkType;
      frame.direction = shot.direction;
      frame.deviceIndex = shot.deviceIndex;
      const { seconds: at, nanoseconds } = stamp(seconds, shot.time);
      frame.setTime(at, nanoseconds);
      onFrame(frame);
    }
  }
}
