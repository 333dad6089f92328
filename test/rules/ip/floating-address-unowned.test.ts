import { describe, expect, it } from 'vitest';
import { field, GATEWAY, output, prefix, routed, ruleset } from '../../support/router.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const FLOATING = '192.0.2.9';
const dnat = { dnat: { addr: '10.0.1.5' } };
const pre = { type: 'nat', hook: 'prerouting' };
const nat = ruleset(pre, [field('daddr', FLOATING), dnat]);

const only = (context: ReturnType<typeof routed> | undefined) => ({
  select: ['ip/floating-address-unowned'],
  ...(context ? { context } : {}),
});
const asked = (times: number, tpa = FLOATING, way?: Way) =>
  new Capture()
    .askAgain(times, GATEWAY.mac, GATEWAY.ip, tpa, way)
    .at(9)
    .ask('02:00:00:00:0f:0f', '192.0.2.7', '192.0.2.8');

describe('ip/floating-address-unowned', () => {
  it('is certain where a rule translates the address and no device has it', async () => {
    const [finding] = await asked(3).findings(only(routed(nat)));
    expect(inShort([finding])).toEqual([['ip/floating-address-unowned', 'certain', [1, 2, 3]]]);
    expect(finding.subject).toMatchObject({ ip: FLOATING, device: 'up in r' });
    expect(finding.remedy[0].commands).toEqual(['ip netns exec r ip addr add 192.0.2.9/32 dev up']);
  });

  it('speaks of an address that source NAT writes, at the device where it does', async () => {
    const writes = (device: string, addr = FLOATING) =>
      ruleset({ type: 'nat', hook: 'postrouting' }, [output(device), { snat: { addr } }]);
    const [finding] = await asked(3).findings(only(routed(writes('up'))));
    expect(finding).toMatchObject({ confidence: 'certain', subject: { ip: FLOATING, device: 'up in r' } });
    expect(finding.summary).toContain('source NAT in r gives packets 192.0.2.9 as their source');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec r ip addr add 192.0.2.9/32 dev up']);
    expect(await asked(3).findings(only(routed(writes('lan'))))).toEqual([]);
    expect(await asked(3).findings(only(routed(writes('up', '192.0.2.10'))))).toEqual([]);
  });

  it('explains the silence', async () => {
    const findings = await asked(3).findings({ context: routed(nat) });
    expect(findings.map(({ rule }) => rule)).toEqual(['ip/floating-address-unowned']);
  });

  it('explains pings from the address, whose replies nobody can take', async () => {
    const capture = new Capture();
    const at = { from: '02:00:00:00:00:01', to: GATEWAY.mac, source: FLOATING, destination: GATEWAY.ip, protocol: 1 };
    for (let sequence = 1; sequence <= 4; sequence++) {
      const payload = [8, 0, 0, 0, 0, 7, 0, sequence, 1, 2, 3, 4];
      capture.at(sequence / 2).ipv4({ ...at, id: sequence, payload });
    }
    for (const second of [0, 1.02, 2.04]) capture.at(3 + second).ask(GATEWAY.mac, GATEWAY.ip, FLOATING);
    capture.at(12).ask('02:00:00:00:0f:0f', '192.0.2.7', '192.0.2.8');
    const select = ['ip/floating-address-unowned', 'arp/unanswered', 'icmp/echo-unanswered'];
    const [finding, ...others] = await capture.findings({ select, context: routed(nat) });
    expect(others).toEqual([]);
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/unanswered', 'icmp/echo-unanswered']);
  });

  it('reads sets and maps of addresses', async () => {
    const set = ruleset(pre, [field('daddr', { set: ['192.0.2.8', FLOATING] }), dnat]);
    const map = ruleset(pre, [
      {
        dnat: {
          addr: {
            map: {
              key: { payload: { protocol: 'ip', field: 'daddr' } },
              data: { set: [[FLOATING, '10.0.1.5']] },
            },
          },
        },
      },
    ]);
    for (const rules of [set, map]) expect(await asked(3).findings(only(routed(rules)))).toHaveLength(1);
  });

  it('keeps silent without a context, without such a rule, and of other addresses', async () => {
    expect(await asked(3).findings(only(undefined))).toEqual([]);
    expect(await asked(3).findings(only(routed(null)))).toEqual([]);
    expect(await asked(3, '192.0.2.10').findings(only(routed(nat)))).toEqual([]);
    const network = ruleset(pre, [field('daddr', prefix('192.0.2.0', 24)), dnat]);
    expect(await asked(3).findings(only(routed(network)))).toEqual([]);
    const others = ruleset(pre, [field('daddr', FLOATING, '!='), dnat]);
    expect(await asked(3).findings(only(routed(others)))).toEqual([]);
  });

  it('keeps silent where a device has the address', async () => {
    const owned = routed(nat, {
      other: {
        'ip -j addr': [{ ifindex: 5, ifname: 'eth0', addr_info: [{ family: 'inet', local: FLOATING, prefixlen: 32 }] }],
      },
    });
    expect(await asked(3).findings(only(owned))).toEqual([]);
  });

  it('keeps silent where the router is not on the link that asks', async () => {
    const capture = new Capture().askAgain(3, GATEWAY.mac, '198.51.100.1', FLOATING);
    expect(await capture.findings(only(routed(nat)))).toEqual([]);
  });

  it('keeps silent of one request, and of one that is answered', async () => {
    expect(await asked(1).findings(only(routed(nat)))).toEqual([]);
    const capture = new Capture().askAgain(2, GATEWAY.mac, GATEWAY.ip, FLOATING);
    capture.at(2).ask(GATEWAY.mac, GATEWAY.ip, FLOATING).at(2.1);
    capture.answer('02:00:00:00:02:02', FLOATING, GATEWAY.mac, GATEWAY.ip);
    expect(await capture.findings(only(routed(nat)))).toEqual([]);
  });

  it('tells two VLANs apart', async () => {
    const capture = asked(3, FLOATING, { vlan: 10 })
      .at(20)
      .askAgain(3, GATEWAY.mac, GATEWAY.ip, FLOATING, { vlan: 20 });
    const findings = await capture.findings(only(routed(nat)));
    expect(findings.map(({ segment }) => segment?.vlans)).toEqual([[10], [20]]);
  });
});
