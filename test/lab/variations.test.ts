import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/findings/finding.js';
import { randomOf } from '../support/random.js';
import { deviationsOf } from './deviations.js';
import { EXCUSED, isExcused } from './excused.js';
import { fileOf, findingsOf, lab, recordedCaptures, type Shown } from './recorded.js';
import { VARIATIONS } from './variations.js';

/** Each so manieth variation of a capture is shown, with the host context or without; with 1 all of them, both ways. */
const STRIDE = Number(process.env.NETDIAG_VARIATIONS_STRIDE ?? 37);

/** A folder where captures that are judged otherwise are written to, so that their frames can be read. */
const KEPT = process.env.NETDIAG_VARIATIONS_KEEP;

// The recorded captures lie outside the repository.
if (existsSync(lab)) {
  describe('recorded captures, shown otherwise', async () => {
    const captures = await recordedCaptures();
    const healthy = captures.filter(({ truth }) => truth.healthy);

    test('other addresses, times, forms and neighbours make no difference but where they must', async () => {
      const said: string[] = [];
      let shown = 0;
      for (const [i, capture] of captures.entries()) {
        const found = new Map<boolean, Finding[]>();
        for (const [v, variation] of VARIATIONS.entries()) {
          if ((i * VARIATIONS.length + v) % STRIDE !== 0) continue;
          if (variation.only !== undefined && (variation.only === 'healthy') !== capture.truth.healthy) continue;
          for (const isKnown of STRIDE === 1 ? [false, true] : [(i + v) % 2 === 0]) {
            if (isKnown && capture.context === null) continue;
            const before = found.get(isKnown) ?? (await findingsOf(capture, isKnown));
            found.set(isKnown, before);
            const varied = variation.apply(capture, randomOf(i * 1000 + v), healthy, before);
            if (varied === null || (isKnown && varied.context === null)) continue;
            shown++;
            const after = await findingsOf(varied, isKnown);
            for (const each of deviationsOf(varied, variation, before, after)) {
              if (isExcused(variation, capture, each)) continue;
              const where = `${capture.at}, ${variation.name}${isKnown ? ', context' : ''}`;
              said.push(`${where}: ${each.kind} ${each.what}: ${each.detail}`);
              if (KEPT !== undefined)
                writeFileSync(join(KEPT, `${where.replaceAll(/[^\w.-]+/g, '-')}.pcapng`), fileOf(varied));
            }
          }
        }
      }
      expect(said).toEqual([]);
      expect(shown).toBeGreaterThan(100);
    }, 3_600_000);

    test('what is missing, forbidden or new is noticed', async () => {
      const [same] = VARIATIONS;
      const told = async (at: string, change: (found: Finding[]) => Finding[]) => {
        const capture = captures.find((each) => each.at === at) as Shown;
        const found = await findingsOf(capture, false);
        return deviationsOf(capture, same, found, change(found)).map(({ kind, what }) => `${kind} ${what}`);
      };
      const silent = 'C-bridge/arp-unanswered-host-off/h1-eth0.pcap';
      expect(await told(silent, (found) => found)).toEqual([]);
      expect(await told(silent, () => [])).toEqual(['lost arp-unanswered', 'differs arp/unanswered']);
      const other = (rule: Finding['rule']) => (found: Finding[]) => found.map((each) => ({ ...each, rule }));
      expect(await told(silent, other('arp/spoof'))).toContain('new arp/spoof');
      expect(await told(silent, other('arp/off-subnet-target'))).toContain('forbidden arp/off-subnet-target');
    });

    test('each excuse names a variation', () => {
      for (const { variation } of EXCUSED)
        expect(
          VARIATIONS.some(({ name }) => name.startsWith(variation)),
          variation,
        ).toBe(true);
    });
  });
}
