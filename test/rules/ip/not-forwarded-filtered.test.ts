import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import {
  ACCEPT,
  chain,
  counter,
  DROP,
  field,
  filtering,
  forward,
  hidden,
  jump,
  RETURN,
  rule,
  set,
  when,
} from '../../support/nft.js';
import { pings } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

/** Behind the machine PEER, by its default route. */
const BEYOND = { mac: PEER.mac, ip: '203.0.113.5' };
const only = { select: ['ip/not-forwarded'] };

const pinged = () => pings(BEYOND, { from: HOST });
const connected = () => syns(new Capture(), 3, {}, 1, HOST, BEYOND).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
const find = (items: readonly object[], how = {}, capture = pinged()) =>
  capture.findings({ ...only, context: filtering(items, how) });
/** Confidence, and the rule or policy that is named; empty where nothing is said. */
const told = async (items: readonly object[], how = {}, capture = pinged()) =>
  (await find(items, how, capture)).map(({ confidence, context }) => `${confidence}: ${context[0]}`);
const one = (...statements: Parameters<typeof rule>[1]) => [forward(), rule('forward', statements, { handle: 7 })];

describe('ip/not-forwarded, by a firewall', () => {
  it('names the rule, its handle and its count, and lets the packets through in front of it', async () => {
    const [finding] = await find(one(when('ip daddr', BEYOND.ip), counter(4), DROP));
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3, 4]]]);
    expect(finding.summary).toContain(
      'the rule `ip daddr 203.0.113.5 counter packets 4 bytes 336 drop` in chain inet fw forward, handle 7',
    );
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec box nft -a list chain inet fw forward',
      `ip netns exec box nft insert rule inet fw forward handle 7 ip saddr ${HOST.ip} ip daddr ${BEYOND.ip} icmp type echo-request accept`,
      'ip netns exec box nft delete rule inet fw forward handle 7',
    ]);
  });

  it('names a policy, and lets the answers through too where it would drop them', async () => {
    const [finding] = await find([forward({ policy: 'drop' })]);
    expect(finding.confidence).toBe('certain');
    expect(finding.context).toEqual(['the policy (drop) of chain inet fw forward, hook forward']);
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec box nft insert rule inet fw forward ip saddr ${HOST.ip} ip daddr ${BEYOND.ip} icmp type echo-request accept`,
      `ip netns exec box nft insert rule inet fw forward ip saddr ${BEYOND.ip} ip daddr ${HOST.ip} ct state established accept`,
    ]);
    const established = rule('forward', [when('ct state', ['established', 'related'], 'in'), ACCEPT]);
    const [half] = await find([forward({ policy: 'drop' }), established]);
    expect(half.remedy[1].commands).toHaveLength(1);
  });

  it('keeps still where the rules let them through, or drop others', async () => {
    for (const statements of [
      [when('tcp dport', 80), DROP],
      [when('tcp dport', 80, '!='), DROP],
      [when('ip daddr', BEYOND.ip, '!='), DROP],
      [when('ct state', 'new', '!='), DROP],
      [when('ct state', ['established', 'invalid'], 'in'), DROP],
      [when('oifname', 'eth0'), DROP],
      [when('oifname', 'docker*'), DROP],
      [when('ip6 daddr', '2001:db8::1'), DROP],
      [when('icmp type', 'echo-reply', '!='), RETURN],
      [when('ip daddr', { prefix: { addr: '203.0.112.0', len: 24 } }), DROP],
      [when('ip daddr', { set: ['203.0.113.4', { range: ['203.0.113.6', '203.0.113.9'] }] }), DROP],
    ])
      expect(await told(one(when('iifname', 'eth0'), ...statements)), JSON.stringify(statements)).toEqual([]);
    expect(await told([forward({ policy: 'drop' }), rule('forward', [ACCEPT])])).toEqual([]);
    expect(await told([chain('in', { hook: 'input', policy: 'drop' })])).toEqual([]);
    expect(await told([forward({ policy: 'drop' })], { sysctl: { 'net.ipv4.ip_forward': '' } })).toEqual([]);
  });

  it('knows what a first packet is', async () => {
    for (const statements of [
      [when('ct state', 'new', 'in'), DROP],
      [when('ct state', { set: ['new', 'untracked'] }), DROP],
      [when('ct state', 'established', '!='), DROP],
      [when('meta l4proto', 'icmp'), when('icmp type', { set: ['echo-request', 'redirect'] }), DROP],
      [when('ip protocol', 'icmp'), when('iif', 'eth0'), when('oif', 'eth1'), DROP],
      [when('oifname', 'eth*'), when('iifname', { set: ['eth0', 'eth9'] }), DROP],
      [when('ip daddr', { prefix: { addr: '203.0.113.0', len: 24 } }), DROP],
      [when('ip daddr', { range: ['203.0.113.1', '203.0.113.9'] }), DROP],
      [when('meta nfproto', 'ipv4'), DROP],
    ])
      expect((await told(one(...statements)))[0], JSON.stringify(statements)).toMatch(/^certain: the rule/);
  });

  it('says where the routes lead back to, if the rule asks for that', async () => {
    const asksFor = (flags: readonly string[], right: boolean) => [
      chain('pre', { type: 'filter', hook: 'prerouting', prio: -290, policy: 'accept' }),
      rule('pre', [{ match: { op: '==', left: { fib: { result: 'oif', flags } }, right } }, DROP], { handle: 3 }),
    ];
    const routes = (dev: string) => ({
      file: {
        'ip -j route': [
          { dst: '10.0.0.0/24', dev },
          { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' },
        ],
      },
    });
    const strict = ['saddr', 'iif'];
    const [finding] = await find(asksFor(['saddr', 'mark', 'iif'], false), routes('eth1'));
    expect(finding.confidence).toBe('certain');
    expect(finding.context[0]).toContain('the rule `fib saddr . mark . iif oif missing drop` in chain inet fw pre');
    expect(finding.cause).toContain(`through eth0, where these come in; to ${HOST.ip} they lead through eth1.`);
    expect(finding.remedy[0].commands).toEqual([`ip netns exec box ip route get ${HOST.ip}`]);
    expect(await told(asksFor(strict, false), routes('eth0'))).toEqual([]);
    expect(await told(asksFor(['saddr'], false), routes('eth1'))).toEqual([]);
    expect(await told(asksFor(strict, true), routes('eth0'))).toHaveLength(1);
    // Whether a route leads back there is not known: another table decides.
    const rules = { 'ip -j rule': [{ priority: 1, src: 'all', table: 'x' }] };
    expect(await told(asksFor(strict, false), { file: { ...routes('eth1').file, ...rules } })).toEqual([]);
  });

  it('knows what a SYN is', async () => {
    const flags = { '&': [field('tcp flags'), ['fin', 'syn', 'rst', 'ack']] };
    for (const statements of [
      [when('tcp dport', 80), DROP],
      [when('th dport', { set: [{ range: [79, 81] }] }), DROP],
      [{ match: { op: '==', left: flags, right: 'syn' } }, DROP],
      [when('tcp flags', 'syn', 'in'), DROP],
      [when('tcp dport', 1024, '<'), DROP],
      [{ match: { op: '==', left: { concat: [field('ip daddr'), field('tcp dport')] }, right: '@web' } }, DROP],
      [
        {
          vmap: {
            key: field('tcp dport'),
            data: {
              set: [
                [22, ACCEPT],
                [80, DROP],
              ],
            },
          },
        },
      ],
    ]) {
      const web = set(
        'web',
        ['ipv4_addr', 'inet_service'],
        [{ concat: [{ prefix: { addr: '203.0.113.0', len: 24 } }, { range: [80, 90] }] }],
      );
      const [finding] = await told([web, ...one(...statements)], {}, connected());
      expect(finding, JSON.stringify(statements)).toMatch(/^certain: the rule/);
    }
    for (const statements of [
      [when('tcp dport', 81), DROP],
      [when('tcp flags', 'ack', 'in'), DROP],
      // The bits of ECN are not known.
      [when('tcp flags', 'syn', '!='), DROP],
      [when('icmp type', 'echo-request'), DROP],
      // What it has no part of is not even among the others.
      [
        {
          match: {
            op: '!=',
            left: { concat: [field('ip6 daddr'), field('tcp dport')] },
            right: { set: [{ concat: ['fd00::1', 80] }] },
          },
        },
        DROP,
      ],
      [{ vmap: { key: field('tcp dport'), data: { set: [[22, DROP]] } } }],
    ])
      expect(await told(one(when('iif', 'eth0'), ...statements), {}, connected()), JSON.stringify(statements)).toEqual(
        [],
      );
    const [finding] = await find(one(when('tcp dport', 80), DROP), {}, connected());
    expect(finding.remedy[1].commands[0]).toContain('tcp dport 80 accept');
    expect(finding.explains.map(({ rule }) => rule)).toEqual([]);
  });

  it('keeps still about what it cannot evaluate', async () => {
    for (const statements of [
      [{ limit: { rate: 5, per: 'second', inv: true } }, DROP],
      [when('meta length', 1000, '>'), DROP],
      [when('ip ttl', 64), DROP],
      [when('ip daddr', '@unknown'), DROP],
      [when('ip daddr', { strange: [] }), DROP],
      [hidden('multiport'), DROP],
      [{ mangle: { key: field('meta mark'), value: field('ct mark') } }, when('meta mark', 1), DROP],
      [{ something: null }],
      [{ queue: { num: 3 } }],
      [{ reject: { type: 'icmp', expr: 'port-unreachable' } }],
    ])
      expect(await told(one(...statements)), JSON.stringify(statements)).toEqual([]);
    const policy = forward({ policy: 'drop' });
    expect(await told([policy, rule('forward', [hidden('multiport'), ACCEPT])])).toEqual([]);
    // It holds, whatever is not known before it.
    const logged = rule('forward', [{ limit: { rate: 5, per: 'second' } }, { log: null }]);
    expect(await told([policy, logged, rule('forward', [hidden('comment'), { log: null }])])).toHaveLength(1);
    const maybe = rule('forward', [when('ip ttl', 64), DROP]);
    expect(await told([policy, maybe])).toEqual(['certain: the policy (drop) of chain inet fw forward, hook forward']);
  });

  it('takes marks that no rule sets for 0, and is less sure', async () => {
    expect((await told(one(when('meta mark', 0), DROP)))[0]).toMatch(/^likely/);
    expect(await told(one(when('meta mark', 5), DROP))).toEqual([]);
    const marked = [{ mangle: { key: field('meta mark'), value: 5 } }, when('meta mark', 5), DROP];
    expect((await told(one(...marked)))[0]).toMatch(/^certain/);
  });

  it('believes counters that were read afterwards, and those alone', async () => {
    const never = one(when('ip daddr', BEYOND.ip), counter(0), DROP);
    expect(await told(never)).toEqual([]);
    expect(await told(never, { isEarly: true })).toHaveLength(1);
    // What nft cannot show took nothing.
    const policy = forward({ policy: 'drop' });
    expect(await told([policy, rule('forward', [hidden('multiport'), counter(0), ACCEPT])])).toHaveLength(1);
    expect(await told([policy, rule('forward', [hidden('multiport'), counter(3), ACCEPT])])).toEqual([]);
  });

  it('hints only where one hidden condition on the state of connections stands before it', async () => {
    const policy = forward({ policy: 'drop' });
    const established = rule('forward', [hidden('conntrack'), counter(3), ACCEPT]);
    const [finding] = await find([policy, established]);
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'hint', [1, 2, 3, 4]]]);
    expect(finding.title).toContain('may drop');
    expect(await told([policy, established, established])).toEqual([]);
  });

  it('follows jumps, goto and return, through chains of equal and other priority', async () => {
    const sub = chain('sub');
    const drop = rule('sub', [when('ip saddr', HOST.ip), DROP], { handle: 9 });
    const [within] = await find([forward(), sub, rule('forward', [jump('sub')]), drop]);
    expect(within.context[0]).toContain('chain inet fw sub, handle 9, called from forward');
    const back = rule('sub', [RETURN]);
    expect(await told([forward(), sub, back, drop, rule('forward', [jump('sub')])])).toEqual([]);
    const gone = [rule('forward', [{ goto: { target: 'sub' } }]), rule('forward', [ACCEPT])];
    expect(await told([forward({ policy: 'drop' }), sub, back, ...gone])).toHaveLength(1);
    expect(await told([forward({ policy: 'drop' }), sub, back, rule('forward', [jump('sub')]), gone[1]])).toEqual([]);
    // An accept is final for its own base chain only.
    const other = chain('other', { type: 'filter', hook: 'forward', prio: 10, policy: 'drop' });
    const [second] = await find([forward(), rule('forward', [ACCEPT]), other]);
    expect(second.context).toEqual(['the policy (drop) of chain inet fw other, hook forward']);
    const [both] = await find([forward({ policy: 'drop' }), other]);
    expect(both.context).toHaveLength(2);
    expect(both.remedy[1].commands.filter((command) => command.includes('echo-request'))).toHaveLength(2);
  });

  it('looks at prerouting, postrouting and devices, not at tables that sleep or are of the other family', async () => {
    const at = (hook: string, more: object = {}) => [
      chain('c', { type: 'filter', hook, prio: -300, ...more }),
      rule('c', [when('ip saddr', HOST.ip), DROP]),
    ];
    for (const hook of ['prerouting', 'postrouting']) expect(await told(at(hook))).toHaveLength(1);
    expect(await told(at('ingress', { dev: 'eth0' }))).toHaveLength(1);
    expect(await told(at('ingress', { dev: 'eth1' }))).toEqual([]);
    // nft 1.0.6 does not tell the device: only what was counted speaks.
    expect(await told(at('ingress'))).toEqual([]);
    const counted = rule('c', [when('ip saddr', HOST.ip), counter(4), DROP]);
    expect((await told([at('ingress')[0], counted]))[0]).toMatch(/^likely/);
    const asleep = { table: { family: 'inet', name: 'fw', flags: 'dormant' } };
    expect(await told([asleep, ...at('prerouting')])).toEqual([]);
    expect(await told([{ chain: { family: 'ip6', table: 't', name: 'f', hook: 'forward', policy: 'drop' } }])).toEqual(
      [],
    );
  });

  it('knows where NAT leads, and keeps still where it does not', async () => {
    const pre = chain('pre', { type: 'nat', hook: 'prerouting', prio: -100 });
    const drop = [forward(), rule('forward', [when('ip daddr', '198.51.100.9'), DROP])];
    const own = { mac: PEER.mac, ip: PEER.ip };
    const published = () => syns(new Capture(), 3, {}, 1, HOST, own).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    const nat = rule('pre', [when('tcp dport', 80), { dnat: { family: 'ip', addr: '198.51.100.9', port: 8080 } }]);
    const [finding] = await find([pre, nat, ...drop], {}, published());
    expect(finding.summary).toContain(`translates ${PEER.ip} to 198.51.100.9 (DNAT)`);
    expect(finding.remedy[1].commands[0]).toContain('ip daddr 198.51.100.9 tcp dport 8080 accept');
    expect(await told([pre, rule('pre', [hidden('DNAT', 'target')]), forward({ policy: 'drop' })])).toEqual([]);
    expect(await told([pre, rule('pre', [hidden('addrtype'), RETURN]), forward({ policy: 'drop' })])).toHaveLength(1);
  });

  it('tells of answers that are dropped, surer where they are counted', async () => {
    const drops = (...more: Parameters<typeof rule>[1]) =>
      one(when('iifname', 'eth1'), when('ip saddr', BEYOND.ip), ...more, DROP);
    const [finding] = await find(drops());
    expect(finding.confidence).toBe('likely');
    expect(finding.title).toContain(`drops answers of ${BEYOND.ip} to ${HOST.ip}`);
    expect((await told(drops(counter(4))))[0]).toMatch(/^certain/);
    expect(await told(drops(counter(0)))).toEqual([]);
  });

  it('keeps still where the requests were seen to pass rules that would drop them', async () => {
    const folder = 'fixtures/rules/ip/not-forwarded/answers-dropped';
    const file = JSON.parse(readFileSync(join(folder, 'context.json'), 'utf8'));
    const rules = async () => {
      const options = { ...only, context: parseContext(file), vantage: { namespace: 'fw-r', interface: 'any' } };
      return (await analyze([join(folder, 'capture.pcap')], options)).findings.map(({ rule }) => rule);
    };
    expect(await rules()).toEqual(['ip/not-forwarded']);
    const { nftables } = file.namespaces['fw-r']['nft -j list ruleset'];
    file.namespaces['fw-r']['nft -j list ruleset'].nftables = nftables.filter((item: object) => !('rule' in item));
    expect(await rules()).toEqual([]);
  });

  it('gives iptables commands for tables of iptables, in the chain that Docker leaves to its user', async () => {
    const table = (...names: string[]) => [
      { chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', prio: 0, policy: 'drop' } },
      ...names.map((name) => ({ chain: { family: 'ip', table: 'filter', name } })),
      rule('FORWARD', [hidden('LOG', 'target')], { family: 'ip', table: 'filter' }),
    ];
    const [plain] = await find(table());
    expect(plain.remedy[1].commands).toEqual([
      `ip netns exec box iptables -I FORWARD -s ${HOST.ip} -d ${BEYOND.ip} -p icmp --icmp-type echo-request -j ACCEPT`,
      `ip netns exec box iptables -I FORWARD -s ${BEYOND.ip} -d ${HOST.ip} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
    ]);
    const [docker] = await find(table('DOCKER-USER'));
    expect(docker.remedy[1].commands[0]).toContain('iptables -I DOCKER-USER -s');
    const at = { family: 'ip', table: 'filter' };
    const [first] = await find([
      { chain: { ...at, name: 'FORWARD', hook: 'forward', prio: 0, policy: 'accept' } },
      { chain: { ...at, name: 'DOCKER-USER' } },
      rule('FORWARD', [when('ip saddr', HOST.ip), hidden('comment'), { drop: null }], at),
      rule('FORWARD', [{ jump: { target: 'DOCKER-USER' } }], at),
    ]);
    expect(first.remedy[1].commands[0]).toContain('iptables -I FORWARD -s');
  });

  it('leaves to rp_filter what that drops first', async () => {
    const sysctl = { 'net.ipv4.conf.all.rp_filter': '1', 'net.ipv4.conf.eth0.rp_filter': '1' };
    const capture = pings(BEYOND, { from: { mac: HOST.mac, ip: FAR.ip } });
    expect(await told([forward({ policy: 'drop' })], { sysctl }, capture)).toEqual([]);
  });

  it('explains the pings, and is one finding for all that one rule drops', async () => {
    const context = filtering([forward({ policy: 'drop' })]);
    const capture = syns(pinged(), 3, {}, 30, HOST, BEYOND).at(60).ask(HOST.mac, HOST.ip, '10.0.0.98');
    const findings = await capture.findings({ context, select: ['ip/*', 'icmp/*', 'tcp/*'] });
    expect(findings.map(({ rule, count }) => [rule, count])).toEqual([['ip/not-forwarded', 7]]);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'tcp/syn-unanswered']);
  });

  it('is bounded where a context is hostile', async () => {
    const loop = [chain('a'), chain('b'), rule('a', [jump('b')]), rule('b', [jump('a')]), rule('a', [DROP])];
    expect(await told([forward(), ...loop, rule('forward', [jump('a')])])).toEqual([]);
    // Each chain calls the next twice: 2^15 ways.
    const deep = Array.from({ length: 15 }, (_, at) => [
      chain(`d${at}`),
      rule(`d${at}`, [jump(`d${at + 1}`)]),
      rule(`d${at}`, [when('ip ttl', 3), jump(`d${at + 1}`)]),
    ]).flat();
    expect(
      await told([forward(), ...deep, chain('d15'), rule('forward', [jump('d0')]), rule('forward', [DROP])]),
    ).toEqual([]);
    const many = Array.from({ length: 10_000 }, (_, at) =>
      rule('forward', [when('ip daddr', `10.9.${at >> 8}.${at & 255}`), DROP]),
    );
    expect(await told([forward({ policy: 'drop' }), ...many])).toHaveLength(1);
    const elements = Array.from({ length: 100_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
    expect(await told([set('big', 'ipv4_addr', elements), ...one(when('ip daddr', '@big', '!='), DROP)])).toHaveLength(
      1,
    );
  });
});
