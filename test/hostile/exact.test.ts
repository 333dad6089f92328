import { expect, it } from 'vitest';
import { Analyzer } from '../../src/analyze.js';
import type { CaptureSource } from '../../src/capture/source.js';
import { root } from '../support/fixtures.js';
import { framesOf } from './frames.js';
import type { Bytes } from './mutate.js';
import { context, seeds } from './pipeline.js';

/** Bytes that are left of each frame: every length of the headers that rules read, and around them. */
const LENGTHS = [
  14, 15, 16, 17, 18, 20, 22, 24, 28, 30, 32, 33, 34, 36, 38, 40, 41, 42, 44, 46, 48, 50, 54, 58, 62, 70,
];
/** Times that each comes in a row: what rules look at only in frames that come again is looked at too. */
const AGAIN = 24;

/** Frames each of which lies in a buffer of its own length: whoever reads behind its end throws. */
function exactly(frames: readonly Bytes[], linkType: number, isSnapped: boolean, left: number): CaptureSource {
  return {
    info: {
      name: 'exact',
      format: 'pcap',
      compression: null,
      complete: true,
      problems: [],
      dropped: null,
      interfaces: [{ name: null, description: null, linkType, snapLength: 0, dropped: null }],
      comments: 0,
      untimed: 0,
    },
    progress: { read: 0, total: null },
    async run(frame, onFrame) {
      for (const [i, whole] of frames.entries()) {
        const bytes = whole.slice(0, left);
        frame.useBuffer(bytes);
        frame.start = 0;
        frame.end = bytes.length;
        frame.wireLength = isSnapped ? whole.length : bytes.length;
        frame.linkType = linkType;
        frame.interface = 0;
        for (let again = 0; again < AGAIN; again++) {
          frame.number = i * AGAIN + again + 1;
          frame.setTime(1_700_000_000 + i, again * 20_000);
          onFrame(frame);
        }
      }
    },
  };
}

it.each([
  ['the capture cut', true],
  ['that are too short', false],
])(
  'reads nothing behind the end of frames %s',
  async (_, isSnapped) => {
    const failures = new Map<string, string>();
    for (const [linkType, frames] of await framesOf(seeds().map(({ bytes }) => bytes))) {
      const distinct = [...new Map(frames.map((each) => [Buffer.from(each).toString('latin1'), each])).values()];
      for (const left of LENGTHS) {
        const analyzer = new Analyzer({ context });
        try {
          await analyzer.read(exactly(distinct, linkType, isSnapped, left));
          analyzer.analysis();
        } catch (error) {
          const { stack = '' } = error as Error;
          failures.set(
            stack
              .split('\n')
              .slice(2, 5)
              .map((each) => each.trim().replace(root, ''))
              .join(' < '),
            `link type ${linkType}, ${left} bytes`,
          );
        }
      }
    }
    expect([...failures]).toEqual([]);
  },
  300_000,
);
