import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const RULE = 'arp/sender-mismatch';
const A = '02:00:00:00:00:01';
const CHILD = '02:00:00:00:00:c1';
const SLAVE = '02:00:00:00:00:0a';
const only = { select: [RULE] };

/** Requests of 10.0.0.2 that name `sha`, in frames from `from`, a second apart. */
function asks(times: number, way: Way = {}, capture = new Capture(), sha = CHILD, from = SLAVE, spa = '10.0.0.2') {
  for (let i = 0; i < times; i++) capture.at(i).arp({ op: 1, from, sha, spa, tpa: '10.0.0.1' }, way);
  return capture;
}

const told = async (capture: Capture) =>
  (await capture.findings(only)).map(({ severity, confidence }) => `${severity} ${confidence}`);

const device = (ifname: string, ifindex: number, address: string, more: object = {}) => ({
  ifname,
  ifindex,
  address,
  flags: ['UP'],
  ...more,
});
const bondContext = (mode: string) =>
  parseContext({
    namespaces: {
      host: {
        'ip -d -j link': [
          device('bond0', 2, '02:00:00:00:00:0b', { linkinfo: { info_kind: 'bond', info_data: { mode } } }),
          device('eth1', 3, SLAVE, { master: 'bond0', linkinfo: { info_slave_kind: 'bond' } }),
        ],
      },
    },
  });

/** The bond of the host has CHILD behind it, as macvlan child in a namespace of its own. */
const childContext = (mode: string) =>
  parseContext({
    namespaces: {
      host: {
        'ip -d -j link': [
          device('bond0', 2, '02:00:00:00:00:0b', { linkinfo: { info_kind: 'bond', info_data: { mode } } }),
          device('eth1', 3, SLAVE, { master: 'bond0', linkinfo: { info_slave_kind: 'bond' } }),
        ],
        'bridge -j fdb': [{ mac: CHILD, ifname: 'bond0', flags: ['self'], state: 'permanent' }],
      },
      ns1: {
        'ip -d -j link': [
          device('macvlan1', 4, CHILD, {
            link_index: 2,
            link_netnsid: 0,
            linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
          }),
        ],
      },
    },
  });

/** CHILD asks as 10.0.0.2, and SLAVE answers for 10.0.0.2: frames 1 to 6. */
function answersForChild(): Capture {
  const capture = new Capture();
  for (const time of [1, 5]) {
    capture.at(time).ask(CHILD, '10.0.0.2', '10.0.0.1').answer(A, '10.0.0.1', CHILD, '10.0.0.2');
    capture
      .at(time + 2)
      .ask(A, '10.0.0.1', '10.0.0.2')
      .answer(SLAVE, '10.0.0.2', A, '10.0.0.1');
  }
  return capture;
}

describe(`${RULE}: a bond that answers for its children`, () => {
  const others = { select: [RULE, 'arp/duplicate-address', 'arp/spoof', 'arp/flux'] };

  it('is certain where the context shows a bond in mode balance-alb, and its child', async () => {
    const [finding, ...more] = await answersForChild().findings({ ...others, context: childContext('balance-alb') });
    expect(more).toEqual([]);
    expect(inShort([finding])).toEqual([[RULE, 'certain', [5, 8]]]);
    expect(finding.subject).toEqual({ ip: '10.0.0.2', mac: SLAVE, sha: CHILD });
    expect(finding.remedy[0].commands).toEqual(['ip link set bond0 type bond mode active-backup']);
  });

  it.each(['balance-tlb', 'active-backup'])('leaves %s, which does not answer so, to the other rules', async (mode) => {
    const found = await answersForChild().findings({ ...others, context: childContext(mode) });
    expect(found.map(({ rule }) => rule)).not.toContain(RULE);
  });

  it('leaves it to the rule about conflicts without context', async () => {
    const found = await answersForChild().findings(others);
    expect(found.map(({ rule, confidence }) => [rule, confidence])).toEqual([['arp/duplicate-address', 'likely']]);
  });
});

describe(RULE, () => {
  it('warns from the third packet on', async () => {
    expect(await told(asks(2))).toEqual([]);
    const found = await asks(3).findings(only);
    expect(inShort(found)).toEqual([[RULE, 'likely', [1, 2, 3]]]);
    expect(found[0]).toMatchObject({
      severity: 'warning',
      title: `ARP of 10.0.0.2 (${CHILD}) comes in frames from ${SLAVE}`,
      subject: { mac: SLAVE, sha: CHILD, ip: '10.0.0.2' },
    });
  });

  it('takes answers and probes in too', async () => {
    const answers = new Capture();
    for (let i = 0; i < 3; i++)
      answers.at(i).arp({ op: 2, from: SLAVE, sha: CHILD, to: A, spa: '10.0.0.2', tha: A, tpa: '10.0.0.1' });
    expect(await told(answers)).toEqual(['warning likely']);
    const found = await asks(3, {}, new Capture(), CHILD, SLAVE, '0.0.0.0').findings(only);
    expect(found[0].title).toBe(`ARP of ${CHILD} comes in frames from ${SLAVE}`);
  });

  it('is a note where frames come from the MAC that ARP names as well', async () => {
    const heard = asks(3).ipv4({ from: CHILD, to: A, source: '10.0.0.2', destination: '10.0.0.1' });
    expect(await told(heard)).toEqual(['info likely']);
  });

  it('says where frames to a MAC that is never heard were seen', async () => {
    const summary = async (capture: Capture) => (await capture.findings(only))[0].summary;
    expect(await summary(asks(3))).not.toContain('were seen here');
    expect(await summary(asks(3).answer(A, '10.0.0.1', CHILD, '10.0.0.2'))).toContain('were seen here');
  });

  it('tells several senders behind one source together', async () => {
    const two = asks(3, {}, asks(3), '02:00:00:00:00:c2', SLAVE, '10.0.0.3');
    const found = await two.findings(only);
    expect(found).toHaveLength(1);
    expect(found[0].title).toContain('ARP of 2 senders');
    expect(found[0].count).toBe(6);
  });

  it.each([
    ['VRRP', '00:00:5e:00:01:33'],
    ['HSRP', '00:00:0c:07:ac:01'],
    ['GLBP', '00:07:b4:00:01:01'],
    ['an NLB cluster', '02:bf:0a:00:00:64'],
    ['a group of cluster hosts', '03:bf:0a:00:00:64'],
    ['nobody', '00:00:00:00:00:00'],
  ])('keeps still about the MAC of %s', async (_, sha) => {
    expect(await told(asks(5, {}, new Capture(), sha))).toEqual([]);
  });

  it('keeps still about a router whose frames have the virtual MAC as source', async () => {
    expect(await told(asks(5, {}, new Capture(), CHILD, '00:00:5e:00:01:33'))).toEqual([]);
  });

  it('keeps still where the source says properly that it has the address itself', async () => {
    expect(await told(asks(5).ask(SLAVE, '10.0.0.2', '10.0.0.1'))).toEqual([]);
    expect(await told(asks(5).ask(SLAVE, '10.0.0.5', '10.0.0.1'))).toEqual(['warning likely']);
  });

  it('names who holds the address where somebody speaks in another’s name', async () => {
    const holder = '02:00:00:00:00:33';
    const [{ cause }] = await asks(3, {}, new Capture().ask(holder, '10.0.0.2', '10.0.0.9')).findings(only);
    expect(cause).toContain(`${holder} holds the address`);
  });

  it('is certain where the context shows a bond that rewrites MACs', async () => {
    const confidence = async (mode: string) =>
      (await asks(3).findings({ ...only, context: bondContext(mode) })).map((each) => each.confidence);
    expect(await confidence('balance-alb')).toEqual(['certain']);
    expect(await confidence('balance-tlb')).toEqual(['certain']);
    expect(await confidence('active-backup')).toEqual(['likely']);
    const [{ cause, remedy }] = await asks(3).findings({ ...only, context: bondContext('balance-alb') });
    expect(cause).toContain('bond0 in host is a bond in mode balance-alb');
    expect(remedy.flatMap(({ commands }) => commands)).toContain('ip link set bond0 type bond mode active-backup');
  });

  it('explains questions that are asked again because the answers are lost', async () => {
    const capture = new Capture();
    for (let i = 0; i < 4; i++) {
      capture.at(i * 1.02).arp({ op: 1, from: SLAVE, sha: CHILD, spa: '10.0.0.2', tpa: '10.0.0.1' });
      capture.at(i * 1.02 + 0.001).answer(A, '10.0.0.1', CHILD, '10.0.0.2');
    }
    const rules = (await capture.findings()).map(({ rule, explains }) => [rule, explains.map((each) => each.rule)]);
    expect(rules).toContainEqual([RULE, ['arp/reply-not-accepted']]);
    expect(rules.map(([rule]) => rule)).not.toContain('arp/reply-not-accepted');
  });

  it('keeps VLANs apart, and sees it inside VXLAN', async () => {
    expect(await told(asks(2, { vlan: 2 }, asks(2, { vlan: 1 })))).toEqual([]);
    expect(await told(asks(3, { vlan: 1 }))).toEqual(['warning likely']);
    expect(await told(asks(3, { vni: 7 }))).toEqual(['warning likely']);
    const elsewhere = asks(3, { vlan: 1 }).ipv4({ from: CHILD, to: A, source: '10.0.0.2', destination: '10.0.0.1' });
    expect(await told(elsewhere)).toEqual(['warning likely']);
  });
});
