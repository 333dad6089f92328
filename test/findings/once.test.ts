import { describe, expect, it } from 'vitest';
import { assemble, type Surroundings } from '../../src/findings/assemble.js';
import { Collector } from '../../src/findings/collector.js';
import type { SegmentRef } from '../../src/findings/segment-ref.js';
import type { Network } from '../../src/network/network.js';
import type { Diagnosis } from '../../src/rules/rule.js';
import { diagnosis, silentRule } from '../support/diagnosis.js';

const rule = silentRule('arp/unanswered', 'warning');
const SEGMENTS: SegmentRef[] = [
  { capture: 0, interface: 'eth0', vlans: [], vnis: [] },
  { capture: 0, interface: 'br0', vlans: [], vnis: [] },
  { capture: 0, interface: 'veth1', vlans: [], vnis: [] },
  { capture: 0, interface: 'eth0', vlans: [10], vnis: [] },
  { capture: 0, interface: 'eth1', vlans: [20], vnis: [] },
  { capture: 0, interface: 'eth0', vlans: [], vnis: [7] },
  { capture: 1, interface: 'eth0', vlans: [], vnis: [] },
];
const SURROUNDINGS: Surroundings = {
  epoch: 0,
  severity: {},
  obeyed: [],
  describeSegment: (row) => SEGMENTS[row],
  places: { network: {} as Network, captures: [] },
  losses: () => null,
};

function found(...reports: Partial<Diagnosis>[]) {
  const collector = new Collector();
  for (const [key, report] of reports.entries()) collector.report(rule, diagnosis({ key: `${key}`, ...report }));
  return assemble(collector, SURROUNDINGS).map(({ segment, summary }) => [segment.interface, summary]);
}
const said = diagnosis().summary;

describe('what several devices of a capture show', () => {
  it('is said once, with where else it shows', () => {
    expect(found({ segment: 0 }, { segment: 1 })).toEqual([['eth0', `${said} The capture shows it at br0 too.`]]);
    expect(found({ segment: 0 }, { segment: 1 }, { segment: 2 })).toEqual([
      ['eth0', `${said} The capture shows it at br0 and veth1 too.`],
    ]);
  });

  it('is told of the device where it is surest, and else where it was first', () => {
    expect(found({ segment: 0, confidence: 'hint' }, { segment: 1, confidence: 'certain' })[0][0]).toBe('br0');
    const times = [
      { first: 2e6, last: 3e6 },
      { first: 1e6, last: 3e6, count: 1 },
    ];
    expect(found({ segment: 0, count: 9, ...times[0] }, { segment: 1, ...times[1] })[0][0]).toBe('br0');
  });

  it('is the same without the tag or the outer headers, and not in another VLAN or at another time', () => {
    expect(found({ segment: 1 }, { segment: 3 })).toHaveLength(1);
    expect(found({ segment: 1 }, { segment: 5 })).toHaveLength(1);
    expect(found({ segment: 3 }, { segment: 4 })).toHaveLength(2);
    expect(found({ segment: 0 }, { segment: 3 })).toHaveLength(2);
    expect(found({ segment: 0, first: 0, last: 1e9 }, { segment: 1, first: 3e9, last: 4e9 })).toHaveLength(2);
  });

  it('is another fault about another subject, at another time in another capture, or in other words, but for what was measured', () => {
    expect(
      found({ segment: 0, subject: { ip: '10.0.0.1' } }, { segment: 1, subject: { ip: '10.0.0.2' } }),
    ).toHaveLength(2);
    expect(found({ segment: 0 }, { segment: 6, capture: 1, first: 9e9, last: 9e9 })).toHaveLength(2);
    expect(found({ segment: 0, title: 'one' }, { segment: 1, title: 'other' })).toHaveLength(2);
    expect(found({ segment: 0, title: 'passed 20 times' }, { segment: 1, title: 'passed 19 times' })).toHaveLength(1);
  });

  it('is said once where one device shows it again and again', () => {
    expect(found({ segment: 0 }, { segment: 0, first: 9e9, last: 9e9 })).toEqual([
      ['eth0', `${said} The capture shows the same once more.`],
    ]);
  });
});
