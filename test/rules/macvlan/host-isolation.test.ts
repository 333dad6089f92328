import { describe, expect, it } from 'vitest';
import { ping } from '../../support/ping.js';
import { ONE, PARENT, siblings, TWO } from '../../support/siblings.js';
import { syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const rules = async (mode: string, capture: Capture) => {
  const findings = await capture.findings({ context: siblings({ kind: 'macvlan', mode, hairpin: false }) });
  return findings.map(({ rule, confidence }) => `${rule} ${confidence}`);
};
const childAsks = () => new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.14');
const hostAsks = () => new Capture().askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');

describe('macvlan/host-isolation', () => {
  it.each(['bridge', 'private'])('is certain in mode %s, whoever of the two asks', async (mode) => {
    expect(await rules(mode, childAsks())).toEqual(['macvlan/host-isolation certain']);
    expect(await rules(mode, hostAsks())).toEqual(['macvlan/host-isolation certain']);
  });

  it('leaves VEPA mode to the missing reflection', async () => {
    expect(await rules('vepa', childAsks())).toEqual(['macvlan/vepa-no-reflection certain']);
  });

  it('keeps still where a switch reflects, but for what a private child asks: that comes back to itself alone', async () => {
    const reflecting = async (mode: string, capture: Capture) =>
      (await capture.findings({ context: siblings({ kind: 'macvlan', mode, hairpin: true }) })).map(({ rule }) => rule);
    for (const [mode, capture] of [
      ['bridge', childAsks()],
      ['bridge', hostAsks()],
      ['private', hostAsks()],
    ] as const)
      expect(await reflecting(mode, capture)).toEqual(['arp/unanswered']);
    expect(await reflecting('private', childAsks())).toEqual(['macvlan/host-isolation']);
  });

  it('makes a passthru child anew first, which is alone on its device', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', hairpin: false, shared: true });
    const [finding] = await new Capture().askAgain(3, PARENT, '10.0.0.101', '10.0.0.14').findings({ context });
    expect(finding.rule).toBe('macvlan/host-isolation');
    expect(finding.remedy.map(({ commands }) => commands[0])).toEqual([
      'ip netns exec ns1 ip link del child1',
      'ip link add mv-host link eth0 type macvlan mode bridge',
    ]);
    expect(finding.remedy[0].commands).toContain('ip link add child1 link eth0 netns ns1 type macvlan mode bridge');
  });

  it('gives a cure with the names and addresses of this host', async () => {
    const [finding] = await childAsks().findings({ context: siblings({ kind: 'macvlan', mode: 'bridge' }) });
    expect(finding.remedy[0].commands).toContain('ip link add mv-host link eth0 type macvlan mode bridge');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
  });

  it('routes to the guest behind a tap, whose address only the frames tell', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'bridge', withoutAddresses: 'link-local' });
    const [finding] = await childAsks().findings({ context });
    expect(finding.remedy[0].commands).toContain('ip addr add 10.0.0.14/32 dev mv-host');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
  });

  it('knows a guest that runs as a process by the MAC of its tap', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'bridge', withoutAddresses: true, withGuests: true });
    for (const capture of [childAsks(), hostAsks()]) {
      const [finding] = await capture.findings({ context });
      expect(finding).toMatchObject({ rule: 'macvlan/host-isolation', confidence: 'certain' });
      expect(finding.remedy[0].commands).toContain('ip addr add 10.0.0.14/32 dev mv-host');
      expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
    }
  });

  describe('while the MAC is remembered and nobody asks', () => {
    const parent = { mac: PARENT, ip: '10.0.0.14' };
    const child = { mac: ONE, ip: '10.0.0.101' };
    const end = (capture: Capture) => capture.at(20).ask(TWO, '10.0.0.102', '10.0.0.77');
    const pings = (times: number, from = parent, to = child) => end(ping(new Capture(), times, { from, to }));

    it('is certain of pings to the MAC itself, either way', async () => {
      expect(await rules('bridge', pings(4))).toEqual(['macvlan/host-isolation certain']);
      expect(await rules('bridge', pings(4, child, parent))).toEqual(['macvlan/host-isolation certain']);
      const [finding] = await pings(4).findings({ context: siblings({ kind: 'macvlan', mode: 'bridge' }) });
      expect(finding.evidence.map(({ frame }) => frame)).toEqual([1, 2, 3, 4]);
      expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
    });

    it('keeps still where they go by a router, to a sibling, are answered, or reflected', async () => {
      const other = async (capture: Capture, mode = 'bridge') =>
        (await rules(mode, capture)).filter((rule) => rule.startsWith('macvlan/'));
      expect(await other(pings(4, parent, { ...child, mac: '02:00:00:00:00:fe' }))).toEqual([]);
      expect(await other(pings(4, child, { mac: TWO, ip: '10.0.0.102' }))).toEqual([]);
      expect(await other(pings(4), 'vepa')).toEqual([]);
      const answered = ping(new Capture(), 4, { from: parent, to: child, answered: (sequence) => sequence > 2 });
      expect(await other(end(answered))).toEqual([]);
    });

    it('is certain of SYNs too, likely where the switch is not known, and still where it reflects', async () => {
      const told = async (more: object) => {
        const capture = end(syns(new Capture(), 3, {}, 1, parent, child));
        const found = await capture.findings({ context: siblings({ kind: 'macvlan', mode: 'bridge', ...more }) });
        return found.filter(({ rule }) => rule.startsWith('macvlan/')).map(({ confidence }) => confidence);
      };
      expect(await told({ hairpin: false })).toEqual(['certain']);
      expect(await told({})).toEqual(['likely']);
      expect(await told({ hairpin: true })).toEqual([]);
    });

    it('is one finding with the questions that follow', async () => {
      const capture = ping(new Capture(), 4, { from: parent, to: child }).at(9);
      capture.askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');
      expect(await rules('bridge', end(capture))).toEqual(['macvlan/host-isolation certain']);
    });
  });

  it('keeps still between siblings, and about two requests', async () => {
    expect(await rules('bridge', new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.102'))).toEqual([
      'arp/unanswered likely',
    ]);
    expect(await rules('bridge', new Capture().askAgain(2, ONE, '10.0.0.101', '10.0.0.14'))).toEqual([
      'arp/unanswered hint',
    ]);
  });
});
