import { describe, expect, it } from 'vitest';
import { A, arpReply, arpRequest, askInside, B, endpoints, ONE, THREE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const own = arpRequest(B, '192.168.5.2', '192.168.5.9');
const back = { from: TWO, to: ONE };

const match = (protocol: string, field: string, right: unknown, op = '==') => ({
  match: { op, left: { payload: { protocol, field } }, right },
});
const meta = (key: string, right: unknown) => ({ match: { op: '==', left: { meta: { key } }, right } });
const dport = (right: unknown, op?: string) => match('udp', 'dport', right, op);
const counter = (packets: number) => ({ counter: { packets, bytes: packets * 80 } });
const DROP = { drop: null };
const ACCEPT = { accept: null };
const state = (right: unknown) => ({ match: { op: 'in', left: { ct: { key: 'state' } }, right } });
const COUNTED = [dport(4789), counter(3), DROP];

/** A base chain with rules, each a list of statements. */
function chain(rules: readonly object[][], { hook = 'input', family = 'inet', policy = 'accept' } = {}) {
  const where = { family, table: 'f' };
  return [
    { metainfo: {} },
    { chain: { ...where, name: 'i', type: 'filter', hook, prio: 0, policy } },
    ...rules.map((expr, i) => ({ rule: { ...where, chain: 'i', handle: 2 + i, expr } })),
  ];
}

function at(nft: readonly object[], address = TWO) {
  return endpoints([
    { name: 'one', address: ONE, ...(address === ONE ? { nft } : {}) },
    { name: 'two', address: TWO, ...(address === TWO ? { nft } : {}) },
  ]);
}

const select = ['vxlan/one-way'];
const asked = () => tunnelled(askInside(new Capture()).at(8), own, back);
/** How sure it is of a firewall rule; of the silence alone it warns. */
const said = async (nft: readonly object[], capture = asked()) =>
  (await capture.findings({ select, context: at(nft) }))
    .filter(({ severity }) => severity === 'error')
    .map(({ confidence }) => confidence);

describe('vxlan/one-way where a firewall rule drops it', () => {
  it('is certain where a rule counted what it dropped, and takes the symptoms in', async () => {
    const context = at(chain([COUNTED]));
    const [finding, ...others] = await asked().findings({
      select: [...select, 'arp/unanswered'],
      context,
    });
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['vxlan/one-way', 'certain', [1, 2, 3]]]);
    expect(finding.severity).toBe('error');
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec two nft -a list chain inet f i',
      'ip netns exec two nft insert rule inet f i handle 2 ip saddr 10.1.1.1 ip daddr 10.1.1.2 udp dport 4789 accept',
      'ip netns exec two nft delete rule inet f i handle 2',
    ]);
  });

  it('warns of the silence alone where no rule drops it', async () => {
    const context = at(chain([[dport(8472), counter(3), DROP]]));
    const findings = await asked().findings({ select, context });
    expect(findings.map(({ severity, title }) => [severity, title.includes('firewall')])).toEqual([['warning', false]]);
  });

  it('speaks where the answers die at who asked', async () => {
    const capture = new Capture();
    for (const second of [0, 1.02, 2.04]) {
      tunnelled(capture.at(1 + second), arpRequest(A, '192.168.5.1', '192.168.5.2'));
      tunnelled(capture.at(1.0002 + second), arpReply(B, '192.168.5.2', A, '192.168.5.1'), back);
    }
    const context = at(chain([COUNTED]), ONE);
    const findings = await tunnelled(capture.at(20), own, back).findings({ select, context });
    expect(findings.map(({ confidence, subject }) => [confidence, subject.endpoint])).toEqual([['certain', ONE]]);
  });

  it.each([
    ['a set', [dport({ set: [53, 4789] }), counter(1), DROP]],
    ['a range', [dport({ range: [4000, 5000] }), counter(1), DROP]],
    ['iptables', [meta('l4proto', 'udp'), match('th', 'dport', 4789), counter(1), DROP]],
    ['the sender', [match('ip', 'saddr', ONE), ...COUNTED]],
    ['the network of the sender', [match('ip', 'saddr', { prefix: { addr: '10.1.1.0', len: 24 } }), ...COUNTED]],
    ['all but another', [match('ip', 'saddr', THREE, '!='), ...COUNTED]],
    ['the device', [meta('iifname', 'eth0'), ...COUNTED]],
    ['a log', [dport(4789), counter(2), { log: null }, DROP]],
  ])('reads a rule about %s', async (_, rule) => {
    expect(await said(chain([rule]))).toEqual(['certain']);
  });

  it.each([
    ['another port', [dport(8472), counter(1), DROP]],
    ['all other ports', [dport(4789, '!='), counter(1), DROP]],
    ['another sender', [match('ip', 'saddr', THREE), ...COUNTED]],
    ['all but one sender of IPv6', [match('ip6', 'saddr', 'fd00::1', '!='), ...COUNTED]],
    ['a named set', [match('ip', 'saddr', '@bad'), ...COUNTED]],
    ['another device', [meta('iifname', 'eth1'), ...COUNTED]],
    ['a state', [state('invalid'), ...COUNTED]],
    ['nothing so far', [dport(4789), counter(0), DROP]],
    ['what it lets in', [dport(4789), counter(3), ACCEPT]],
  ])('keeps still about a rule for %s', async (_, rule) => {
    expect(await said(chain([rule]))).toEqual([]);
  });

  it('knows the hook and the family', async () => {
    expect(await said(chain([COUNTED], { hook: 'prerouting' }))).toEqual(['certain']);
    expect(await said(chain([COUNTED], { family: 'ip' }))).toEqual(['certain']);
    for (const hook of ['forward', 'output']) expect(await said(chain([COUNTED], { hook }))).toEqual([]);
    for (const family of ['ip6', 'bridge']) expect(await said(chain([COUNTED], { family }))).toEqual([]);
  });

  it('is likely where the rule does not count, and nothing before it decides', async () => {
    const rule = [dport(4789), DROP];
    expect(await said(chain([rule]))).toEqual(['likely']);
    expect(await said(chain([[counter(9)], rule]))).toEqual(['likely']);
    expect(await said(chain([[dport(53), { accept: null }], rule]))).toEqual(['likely']);
    // Such a count is of others too.
    expect(await said(chain([[counter(5), DROP]]))).toEqual(['likely']);
  });

  it('names a policy, whatever comes before it', async () => {
    const answers = [state(['established', 'related']), ACCEPT];
    const policy = (...rules: object[][]) => chain([answers, ...rules], { policy: 'drop' });
    const [finding] = await asked().findings({ select, context: at(policy([dport(53), ACCEPT])) });
    expect(finding.title).toBe(
      '10.1.1.2 drops the VXLAN from 10.1.1.1: the policy of its firewall is against UDP port 4789',
    );
    expect(finding.confidence).toBe('likely');
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec two nft -a list chain inet f i',
      'ip netns exec two nft insert rule inet f i ip saddr 10.1.1.1 ip daddr 10.1.1.2 udp dport 4789 accept',
    ]);
    expect(await said(policy([dport({ set: [53, 4789] }), ACCEPT]))).toEqual([]);
    expect(await said(policy([meta('l4proto', 'udp'), ACCEPT]))).toEqual([]);
    expect(await said(policy([{ notrack: null }]))).toEqual(['likely']);
    // Not known: other addresses may be in the set.
    expect(await said(policy([match('ip', 'saddr', '@friends'), ACCEPT]))).toEqual([]);
  });

  it('is certain of a policy where the capture shows that the packets get there', async () => {
    const context = at(chain([], { policy: 'drop' }));
    const vantage = { namespace: 'two', interface: 'eth0' };
    const [finding] = await asked().findings({ select, context, vantage });
    expect([finding.severity, finding.confidence]).toEqual(['error', 'certain']);
  });

  it('follows jumps, and knows that protocols differ', async () => {
    const where = { family: 'inet', table: 'f' };
    const called = (...expr: object[]) => [
      ...chain([[{ jump: { target: 'udp' } }]]),
      { chain: { ...where, name: 'udp' } },
      { rule: { ...where, chain: 'udp', handle: 9, expr } },
    ];
    expect(await said(called(...COUNTED))).toEqual(['certain']);
    expect(await said(called(match('tcp', 'dport', 4789), DROP))).toEqual([]);
    expect(await said(called(meta('l4proto', 17), DROP))).toEqual(['likely']);
    expect(await said(called(match('udp', 'sport', 4789), DROP))).toEqual([]);
  });

  it('tells of an endpoint that drops what it sends itself, where nothing comes from it', async () => {
    const context = at(chain([COUNTED], { hook: 'output' }));
    const silent = () => askInside(new Capture()).at(8).ask('02:00:00:00:00:77', '10.1.1.7', '10.1.1.1');
    const [finding] = await silent().findings({ select, context });
    expect(finding.title).toContain('10.1.1.2 drops the VXLAN that it sends to 10.1.1.1');
    expect(finding.remedy[1].commands).toEqual([
      'ip netns exec two nft insert rule inet f i handle 2 ip saddr 10.1.1.2 ip daddr 10.1.1.1 udp dport 4789 accept',
    ]);
    expect(await said(chain([COUNTED], { hook: 'output' }))).toEqual([]);
    // What comes in is to be let in first, and both are to be let through.
    const both = [...chain([COUNTED]), ...chain([COUNTED], { hook: 'output', family: 'ip' })];
    const [first] = await silent().findings({ select, context: at(both) });
    expect(first.remedy[1].commands.map((command) => / (inet|ip) f i .* saddr (\S+)/.exec(command)?.slice(1))).toEqual([
      ['inet', ONE],
      ['ip', TWO],
    ]);
  });

  it('is likely behind other rules, and only where the endpoint never answered', async () => {
    // Which they are nft does not show.
    const rules = chain([[{ xt: { type: 'match', name: 'set' } }, ACCEPT], COUNTED]);
    expect(await said(rules)).toEqual(['likely']);
    expect(await said(chain([[match('ip', 'saddr', ONE), ACCEPT], COUNTED]))).toEqual([]);
    const tracked = [{ xt: { type: 'match', name: 'conntrack' } }, ACCEPT];
    expect(await said(chain([tracked, COUNTED]))).toEqual(['likely']);
    expect(await said(chain([tracked], { policy: 'drop' }))).toEqual([]);
    const answered = tunnelled(asked().at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), back);
    expect(await said(rules, answered.at(9).ask('02:00:00:00:00:77', '10.1.1.7', '10.1.1.1'))).toEqual([]);
  });

  it('keeps still where nothing is asked in vain, or only twice, or at the end', async () => {
    const rules = chain([COUNTED]);
    expect(await said(rules, tunnelled(askInside(new Capture(), {}, { times: 2 }).at(8), own, back))).toEqual([]);
    const capture = new Capture();
    for (const second of [3.6, 3.8, 4]) askInside(capture, {}, { at: second, times: 1 });
    expect(await said(rules, capture)).toEqual([]);
  });
});
