import { describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { RULES } from '../../src/rules/index.js';
import type { RuleId } from '../../src/rules/rule.js';
import { Direction, Frame } from '../../src/wire/frame.js';
import { captureOf, expectationOf, type FixtureCase, fixtureCases } from '../support/fixtures.js';
import { Capture, type Way } from '../support/wire.js';

/** LINKTYPE_ETHERNET. */
const ETHERNET = 1;
/** Why a rule says nothing, or less, of its fault inside VXLAN. */
const NOT_INSIDE: Readonly<Partial<Record<RuleId, string>>> = {
  'capture/filter-too-narrow': 'the packets of the tunnel are IP',
  'nd/dad-reflected': 'compares frames of the outermost Ethernet, as its page says',
  'ipvlan/host-reply-asymmetric': 'is about a host and its own ipvlan children, which sit on no tunnel',
  'bridge/loop': 'leaves out UDP, and a tunnel is UDP',
  'vxlan/inner-mtu': 'no tunnel in a tunnel',
  'mtu/fragments-incomplete': 'is surer of a capture that was not taken inside',
  'mtu/bad-checksum': 'leaves what is inside to vxlan/bad-inner-checksum',
};
/** Why a rule is less sure of its fault in a VLAN. */
const NOT_IN_VLAN: Readonly<Partial<Record<RuleId, string>>> = {
  'vlan/double-tag': 'a third tag around the two may be the provider’s',
};

interface Kept {
  time: number;
  bytes: number[];
  way: Way;
  wireLength: number;
}

/** The frames of a capture; null if some have another link header than Ethernet, which cannot be put into another frame. */
async function framesOf(path: string): Promise<Kept[] | null> {
  const source = await openCapture(path);
  const kept: Kept[] = [];
  let isEthernet = true;
  await source.run(new Frame(), ({ view, start, end, time, wireLength, linkType, direction }) => {
    if (linkType !== ETHERNET) isEthernet = false;
    const bytes = [...new Uint8Array(view.buffer, view.byteOffset + start, end - start)];
    const way: Way = direction === Direction.Unknown ? {} : { direction: direction === Direction.In ? 'in' : 'out' };
    kept.push({ time: time / 1e9, bytes, way, wireLength });
  });
  return isEthernet ? kept : null;
}

function put(frames: readonly Kept[], around: Way, length: number): Capture {
  const capture = new Capture();
  for (const { time, bytes, way, wireLength } of frames)
    capture.at(time).raw(bytes, { ...way, ...around }, wireLength + length);
  return capture;
}

/** Severity and confidence of what the rule says without host context, which knows neither that VLAN nor that tunnel. */
async function said(capture: Capture, id: RuleId): Promise<string[]> {
  const findings = await capture.findings({ select: [id] });
  return findings.map(({ severity, confidence }) => `${severity} ${confidence}`).sort();
}

const faults = RULES.flatMap(({ meta }) =>
  fixtureCases(meta.id)
    .filter((fixture) => expectationOf(fixture).kind === 'fault')
    .map((fixture): [string, FixtureCase] => [`${meta.id} ${fixture.name}`, fixture]),
);

describe('a fault is told the same inside a VLAN and inside VXLAN as outside', () => {
  it.each(faults)('%s', async (_, fixture) => {
    const frames = await framesOf(captureOf(fixture));
    if (frames === null) return;
    const { rule } = fixture;
    const usual = await said(put(frames, {}, 0), rule);
    if (!(rule in NOT_IN_VLAN)) expect(await said(put(frames, { vlan: 77 }, 4), rule)).toEqual(usual);
    if (!(rule in NOT_INSIDE)) expect(await said(put(frames, { vni: 7 }, 50), rule)).toEqual(usual);
  });

  it('enough rules speak of their faults without host context for this to say something', async () => {
    const speaking = new Set<RuleId>();
    for (const [, fixture] of faults) {
      const frames = await framesOf(captureOf(fixture));
      if (frames !== null && (await said(put(frames, {}, 0), fixture.rule)).length > 0) speaking.add(fixture.rule);
    }
    expect(speaking.size).toBeGreaterThan(70);
  });
});
