import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import { parseContext } from '../../src/network/context/parse.js';
import { ndjsonLine } from '../../src/report/frames/ndjson.js';
import { textLine } from '../../src/report/frames/text.js';
import { reportJson } from '../../src/report/json.js';
import { reportText } from '../../src/report/text/report.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { root } from '../support/fixtures.js';
import type { Bytes } from './mutate.js';

/** Larger fixtures are left out: what they have more of is length. In bytes. */
const SMALL = 4096;

/** The captures among our fixtures that are small enough to be damaged in many ways, each content once, by path. */
export function seeds(): { path: string; bytes: Bytes }[] {
  const base = join(root, 'fixtures');
  const paths = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.pcap(ng)?(\.gz|\.zst)?$/.test(path),
  );
  const byContent = new Map<string, { path: string; bytes: Bytes }>();
  for (const path of paths.sort()) {
    const bytes = Uint8Array.from(readFileSync(join(base, path)));
    const content = Buffer.from(bytes).toString('latin1');
    if (bytes.length <= SMALL && !byContent.has(content)) byContent.set(content, { path, bytes });
  }
  return [...byContent.values()];
}

/** Findings of a run that are laid out as text: the work is the same for each, and the most of all. */
const LAID_OUT = 8;

/** What a terminal obeys. Newlines are the report's own. */
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Set up as the demo's machine is, so that rules meet devices of their own now and then. */
export const context = parseContext(JSON.parse(readFileSync(join(root, 'fixtures/demo/context.json'), 'utf8')));

/**
 * Takes inputs through the whole program, reader to report, as captures of one run.
 * @param inWords whether to lay the report out as text, too, which takes as long as all the rest
 * @throws if anything throws but the refusal of an input, or if a report holds raw control characters
 */
export async function takeThrough(inputs: Iterable<Bytes>, inWords = true): Promise<void> {
  const analyzer = new Analyzer({ context });
  for (const bytes of inputs) {
    try {
      await analyzer.read(await openCapture('-', { stdin: Readable.from([bytes]) }));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
    }
  }
  const analysis = analyzer.analysis();
  refuseControl(reportJson(analysis));
  if (!inWords) return;
  const some = { ...analysis, findings: analysis.findings.slice(0, LAID_OUT) };
  refuseControl(reportText(some, { width: 100, color: false, detail: 'verbose' }));
}

/**
 * Tells every frame of an input as `netdiag frames` does, in both forms.
 * @throws as `takeThrough`
 */
export async function tellFrames(input: Bytes): Promise<void> {
  const frame = new Frame();
  frame.udpPorts = udpPortTable();
  const source = await openCapture('-', { stdin: Readable.from([input]) });
  await source.run(frame, () => {
    decode(frame);
    refuseControl(textLine(frame));
    const line = ndjsonLine(frame);
    refuseControl(line);
    JSON.parse(line);
  });
}

export function refuseControl(report: string): void {
  const raw = CONTROL.exec(report);
  if (raw === null) return;
  throw new Error(`raw ${JSON.stringify(raw[0])} in: ${report.slice(Math.max(0, raw.index - 80), raw.index + 80)}`);
}
