import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { vantageOf } from '../../scripts/score.js';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { Finding } from '../../src/findings/finding.js';
import { parseContext } from '../../src/network/context/parse.js';
import type { Frame } from '../../src/wire/frame.js';
import { root } from '../support/fixtures.js';
import { randomOf } from '../support/random.js';

const lab = join(root, '../shared/captures/lab');
/** Windows of each capture; more by `NETDIAG_WINDOWS`. */
const WINDOWS = Number(process.env.NETDIAG_WINDOWS ?? 1);

/** What cuts can make out of healthy traffic, with the reason. */
const EXCUSED: { at: string; rule: string; why: string }[] = [
  {
    at: 'C-bridge/vrrp-keepalived/',
    rule: 'icmp/echo-unanswered',
    why: 'cut in the middle of a takeover: so far the pings are lost, and nothing tells that they will be answered again',
  },
];

interface Taken {
  at: string;
  file: string;
  context: unknown;
  vantage: ReturnType<typeof vantageOf>;
}

function healthyCaptures(): Taken[] {
  const truths = readdirSync(lab, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('/truth.json'));
  return truths.sort().flatMap((path) => {
    const scenario = path.slice(0, -'/truth.json'.length);
    const truth = JSON.parse(readFileSync(join(lab, path), 'utf8'));
    const contextFile = join(lab, scenario, 'context.json');
    const context = existsSync(contextFile) ? JSON.parse(readFileSync(contextFile, 'utf8')) : null;
    if (!truth.healthy) return [];
    return Object.entries<string>(truth.vantage).map(([capture, taken]) => ({
      at: `${scenario}/${capture}`,
      file: join(lab, scenario, capture),
      context,
      vantage: vantageOf(taken),
    }));
  });
}

/** Alarms about the frames that `pass` lets through. */
async function alarms({ file, context, vantage }: Taken, isKnown: boolean, pass: (frame: Frame) => boolean) {
  const options = isKnown && context !== null ? { context: parseContext(context), vantage } : {};
  const analyzer = new Analyzer(options);
  const source = await openCapture(file);
  const run = source.run.bind(source);
  source.run = (frame, onFrame, signal) => run(frame, (each) => void (pass(each) && onFrame(each)), signal);
  await analyzer.read(source);
  const isAlarm = ({ severity, confidence }: Finding) => severity !== 'info' && confidence !== 'hint';
  return analyzer.analysis().findings.filter(isAlarm);
}

// The recorded captures lie outside the repository.
if (existsSync(lab)) {
  describe('parts of recorded captures where all is well', () => {
    const below = randomOf(20_000);

    test('a capture that begins late or ends early raises no alarm, nor does a frame that is missing', async () => {
      const said: string[] = [];
      let windows = 0;
      for (const taken of healthyCaptures()) {
        let frames = 0;
        await alarms(taken, false, () => ++frames > 0);
        for (let i = 0; i < WINDOWS; i++) {
          const from = 1 + below(frames);
          const to = from + below(frames - from + 1);
          const lost = 1 + below(frames);
          const isKnown = below(2) === 0;
          const found = [
            ...(await alarms(taken, isKnown, ({ number }) => number >= from && number <= to)),
            ...(await alarms(taken, isKnown, ({ number }) => number !== lost)),
          ];
          windows++;
          for (const { rule, title } of found)
            if (!EXCUSED.some((each) => taken.at.startsWith(each.at) && each.rule === rule))
              said.push(`${taken.at}, ${from} to ${to} or without ${lost}: ${rule}: ${title}`);
        }
      }
      expect(windows).toBeGreaterThan(100);
      expect(said).toEqual([]);
    }, 120_000);
  });
}
