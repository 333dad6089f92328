import { describe, expect, it } from 'vitest';
import { CLIENT, dhcp, SERVER } from '../../../support/dhcp.js';
import { asking, BRIDGE, bpdus, played, type Step } from '../../../support/spanning-tree.js';
import type { Way } from '../../../support/wire.js';

const RULE = 'bridge/port-not-forwarding';
const H3 = '02:00:00:00:00:23';
/** Flags: topology change; designated and discarding, learning, forwarding. */
const TC = 1;
const DISCARDING = 0x0e;
const LEARNING = 0x1c;
const FORWARDING = 0x3c;

const rules = async (...steps: readonly Step[][]) =>
  (await played(...steps).findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);
/** The port comes up at 0 and forwards at 30; the bridge tells of the change from then on. */
const opening = bpdus((second) => (second >= 30 ? TC : 0));
const silent = ['arp/unanswered certain'];

describe('bridge/port-not-forwarding, from the BPDUs of the old spanning tree', () => {
  it('is likely where nobody else is heard and the answer comes when the port begins to forward', async () => {
    const [finding, ...more] = await played(opening, asking(30)).findings();
    expect([finding.rule, finding.confidence, finding.count]).toEqual([RULE, 'likely', 30]);
    expect(finding.subject).toEqual({ bridge: BRIDGE, port: 3 });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(finding.summary).toContain('After 30.6 s it is answered');
    expect(finding.evidence.map(({ layer }) => layer)).toContain('stp');
    expect(more).toEqual([]);
  });

  it('does not mind a capture that begins later, as long as the change is told then', async () => {
    const late = bpdus((second) => (second >= 12 ? TC : 0));
    expect(await rules(late, asking(12))).toEqual([`${RULE} likely`]);
    expect(
      await rules(
        bpdus(() => TC),
        asking(12),
      ),
    ).toEqual(silent);
    expect(
      await rules(
        bpdus(() => TC),
        asking(30),
      ),
    ).toEqual([`${RULE} likely`]);
  });

  it('keeps silent where no change is told: the target came up', async () => {
    expect(
      await rules(
        bpdus(() => 0),
        asking(30),
      ),
    ).toEqual(silent);
    expect(
      await rules(
        bpdus((second) => (second < 20 ? TC : 0)),
        asking(30),
      ),
    ).toEqual(silent);
  });

  it('keeps silent where somebody else is heard meanwhile, unless this machine itself sends it', async () => {
    const other = (way: Way = {}): Step[] => [[9, (capture) => capture.ask(H3, '10.0.0.3', '10.0.0.9', way)]];
    expect(await rules(opening, asking(30), other())).toEqual(silent);
    const out = { way: { direction: 'out' } } as const;
    expect(await rules(opening, asking(30, out), other(out.way))).toContain(`${RULE} likely`);
  });

  it('keeps silent without BPDUs, where nothing is asked in vain, and where nothing is ever answered', async () => {
    expect(await rules(asking(30))).toEqual(silent);
    expect(await rules(opening, asking(0))).toEqual([]);
    expect(await rules(opening, asking(99, { until: 38 }))).not.toContain(`${RULE} likely`);
  });

  it('keeps silent where the answer comes long after the port forwards', async () => {
    const long = bpdus((second) => (second >= 30 && second < 65 ? TC : 0), { to: 80 });
    expect(await rules(long, asking(50))).toEqual(silent);
  });

  it('speaks for the VLANs of the link or tunnel, and not for another tunnel', async () => {
    expect(await rules(opening, asking(30, { way: { vlan: 7 } }))).toEqual([`${RULE} likely`]);
    expect(await rules(opening, asking(30, { way: { vni: 7 } }))).not.toContain(`${RULE} likely`);
    const inside = bpdus((second) => (second >= 30 ? TC : 0), { way: { vni: 7 } });
    expect(await rules(inside, asking(30, { way: { vni: 7 } }))).toContain(`${RULE} likely`);
  });

  it('tells a DHCP client that gets its offer when the port begins to forward (catalogue H7)', async () => {
    const client = [0.5, 4.5, 12.5, 28.5].map((at): Step => [at, (capture) => dhcp(capture, 'discover')]);
    const served: Step[] = [
      [43, (capture) => dhcp(capture, 'discover')],
      [43.1, (capture) => dhcp(capture, 'offer', { server: SERVER })],
    ];
    const found = await played(
      bpdus((second) => (second >= 30 ? TC : 0), { to: 46 }),
      client,
      served,
    ).findings();
    const [finding] = found.filter(({ rule }) => rule === RULE);
    expect([finding.confidence, finding.summary]).toEqual([
      'likely',
      expect.stringContaining(`${CLIENT} asks for an address by DHCP`),
    ]);
    expect(found.map(({ rule }) => rule)).not.toContain('dhcp/no-offer');
  });
});

describe('bridge/port-not-forwarding, from the word of rapid spanning tree', () => {
  const states = (second: number) => {
    if (second < 15) return DISCARDING;
    return second < 30 ? LEARNING : FORWARDING;
  };
  const rapid = bpdus(states, { rapid: true });

  it('is certain where the port says so while a host asks in vain, whoever else is heard', async () => {
    const other: Step[] = [[9, (capture) => capture.ask(H3, '10.0.0.3', '10.0.0.9')]];
    const [finding, ...more] = await played(rapid, asking(30), other).findings();
    expect([finding.rule, finding.confidence]).toEqual([RULE, 'certain']);
    expect(more).toEqual([]);
  });

  it('is certain where the capture ends before the port forwards', async () => {
    expect(await rules(bpdus(states, { rapid: true, to: 9 }), asking(99, { until: 9 }))).toEqual([`${RULE} certain`]);
    const client = [1.5, 5.5, 13.5].map((at): Step => [at, (capture) => dhcp(capture, 'discover')]);
    expect(await rules(bpdus(states, { rapid: true, to: 15 }), client)).toEqual([`${RULE} certain`]);
  });

  it('keeps silent where the port forwards, and where nothing is answered after it does', async () => {
    expect(
      await rules(
        bpdus(() => FORWARDING, { rapid: true }),
        asking(30),
      ),
    ).toEqual(silent);
    expect(await rules(rapid, asking(99, { until: 39 }))).not.toContain(`${RULE} certain`);
  });

  it('takes no alternate port, and no single BPDU, for a closed port', async () => {
    expect(
      await rules(
        bpdus(() => 0x04, { rapid: true }),
        asking(30),
      ),
    ).toEqual(silent);
    expect(
      await rules(
        bpdus((second) => (second < 3 ? DISCARDING : FORWARDING), { rapid: true }),
        asking(30),
      ),
    ).toEqual(silent);
  });
});
