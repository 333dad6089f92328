import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import type { Analysis } from '../../../src/findings/finding.js';
import { generatedDispatcher } from '../../../src/rules/engine/generated-dispatch.js';
import { plainDispatcher } from '../../../src/rules/engine/plain-dispatch.js';
import { RULES } from '../../../src/rules/index.js';
import type { LayerName, Rule } from '../../../src/rules/rule.js';
import type { Frame } from '../../../src/wire/frame.js';
import { diagnosis, silentRule } from '../../support/diagnosis.js';
import { root } from '../../support/fixtures.js';

const folder = join(root, 'fixtures/hostile');
const captures = readdirSync(folder).filter((file) => /\.pcap(ng)?$/.test(file));

/** A rule that reports each header of a kind by the frame and layer it was given, and counts at the end. */
function headerCounter(layer: LayerName, nth: number): Rule {
  const rule = silentRule(`count/${layer.toLowerCase()}-${nth}`);
  return {
    ...rule,
    create: ({ report, withdraw }) => {
      let count = 0;
      return {
        layers: {
          [layer]: ({ number, capture, time }: Frame, index: number) => {
            count++;
            const evidence = [{ capture, frame: number, layer, offset: index, length: count }];
            report(diagnosis({ key: `${number} ${index}`, capture, segment: -1, first: time, last: time, evidence }));
            if (number % 3 === nth % 3) withdraw(`${number} ${index}`);
          },
        },
        captureEnd: (capture) => report(diagnosis({ key: `end ${capture}`, segment: -1, capture, count })),
      };
    },
  };
}

const LAYERS: LayerName[] = ['Ethernet', 'Arp', 'Ipv4', 'Ipv6', 'Icmp', 'Icmpv6', 'Udp', 'Tcp', 'Vxlan', 'Dhcp', 'Stp'];
const counters = LAYERS.flatMap((layer) => [0, 1, 2, 3].map((nth) => headerCounter(layer, nth)));

async function analysisBy(
  dispatch: typeof plainDispatcher,
  rules: readonly Rule[],
  capture: string,
): Promise<Analysis> {
  const analyzer = new Analyzer({}, { rules, dispatch });
  await analyzer.read(await openCapture(join(folder, capture)));
  return analyzer.analysis();
}

describe.each([
  ['44 synthetic rules', counters],
  ['all rules', RULES],
])('plain and generated dispatch give equal findings: %s', (_, rules) => {
  it.each(captures)('on %s', async (capture) => {
    const [plain, generated] = await Promise.all([
      analysisBy(plainDispatcher, rules, capture),
      analysisBy(generatedDispatcher, rules, capture),
    ]);
    expect(generated).toEqual(plain);
    if (rules === counters) expect(plain.findings.length).toBeGreaterThan(0);
  });
});
