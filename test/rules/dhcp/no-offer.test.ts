import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { guests } from '../../support/bridge.js';
import { CLIENT, dhcp, discovers, SERVER } from '../../support/dhcp.js';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['dhcp/no-offer'] };

describe('dhcp/no-offer', () => {
  it('is likely after three discovers over more than three seconds, a hint before', async () => {
    const likely = [['dhcp/no-offer', 'likely', [1, 2, 3]]];
    expect(inShort(await discovers(new Capture(), 3, 2).findings(only))).toEqual(likely);
    expect(inShort(await discovers(new Capture(), 3, 1).findings(only))).toEqual([
      ['dhcp/no-offer', 'hint', [1, 2, 3]],
    ]);
    expect(inShort(await discovers(new Capture(), 2).findings(only))).toEqual([['dhcp/no-offer', 'hint', [1, 2]]]);
    expect(await discovers(new Capture(), 1).findings(only)).toEqual([]);
  });

  describe('where the host context shows a firewall in front of the server', () => {
    const table = { family: 'inet', table: 'f' };
    const chain = (hook: string, policy = 'accept') => ({
      chain: { ...table, name: 'in', hook, type: 'filter', prio: 0, policy },
    });
    const dport = (port: number) => ({
      match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: port },
    });
    const rule = (...expr: object[]) => ({ rule: { ...table, chain: 'in', expr } });
    const DROP = { drop: null };
    const end = (address: string, more = {}) => ({
      'ip -d -j link': [
        {
          ifindex: 2,
          ifname: 'eth0',
          address,
          link_index: 2,
          link_netnsid: 0,
          linkinfo: { info_kind: 'veth' },
          ...more,
        },
      ],
    });
    const holding = (local: string) => ({
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
    });
    /** The first command of the cure, and the machine, place and direction that the cause names. */
    const told = async (rules: object[], { iflink = 2, more = {}, others = {} } = {}) => {
      const server = {
        ...end(SERVER.mac, { link_index: iflink }),
        'nft -j list ruleset': { nftables: rules },
        ...more,
      };
      const context = parseContext({ namespaces: { c: end(CLIENT), s: server, ...others } });
      const [{ remedy, cause, confidence }] = await discovers(new Capture(), 3, 2).findings({ ...only, context });
      expect(confidence).toBe('likely');
      return [remedy[0].commands[0], /There (.*)\.$/.exec(cause)?.[1] ?? null];
    };
    const insert = 'ip netns exec s nft insert rule inet f in udp dport 67 accept';
    const deaf = 'is for UDP port 67: a server there does not hear it';
    const look = ["tcpdump -eni any 'udp port 67 and udp[36:4] = 0x02000000 and udp[40:2] = 0x0001'", null];
    const server = { more: holding(SERVER.ip) };

    it('names the rule', async () => {
      const words = `the rule \`udp dport 67 drop\` in chain inet f in drops what ${deaf}`;
      expect(await told([chain('input'), rule(dport(67), DROP)])).toEqual([insert, words]);
      expect(await told([chain('input'), rule(dport(68), DROP)])).toEqual(look);
      expect(await told([chain('output'), rule(dport(67), DROP)])).toEqual(look);
      expect(await told([chain('input'), rule(dport(67), DROP)], { iflink: 9 })).toEqual(look);
      expect(await told([chain('input'), rule({ accept: null }), rule(dport(67), DROP)])).toEqual(look);
    });

    it('knows what a discover is', async () => {
      const meta = (key: string, right: unknown) => ({ match: { op: '==', left: { meta: { key } }, right } });
      const fib = { fib: { flags: 'daddr', result: 'type' } };
      const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
      for (const expr of [
        [meta('pkttype', 'broadcast'), dport(67), DROP],
        [{ match: { op: '==', left: fib, right: 'broadcast' } }, dport(67), DROP],
        [{ match: { op: '==', left: saddr, right: '0.0.0.0' } }, dport(67), DROP],
        [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }, dport(67), DROP],
        // Nobody is told of a broadcast that is rejected.
        [dport(67), { reject: { type: 'icmpx', expr: 'admin-prohibited' } }],
      ])
        expect((await told([chain('input'), rule(...expr)]))[0], JSON.stringify(expr)).toBe(insert);
    });

    it('names what a server cannot send', async () => {
      const words =
        'the rule `udp dport 68 drop` in chain inet f in drops what a server sends to clients: no offer leaves';
      expect(await told([chain('output'), rule(dport(68), DROP)])).toEqual([
        'ip netns exec s nft insert rule inet f in udp dport 68 accept',
        words,
      ]);
    });

    it('names what the bridge of a virtual machine drops, whose tap is known by what the bridge learned', async () => {
      const policy = (policy: string) => [
        { chain: { family: 'bridge', table: 'f', name: 'i', hook: 'forward', type: 'filter', prio: 0, policy } },
      ];
      const commands = async (context: ReturnType<typeof guests>) => {
        const [{ remedy }] = await discovers(new Capture(), 3, 2).findings({ ...only, context });
        return remedy[0].commands.slice(0, 1);
      };
      expect(await commands(guests({ nftables: policy('drop') }))).toEqual([
        'nft insert rule bridge f i udp dport 67 accept',
      ]);
      expect(await commands(guests({ nftables: policy('drop'), learned: false }))).toEqual(look.slice(0, 1));
      expect(await commands(guests({ nftables: policy('accept') }))).toEqual(look.slice(0, 1));
    });

    it('names what a bridge on the way drops, on its way to every other port', async () => {
      const port = (ifindex: number, index: number, name: string) => ({
        ifindex,
        ifname: name,
        flags: ['UP'],
        link_index: index,
        link_netnsid: ifindex,
        linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
        master: 'br0',
      });
      const bridged = (rules: object[], called = '1', address: object = {}) => {
        const links = [
          port(2, 2, 'p1'),
          port(3, 2, 'p2'),
          { ifindex: 4, ifname: 'br0', linkinfo: { info_kind: 'bridge' } },
        ];
        const sysctl = { 'net.bridge.bridge-nf-call-iptables': called };
        const sw = { 'ip -d -j link': links, 'nft -j list ruleset': { nftables: rules }, sysctl, ...address };
        return told([], { others: { sw }, more: end(SERVER.mac, { link_index: 3 }) });
      };
      const command = 'ip netns exec sw nft insert rule inet f in udp dport 67 accept';
      const policy = chain('forward', 'drop');
      const [first, cause] = await bridged([policy]);
      expect(first).toBe(command);
      expect(cause).toBe(
        'the policy (drop) of chain inet f in, hook forward drops the discover on its way to every other port',
      );
      expect((await bridged([chain('forward'), rule(dport(67), DROP)]))[0]).toBe(command);
      expect((await bridged([chain('forward'), rule(dport(68), DROP)]))[1]).toContain('drops what servers answer');
      // Not called, let through, and where the host may serve itself.
      expect(await bridged([policy], '0')).toEqual(look);
      expect(await bridged([policy, rule(dport(67), { accept: null }), rule(dport(68), { accept: null })])).toEqual(
        look,
      );
      const local = { family: 'inet', local: '10.0.0.1', prefixlen: 24 };
      const own = { 'ip -j addr': [{ ifindex: 4, ifname: 'br0', addr_info: [local] }] };
      expect(await bridged([policy], '1', own)).toEqual(look);
    });

    it('names a policy where nobody else can be the server', async () => {
      const words = `the policy (drop) of chain inet f in, hook input drops what ${deaf}`;
      const guarded = [chain('input', 'drop'), rule(dport(53), { accept: null })];
      expect(await told(guarded, server)).toEqual([insert, words]);
      expect(await told([...guarded, rule(dport(67), { accept: null })], server)).toEqual(look);
      // A machine without an address serves nobody.
      expect(await told(guarded)).toEqual(look);
      const bridge = [
        { ifindex: 2, ifname: 'p1', link_index: 2, link_netnsid: 0, linkinfo: { info_kind: 'veth' }, master: 'br0' },
        { ifindex: 3, ifname: 'br0', linkinfo: { info_kind: 'bridge' } },
        { ifindex: 4, ifname: 'eth9', master: 'br0' },
      ];
      const host = (links: object[]) => ({
        'ip -d -j link': links,
        'ip -j addr': [
          { ifindex: 3, ifname: 'br0', addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }] },
        ],
        'nft -j list ruleset': { nftables: guarded },
      });
      const others = { s: host(bridge.slice(0, 2)) };
      expect((await told([], { others }))[0]).toBe(insert);
      // Behind a real device others may serve.
      expect(await told([], { others: { s: host(bridge) } })).toEqual(look);
    });
  });

  it('is certain where the client sends from this machine', async () => {
    const [finding] = await discovers(new Capture(), 3, 4, { way: { direction: 'out' } }).findings(only);
    expect(finding.confidence).toBe('certain');
  });

  it('follows a client that takes a new xid with every try', async () => {
    const capture = new Capture();
    for (const xid of [1, 2, 3]) dhcp(capture.at(xid * 4), 'discover', { xid });
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/no-offer', 'likely', [1, 2, 3]]]);
  });

  it('is a hint while somebody looks for an address right after the latest discover', async () => {
    const ask = (after: number, from = SERVER.mac, end = after) => {
      const capture = discovers(new Capture(), 3, 2).at(4 + after);
      capture.ask(from, SERVER.ip, '10.0.0.50');
      return capture.at(4 + end).answer(SERVER.mac, SERVER.ip, '02:00:00:00:00:77', '10.0.0.7');
    };
    const short = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);
    expect(await short(ask(0.02))).toEqual(['hint']);
    expect(await short(ask(0.2))).toEqual(['likely']);
    expect(await short(ask(0.02, CLIENT))).toEqual(['likely']);
    expect(await short(ask(0.02, SERVER.mac, 3.1))).toEqual(['likely']);
  });

  it('is likely of two discovers without broadcast flag where the capture is of an ipvlan child', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' });
    const vantage = { namespace: 'ns1', interface: 'child1' };
    const capture = () => discovers(new Capture(), 2, 2, { client: PARENT });
    const [finding] = await capture().findings({ ...only, context, vantage });
    expect([finding.confidence, finding.remedy[0].commands[0]]).toEqual([
      'likely',
      'ip netns exec ns1 udhcpc -B -i child1',
    ]);
    expect(inShort(await capture().findings({ ...only, context }))).toEqual([['dhcp/no-offer', 'hint', [1, 2]]]);
    const broadcast = discovers(new Capture(), 2, 2, { client: PARENT, flags: 0x8000 });
    expect(inShort(await broadcast.findings({ ...only, context, vantage }))).toEqual([
      ['dhcp/no-offer', 'hint', [1, 2]],
    ]);
  });

  it('takes back what a late offer excuses', async () => {
    const capture = dhcp(discovers(new Capture(), 4).at(13), 'offer', { server: SERVER });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where the client requests: its offer went another way', async () => {
    const capture = dhcp(discovers(new Capture(), 3).at(9), 'request', { server: SERVER });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('counts a message once that passes several ports', async () => {
    const capture = new Capture();
    for (const at of [0, 0.001, 0.002, 0.003]) dhcp(capture.at(at), 'discover');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('tells clients in two VLANs apart', async () => {
    const capture = discovers(new Capture(), 3, 4, { xid: 1, way: { vlan: 10 } });
    discovers(capture, 3, 4, { xid: 2, way: { vlan: 20 } });
    dhcp(capture.at(9), 'offer', { xid: 2, server: SERVER, way: { vlan: 20 } });
    const findings = await capture.findings(only);
    expect(findings.map(({ segment }) => segment?.vlans)).toEqual([[10]]);
  });

  it('speaks inside VXLAN', async () => {
    expect(await discovers(new Capture(), 3, 4, { way: { vni: 7 } }).findings(only)).toHaveLength(1);
  });

  describe('of a client that tells how long it has asked (secs)', () => {
    const saying = (secs: readonly number[], apart = 7) => {
      const capture = new Capture();
      secs.forEach((each, i) => void dhcp(capture.at(i * apart), 'discover', { secs: each }));
      return capture.findings(only);
    };
    const said = async (secs: readonly number[], apart = 7) =>
      (await saying(secs, apart)).map(({ confidence }) => confidence);

    it('is likely after two discovers, if it asked before the capture began', async () => {
      const [finding] = await saying([7, 14]);
      expect(inShort([finding])).toEqual([['dhcp/no-offer', 'likely', [1, 2]]]);
      expect(finding.summary).toContain('It had been asking for 7 s before');
    });

    it.each([
      ['it began with the capture', [0, 7]],
      ['it had asked for 4 s', [4, 11]],
      ['it says the same each time', [9, 9]],
      ['what it says goes on too fast, as with bytes in the wrong order', [1792, 3584]],
      ['it began anew', [30, 0]],
    ])('is a hint where %s', async (_, secs) => {
      expect(await said(secs)).toEqual(['hint']);
    });

    it('says nothing after one', async () => {
      expect(await said([7])).toEqual([]);
    });
  });
});
