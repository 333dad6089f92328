import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Score, scoreFolder, vantageOf } from '../../scripts/score.js';
import { analyze } from '../../src/analyze.js';
import { parseContext } from '../../src/network/context/parse.js';
import { RULES } from '../../src/rules/index.js';
import { root } from '../support/fixtures.js';

const lab = join(root, '../shared/captures/lab');

/** What the captures named by a truth cannot show by themselves, with the reason. */
const UNDECIDABLE: { at: string; problem: string; why: string }[] = [
  {
    at: 'D-vxlan/inner-vlan-mismatch/vm-vtep2-eth0.pcap',
    problem: 'vlan-without-interface',
    why: 'the host context lacks this machine, so that it has no device for VLAN 100 is known to nobody',
  },
];

test('a truth tells where each of its captures was taken', () => {
  expect(vantageOf('tcpdump in namespace lab-host, interface ens34; Ethernet; 3 frames')).toEqual({
    namespace: 'host',
    interface: 'ens34',
  });
  expect(vantageOf('dumpcap in namespace lab-sw, interfaces p-vm1 p-qdhcp; pcapng; 30 frames')).toBeNull();
  expect(vantageOf('derived from a recorded file, see record.sh; Ethernet; 2 frames')).toBeNull();
});

// The recorded captures lie outside the repository.
if (existsSync(lab)) {
  describe('recorded captures whose truth is known', () => {
    let score: Score;

    beforeAll(async () => {
      score = await scoreFolder(
        lab,
        async (capture, context, vantage) =>
          (await analyze([capture], { context: context === null ? null : parseContext(context), vantage })).findings,
        RULES.map(({ meta }) => meta.id),
      );
    }, 120_000);

    test('nothing is said that must not be', () => {
      expect(
        score.forbidden.map(({ scenario, capture, finding }) => `${scenario}/${capture}: ${finding.rule}`),
      ).toEqual([]);
    });

    test('no alarm where all is well', () => {
      expect(score.alarms.map(({ scenario, capture, finding }) => `${scenario}/${capture}: ${finding.rule}`)).toEqual(
        [],
      );
    });

    test('every problem that there is a rule for is found, with its frames', () => {
      const excused = new Set(UNDECIDABLE.map(({ at, problem }) => `${at}: ${problem}`));
      expect(
        score.expected
          .filter(({ outcome }) => outcome === 'missed' || outcome === 'hint')
          .map(({ scenario, capture, problem }) => `${scenario}/${capture}: ${problem}`)
          .filter((each) => !excused.has(each)),
      ).toEqual([]);
    });

    test('no excuse is out of date', () => {
      const missed = new Set(
        score.expected
          .filter(({ outcome }) => outcome === 'missed' || outcome === 'hint')
          .map(({ scenario, capture, problem }) => `${scenario}/${capture}: ${problem}`),
      );
      expect(UNDECIDABLE.map(({ at, problem }) => `${at}: ${problem}`).filter((each) => !missed.has(each))).toEqual([]);
    });
  });
}
