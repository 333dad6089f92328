import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.js';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { width } from '../../../src/tui/text.js';
import { ping } from '../../support/ping.js';
import { ONE, PARENT, siblings, TWO } from '../../support/siblings.js';
import { syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const asking = (times = 3) => new Capture().askAgain(times, ONE, '10.0.0.101', '10.0.0.102');
const rules = async (capture: Capture, context: HostContext) =>
  (await capture.findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);
const VEPA = 'macvlan/vepa-no-reflection certain';

describe('macvlan/vepa-no-reflection', () => {
  it('is certain of two children in VEPA mode, names them, and explains the silence', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false });
    const [finding, ...others] = await asking().findings({ context });
    expect(others).toEqual([]);
    expect([finding.rule, finding.confidence]).toEqual(['macvlan/vepa-no-reflection', 'certain']);
    expect(finding.explains).toEqual([{ rule: 'arp/unanswered', count: 3, frames: [1, 2, 3] }]);
    expect(finding.remedy[0].commands).toEqual([
      'ip netns exec ns1 ip link set child1 type macvlan mode bridge',
      'ip netns exec ns2 ip link set child2 type macvlan mode bridge',
    ]);
  });

  it.each([
    ['ens34', 'ns01'],
    ['enp129s0f0np0', 'cni-5f0e1c2b-7a11-4c1e-9c0a-3a4b5c6d7e8f'],
    ['网卡一号', '容器'],
  ])('draws the path as wide as %s in %s needs', async (parent, namespace) => {
    const text = readFileSync('fixtures/demo/context.json', 'utf8');
    const json = JSON.parse(text.replaceAll('ens34', parent).replaceAll('ns01', namespace));
    const { findings } = await analyze(['fixtures/demo/vepa.pcap'], { context: parseContext(json) });
    const [places, arm, below] = findings[0].picture;
    const columnOf = (line: string, mark: string) => width(line.slice(0, line.indexOf(mark)));
    expect(columnOf(below, '└')).toBe(columnOf(arm, '┐'));
    expect(columnOf(below, '┘')).toBe(columnOf(arm, '┌'));
    expect(columnOf(places, 'ns02')).toBe(columnOf(arm, '┌'));
  });

  it('explains that a guest which sends does not answer ARP, as a child of ipvlan in mode l3 would not', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'vepa', hairpin: false, withoutAddresses: true });
    const far = { mac: '02:00:00:00:00:77', ip: '10.0.0.7' };
    const capture = ping(new Capture(), 3, { from: { mac: TWO, ip: '10.0.0.102' }, to: far, answered: () => true });
    capture.at(9).askAgain(3, ONE, '10.0.0.101', '10.0.0.102');
    const told = (await capture.findings({ context })).map(({ rule }) => rule);
    expect(told).toEqual(['macvlan/vepa-no-reflection']);
  });

  it('is certain of guests that run as processes, by the MACs of their taps', async () => {
    const context = siblings({
      kind: 'macvtap',
      mode: 'vepa',
      hairpin: false,
      withoutAddresses: true,
      withGuests: true,
    });
    expect(await rules(asking(), context)).toEqual([VEPA]);
    const end = (capture: Capture) => capture.at(20).ask(TWO, '10.0.0.102', '10.0.0.77');
    const [from, to] = [
      { mac: ONE, ip: '10.0.0.101' },
      { mac: TWO, ip: '10.0.0.102' },
    ];
    expect(await rules(end(ping(new Capture(), 4, { from, to })), context)).toEqual([VEPA]);
  });

  describe('of children that know each other’s MAC without asking', () => {
    const [one, two] = [
      { mac: ONE, ip: '10.0.0.101' },
      { mac: TWO, ip: '10.0.0.102' },
    ];
    const both = () => syns(ping(new Capture(), 3, { from: one, to: two }), 3, {}, 5, one, two);
    const vepa = (more: object = {}) => siblings({ kind: 'macvlan', mode: 'vepa', ...more });
    const told = async (capture: Capture, context: HostContext, options = {}) =>
      (await capture.findings({ context, ...options, select: ['macvlan/vepa-no-reflection'] })).map(
        ({ confidence }) => confidence,
      );
    const atParent = { vantage: { namespace: 'host', interface: 'eth0' } };

    it('is certain of pings and SYNs where the switch port is without hairpin, and explains both', async () => {
      const [finding, ...others] = await both().findings({ context: vepa({ hairpin: false }) });
      expect(others).toEqual([]);
      expect([finding.rule, finding.confidence]).toEqual(['macvlan/vepa-no-reflection', 'certain']);
      expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'tcp/syn-unanswered']);
      expect(finding.summary).toContain('10.0.0.101 sends 6 packets to 10.0.0.102');
    });

    it('is likely at the parent where no copy comes back, and a hint elsewhere, without the switch', async () => {
      expect(await told(both(), vepa(), atParent)).toEqual(['likely']);
      expect(await told(both(), vepa())).toEqual(['hint']);
    });

    it('keeps silent where the switch reflects, by its port or by a copy', async () => {
      expect(await told(both(), vepa({ hairpin: true }), atParent)).toEqual([]);
      const asked = () => new Capture().ask(ONE, one.ip, '10.0.0.3').at(0.0005).ask(ONE, one.ip, '10.0.0.3').at(1);
      expect(await told(ping(asked(), 3, { from: one, to: two }), vepa(), atParent)).toEqual([]);
    });

    it('keeps silent in other modes, of packets by a router, and where replies come', async () => {
      for (const mode of ['bridge', 'private'])
        expect(await told(both(), siblings({ kind: 'macvlan', mode, hairpin: false }))).toEqual([]);
      const routed = { mac: '02:00:00:00:00:fe', ip: two.ip };
      expect(await told(ping(new Capture(), 3, { from: one, to: routed }), vepa({ hairpin: false }))).toEqual([]);
      const answered = ping(new Capture(), 3, { from: one, to: two, answered: () => true });
      expect(await told(answered, vepa({ hairpin: false }))).toEqual([]);
    });
  });

  it('does not need the switch in the context', async () => {
    expect(await rules(asking(), siblings({ kind: 'macvlan', mode: 'vepa' }))).toEqual([VEPA]);
  });

  it('does not name a parent that the context does not show', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', withoutHost: true });
    const [finding] = await asking().findings({ context });
    expect([finding.rule, finding.confidence]).toEqual(['macvlan/vepa-no-reflection', 'likely']);
    expect(finding.summary).toContain('child2 in ns2 may be a child of the same device: in VEPA mode');
  });

  it.each([true, 'link-local'] as const)(
    'takes a tap with a guest that it cannot see for the other (%s)',
    async (none) => {
      const guests = { kind: 'macvtap', mode: 'vepa', withoutAddresses: none } as const;
      expect(await rules(asking(), siblings({ ...guests, hairpin: false }))).toEqual([
        'macvlan/vepa-no-reflection likely',
      ]);
      expect(await rules(asking(), siblings({ ...guests, hairpin: true }))).toEqual(['arp/unanswered likely']);
      const another = siblings({ kind: 'macvtap', mode: 'vepa', hairpin: false });
      expect(await rules(new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.77'), another)).toEqual([
        'arp/unanswered likely',
      ]);
    },
  );

  it('keeps still when the switch reflects', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', hairpin: true });
    expect(await rules(asking(), context)).toEqual(['arp/unanswered likely']);
  });

  it('keeps still when copies come back to a switch that the context does not show', async () => {
    const capture = new Capture();
    for (const time of [0, 1.02, 2.04])
      capture
        .at(time)
        .ask(ONE, '10.0.0.101', '10.0.0.102')
        .at(time + 0.0001)
        .ask(ONE, '10.0.0.101', '10.0.0.102');
    expect(await rules(capture, siblings({ kind: 'macvlan', mode: 'vepa' }))).toEqual(['arp/unanswered likely']);
  });

  it('waits for the third request', async () => {
    expect(await rules(asking(2), siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false }))).toEqual([
      'arp/unanswered hint',
    ]);
  });

  it.each(['bridge', 'private'])('keeps still in mode %s', async (mode) => {
    const found = await rules(asking(), siblings({ kind: 'macvlan', mode, hairpin: false }));
    expect(found).not.toContain(VEPA);
  });

  it('speaks between a child and its parent, which only a reflecting switch joins', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false });
    expect(await rules(new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.14'), context)).toEqual([VEPA]);
    expect(await rules(new Capture().askAgain(3, PARENT, '10.0.0.14', '10.0.0.102'), context)).toEqual([VEPA]);
  });

  it('gives the host a child of its own, and both modes that talk', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false });
    const capture = new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.14');
    const [finding] = await capture.findings({ context });
    expect(finding.remedy[0].commands).toEqual([
      'ip netns exec ns1 ip link set child1 type macvlan mode bridge',
      'ip link add mv-host link eth0 type macvlan mode bridge',
      'ip addr add 10.0.0.14/32 dev mv-host',
      'ip link set mv-host up',
      'ip route add 10.0.0.101/32 dev mv-host',
    ]);
  });

  it('keeps still about a target outside', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false });
    expect(await rules(new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.77'), context)).toEqual([
      'arp/unanswered likely',
    ]);
  });

  it('only hints without a context, where both were seen to send from here', async () => {
    const out = { direction: 'out' } as const;
    const capture = new Capture()
      .ask(TWO, '10.0.0.102', '10.0.0.7', out)
      .at(0.001)
      .answer('02:00:00:00:00:07', '10.0.0.7', TWO, '10.0.0.102', { direction: 'in' })
      .at(1)
      .askAgain(3, ONE, '10.0.0.101', '10.0.0.102', out);
    const found = (await capture.findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);
    expect(found).toContain('macvlan/vepa-no-reflection hint');
  });
});
