import { describe, expect, it } from 'vitest';
import { advertisement, solicitation } from '../../support/nd.js';
import { ONE, PARENT, siblings, TWO } from '../../support/siblings.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'macvlan/egress-filtered';
const OUTSIDE = '02:00:00:00:00:77';
const context = siblings({ kind: 'macvlan', mode: 'bridge' });
const short = async (capture: Capture, hasContext = true) =>
  (await capture.findings(hasContext ? { context } : {})).map(({ rule, confidence }) => `${rule} ${confidence}`);

/** A child asks in vain, then its parent is answered. */
const filtered = (times = 3, way?: Way) =>
  hostServed(new Capture().askAgain(times, ONE, '10.0.0.101', '10.0.0.77', way), way);
const hostServed = (capture: Capture, way?: Way) =>
  capture.at(4).ask(PARENT, '10.0.0.14', '10.0.0.77', way).answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14', way);

describe('macvlan/egress-filtered', () => {
  it('is likely where the parent is served and the child is not', async () => {
    expect(await short(filtered())).toEqual([`${RULE} likely`]);
    expect(await short(filtered(3, { vlan: 7 }))).toEqual([`${RULE} likely`]);
  });

  it('knows that a device carries children of one kind alone', async () => {
    const [finding] = await filtered().findings({ context });
    const { text, commands } = finding.remedy[finding.remedy.length - 1];
    expect(text).toContain('(child2 in ns2)');
    expect(commands).toEqual([
      'ip netns exec ns1 ip link del child1',
      'ip link add child1 link eth0 netns ns1 type ipvlan mode l2',
      'ip netns exec ns1 ip link set child1 up',
      'ip netns exec ns1 ip addr add 10.0.0.101/24 dev child1',
    ]);
  });

  it('needs three requests, and the parent served for the same target in the same VLAN', async () => {
    expect(await short(filtered(2))).not.toContain(`${RULE} likely`);
    expect(await short(new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.77'))).toEqual(['arp/unanswered likely']);
    const apart = hostServed(new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.77', { vlan: 7 }), { vlan: 8 });
    expect(await short(apart)).not.toContain(`${RULE} likely`);
    const other = new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.78');
    expect(await short(hostServed(other))).not.toContain(`${RULE} likely`);
  });

  it('keeps still if the child is served later, written to, or has a sibling that is served', async () => {
    const later = filtered().at(4.1).answer(OUTSIDE, '10.0.0.77', ONE, '10.0.0.101');
    expect(await short(later)).not.toContain(`${RULE} likely`);
    const written = filtered().at(5).ipv4({ from: OUTSIDE, to: ONE, source: '10.0.0.78', destination: '10.0.0.101' });
    expect(await short(written)).not.toContain(`${RULE} likely`);
    const sibling = filtered().ask(TWO, '10.0.0.102', '10.0.0.77').answer(OUTSIDE, '10.0.0.77', TWO, '10.0.0.102');
    expect(await short(sibling)).not.toContain(`${RULE} likely`);
  });

  it('does the same for IPv6', async () => {
    const dual = siblings({ kind: 'macvlan', mode: 'bridge', isDual: true });
    const asked = new Capture();
    for (const at of [0, 1.02, 2.04]) asked.at(at).raw(solicitation(ONE, 'fd00::101', 'fd00::77'));
    const said = async (capture: Capture) =>
      (await capture.findings({ context: dual })).map(({ rule, confidence }) => `${rule} ${confidence}`);
    asked.at(4).raw(solicitation(PARENT, 'fd00::14', 'fd00::77'));
    expect(await said(asked.at(9).ask(OUTSIDE, '10.0.0.77', '10.0.0.78'))).toEqual(['nd/unanswered likely']);
    asked.at(9.1).raw(solicitation(PARENT, 'fd00::14', 'fd00::77'));
    asked.raw(advertisement(OUTSIDE, 'fd00::77', { mac: PARENT, ip: 'fd00::14' }));
    expect(await said(asked)).toEqual([`${RULE} likely`]);
  });

  it('takes in that somebody else never hears the answers of the child, whichever is seen first', async () => {
    const third = '02:00:00:00:00:88';
    const capture = filtered();
    for (let second = 0; second < 3; second++) {
      capture.at(5 + second * 1.02).ask(third, '10.0.0.88', '10.0.0.101');
      capture.at(5.0002 + second * 1.02).answer(ONE, '10.0.0.101', third, '10.0.0.88');
    }
    for (const second of [0, 1.02, 2.04]) capture.at(9 + second).ask(ONE, '10.0.0.101', '10.0.0.77');
    capture.at(16).ask(PARENT, '10.0.0.14', '10.0.0.77').answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14');
    const [finding, ...others] = await capture.findings({ context });
    expect(others).toEqual([]);
    expect(finding.rule).toBe(RULE);
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
  });

  it('only hints of answers that are asked for by the clock, as arping does', async () => {
    const asked = async (pause: number) => {
      const capture = new Capture().ask(PARENT, '10.0.0.14', '10.0.0.77');
      capture.answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14');
      for (let i = 0; i < 5; i++) {
        capture.at(5 + i * pause).ask(OUTSIDE, '10.0.0.77', '10.0.0.101');
        capture.at(5.0002 + i * pause).answer(ONE, '10.0.0.101', OUTSIDE, '10.0.0.77', { direction: 'out' });
      }
      const findings = await capture
        .at(20)
        .ask(PARENT, '10.0.0.14', '10.0.0.78')
        .findings({ context, select: [RULE] });
      return findings.map(({ confidence }) => confidence);
    };
    expect(await asked(1)).toEqual(['hint']);
    expect(await asked(1.02)).toEqual(['likely']);
  });

  it('speaks without context if both ends ask for each other, one in vain and one although answered', async () => {
    const capture = new Capture();
    for (let second = 0; second < 4; second++) {
      capture.at(second * 1.02).ask(ONE, '10.0.0.101', '10.0.0.77');
      capture.at(second * 1.02 + 0.1).ask(OUTSIDE, '10.0.0.77', '10.0.0.101');
      capture.at(second * 1.02 + 0.11).answer(ONE, '10.0.0.101', OUTSIDE, '10.0.0.77');
    }
    expect(await short(hostServed(capture), false)).toContain(`${RULE} likely`);
    expect(await short(filtered(), false)).toEqual(['arp/unanswered likely']);
  });
});
