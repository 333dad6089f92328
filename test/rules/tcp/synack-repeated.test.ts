import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { GATEWAY, output, ROUTER, routed, ruleset } from '../../support/router.js';
import { ACK, handshake, RST, SYN, synAck, syns, tcp } from '../../support/tcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['tcp/synack-repeated'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));

/** SYNs at 1, 2, 3 s as many as `asks`, SYN-ACKs at the `times`. */
function stuck(asks: number, times: readonly number[], way = {}): Capture {
  const capture = syns(new Capture(), asks, { way });
  for (const [i, second] of times.entries()) synAck(capture.at(second), { id: 50 + i, way });
  return capture;
}

describe('tcp/synack-repeated', () => {
  it('speaks where both sides repeat themselves', async () => {
    expect(await said(stuck(2, [1.01, 2.01, 3.01]))).toEqual([['tcp/synack-repeated', 'likely', [1, 2, 3, 4, 5]]]);
    expect(await said(stuck(2, [1.01, 2.01]))).toEqual([['tcp/synack-repeated', 'hint', [1, 2, 3, 4]]]);
    expect(await said(stuck(2, [1.01]))).toEqual([]);
  });

  it('only hints where the client asks once: a scanner, or a forged address', async () => {
    expect(await said(stuck(1, [1.01, 2.01, 4.01, 8.01]))).toEqual([['tcp/synack-repeated', 'hint', [1, 2, 3, 4, 5]]]);
  });

  it('knows without SYNs whether the client asks again, by more SYN-ACKs than a timer sends', async () => {
    expect((await said(stuck(0, [1, 2, 4, 8, 16]))).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await said(stuck(0, [1, 2, 3]))).map(([, confidence]) => confidence)).toEqual(['likely']);
    expect((await said(stuck(0, [1, 2, 3, 4, 5]))).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('keeps still when the connection comes up, or either end resets it', async () => {
    const whole = stuck(2, [1.01, 2.01, 3.01]);
    expect(await said(tcp(whole.at(3.1), HOST, PEER, ACK, { seq: 1001, ack: 5001 }))).toEqual([]);
    const reset = stuck(2, [1.01, 2.01, 3.01]);
    expect(await said(tcp(reset.at(3.1), HOST, PEER, RST, { seq: 1001 }))).toEqual([]);
    // One direction only: the server goes on as if it had an ACK.
    const served = stuck(0, [1, 2, 3]);
    const data = { sport: 80, dport: 40000, seq: 5001, ack: 1001, length: 20 };
    expect(await said(tcp(served.at(3.1), PEER, HOST, ACK, data))).toEqual([]);
  });

  it('only hints where the same client connects later', async () => {
    const capture = handshake(stuck(2, [1.01, 2.01, 3.01]).at(5), { sport: 41000 });
    expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('is certain at the server, and names the client where the capture is from there', async () => {
    const at = async (syn: 'in' | 'out', answer: 'in' | 'out') => {
      const capture = syns(new Capture(), 3, { way: { direction: syn } });
      for (const i of [0, 1, 2]) synAck(capture.at(1.01 + i), { id: 50 + i, way: { direction: answer } });
      return (await capture.findings(only)).map(({ confidence, title }) => [confidence, title]);
    };
    expect(await at('in', 'out')).toEqual([
      ['certain', '10.0.0.1 never acknowledges the SYN-ACKs of 10.0.0.2 port 80'],
    ]);
    expect(await at('out', 'in')).toEqual([['certain', '10.0.0.1 ignores the SYN-ACKs of 10.0.0.2 port 80']]);
  });

  it('takes in the SYNs that stay unanswered before address translation', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      syns(capture, 1, { id: i, dport: 8080, way: { vlan: 10 } }, 1 + i);
      syns(capture, 1, { id: i, way: { vlan: 20 } }, 1.001 + i);
      synAck(capture.at(1.01 + i), { id: 50 + i, way: { vlan: 20 } });
    }
    const findings = await capture.findings({ select: ['tcp'] });
    expect(findings.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['tcp/synack-repeated', ['tcp/syn-unanswered']],
    ]);
  });

  it('takes in the SYNs that come in at another device than their answers leave by', async () => {
    const both = (asked: object, answered: object) => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++) {
        syns(capture, 1, { id: i, way: asked }, 1 + i);
        synAck(capture.at(1.01 + i), { id: 50 + i, way: answered });
      }
      return capture.findings({ select: ['tcp'] });
    };
    const findings = await both({ direction: 'in', port: 1 }, { direction: 'out', port: 2 });
    expect(findings.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['tcp/synack-repeated', ['tcp/syn-unanswered']],
    ]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    for (const [seq, way] of [
      [1, { vlan: 10 }],
      [2, { vni: 5 }],
    ] as const)
      for (let i = 0; i < 3; i++) {
        syns(capture, 1, { id: i, seq, way }, 1 + i + seq / 10);
        synAck(capture.at(1.01 + i + seq / 10), { id: 50 + i, way });
      }
    const findings = await capture.findings(only);
    expect(findings.map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });

  it('is neither at the client nor at the server on what lies between: a switch, a router', async () => {
    const passing = async (ttl: number, from: 'in' | 'out' = 'in') => {
      const capture = new Capture();
      const back = from === 'in' ? 'out' : 'in';
      for (const [i, second] of [1, 2, 4].entries()) {
        tcp(capture.at(second), HOST, PEER, SYN, { seq: 1000, ttl, way: { direction: back } });
        synAck(capture.at(second + 0.01), { id: 50 + i, ttl, way: { direction: from } });
      }
      return (await capture.findings(only)).map(({ confidence, title }) => [confidence, title]);
    };
    const ignores = '10.0.0.1 ignores the SYN-ACKs of 10.0.0.2 port 80';
    const never = '10.0.0.1 never acknowledges the SYN-ACKs of 10.0.0.2 port 80';
    expect(await passing(64)).toEqual([['certain', ignores]]);
    expect(await passing(63)).toEqual([['likely', never]]);
    expect(await passing(64, 'out')).toEqual([['certain', never]]);
    expect(await passing(63, 'out')).toEqual([['likely', never]]);
  });

  it('speaks on a router that passes both on, once', async () => {
    const capture = new Capture();
    for (const [i, second] of [1, 2, 4].entries()) {
      for (const [n, way] of [{ direction: 'in' }, { direction: 'out', vlan: 7 }].entries())
        tcp(capture.at(second + n / 1e4), HOST, PEER, SYN, { seq: 1000, ttl: 64 - n, way: way as Way });
      for (const [n, way] of [{ direction: 'in', vlan: 7 }, { direction: 'out' }].entries())
        synAck(capture.at(second + 0.01 + n / 1e4), { id: 50 + i, ttl: 64 - n, way: way as Way });
    }
    expect(await said(capture)).toEqual([['tcp/synack-repeated', 'likely', [1, 4, 5, 8, 9, 12]]]);
    // Where the connection comes up, on both sides of the router.
    for (const [n, way] of [{ direction: 'in' }, { direction: 'out', vlan: 7 }].entries())
      tcp(capture.at(5 + n / 1e4), HOST, PEER, ACK, { seq: 1001, ack: 5001, ttl: 64 - n, way: way as Way });
    expect(await said(capture)).toEqual([]);
  });

  it('tells SYN-ACKs without SYNs once, where they come in', async () => {
    const capture = new Capture();
    for (const second of [1, 2, 3]) {
      synAck(capture.at(second), { id: second, way: { direction: 'in' } });
      synAck(capture.at(second + 0.0001), { id: second, ttl: 63, way: { direction: 'out', vlan: 7 } });
    }
    expect(await said(capture)).toEqual([['tcp/synack-repeated', 'likely', [1, 3, 5]]]);
  });

  describe('where SYN-ACKs are reset and the SYN comes again', () => {
    /** SYN, SYN-ACK and RST, a second apart, that often; the RST of another machine or another TTL as told. */
    function reset(rounds: number, { ttl = 64, from = HOST, seq = 1000, ack = 1001 } = {}): Capture {
      const capture = new Capture();
      for (let i = 0; i < rounds; i++) {
        tcp(capture.at(1 + i), HOST, PEER, SYN, { id: 1 + i, ttl: 63, seq });
        synAck(capture.at(1.01 + i), { id: 50 + i, ack });
        tcp(capture.at(1.02 + i), from, PEER, RST, { id: 90 + i, ttl, seq: ack });
      }
      return capture;
    }

    it('is as sure as what shows another machine, and how often', async () => {
      expect(await said(reset(3))).toEqual([['tcp/synack-repeated', 'certain', [1, 2, 3, 4, 5, 6, 7, 8, 9]]]);
      expect(await said(reset(2))).toEqual([['tcp/synack-repeated', 'likely', [1, 2, 3, 4, 5, 6]]]);
      expect((await said(reset(3, { ttl: 63 }))).map(([, confidence]) => confidence)).toEqual(['likely']);
      expect((await said(reset(2, { ttl: 63 }))).map(([, confidence]) => confidence)).toEqual(['hint']);
      expect(await said(reset(1))).toEqual([]);
    });

    it('only hints where the SYNs have the TTL of a scanner, above that of its host', async () => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++) {
        tcp(capture.at(1 + i), HOST, PEER, SYN, { id: 1 + i, ttl: 255 });
        synAck(capture.at(1.01 + i), { id: 50 + i });
        tcp(capture.at(1.02 + i), HOST, PEER, RST, { id: 90 + i, seq: 1001 });
      }
      expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
    });

    it('names the MAC of the other machine', async () => {
      const other = { ...HOST, mac: HOST.mac.replace(/..$/, '77') };
      const [finding] = await reset(3, { ttl: 63, from: other }).findings(only);
      expect([finding?.confidence, finding?.summary.includes(other.mac)]).toEqual(['certain', true]);
      expect(finding?.cause).toMatch(/^Two machines send as 10\.0\.0\.1,/);
    });

    it('keeps still where the SYN-ACK is for another SYN, or another SYN comes', async () => {
      expect(await said(reset(3, { ack: 700 }))).toEqual([]);
      const anew = new Capture();
      for (let i = 0; i < 3; i++) {
        tcp(anew.at(1 + i), HOST, PEER, SYN, { id: 1 + i, seq: 1000 * i });
        synAck(anew.at(1.01 + i), { id: 50 + i, ack: 1000 * i + 1 });
        tcp(anew.at(1.02 + i), HOST, PEER, RST, { id: 90 + i, seq: 1000 * i + 1 });
      }
      expect(await said(anew)).toEqual([]);
    });

    it('takes it back when the connection comes up after all', async () => {
      const capture = reset(3);
      tcp(capture.at(4), HOST, PEER, SYN, { id: 9, ttl: 63 });
      synAck(capture.at(4.01), { id: 60 });
      expect(await said(tcp(capture.at(4.02), HOST, PEER, ACK, { id: 10, seq: 1001, ack: 5001 }))).toEqual([]);
    });

    it('takes in what gets no answer before the source is translated', async () => {
      const capture = new Capture();
      for (let i = 0; i < 3; i++) {
        const inside = { ip: '10.9.0.5', mac: HOST.mac };
        tcp(capture.at(1 + i), inside, PEER, SYN, { id: 1 + i, way: { vlan: 10 } });
        tcp(capture.at(1.001 + i), HOST, PEER, SYN, { id: 1 + i, ttl: 63, way: { vlan: 20 } });
        synAck(capture.at(1.01 + i), { id: 50 + i, way: { vlan: 20 } });
        tcp(capture.at(1.02 + i), HOST, PEER, RST, { id: 90 + i, seq: 1001, way: { vlan: 20 } });
      }
      const findings = await capture.findings({ select: ['tcp'] });
      expect(findings.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
        ['tcp/synack-repeated', ['tcp/syn-unanswered']],
      ]);
    });

    it('knows by the host context who has the address that source NAT uses', async () => {
      const snat = (addr: string) => ruleset({ type: 'nat', hook: 'postrouting' }, [output('up'), { snat: { addr } }]);
      const holder = (local: string) => ({
        h: {
          'ip -d -j link': [
            { link_type: 'ether', flags: ['UP'], ifindex: 2, ifname: 'eth0', address: '02:00:00:00:03:09' },
          ],
          'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 32 }] }],
        },
      });
      const told = async (addr: string, local: string) => {
        const capture = new Capture().ask(GATEWAY.mac, GATEWAY.ip, '192.0.2.9');
        capture.answer('02:00:00:00:03:09', '192.0.2.9', GATEWAY.mac, GATEWAY.ip);
        for (let i = 0; i < 3; i++) {
          tcp(capture.at(1 + i), { ...ROUTER, ip: '192.0.2.9' }, GATEWAY, SYN, { id: 1 + i, ttl: 63 });
          synAck(capture.at(1.01 + i), { id: 50 + i }, GATEWAY, { mac: '02:00:00:00:03:09', ip: '192.0.2.9' });
          const other = { mac: '02:00:00:00:03:09', ip: '192.0.2.9' };
          tcp(capture.at(1.02 + i), other, GATEWAY, RST, { id: 90 + i, seq: 1001 });
        }
        const findings = await capture.findings({ context: routed(snat(addr), holder(local)) });
        return findings.filter(({ severity }) => severity !== 'info');
      };
      const [finding, ...others] = await told('192.0.2.9', '192.0.2.9');
      expect([finding.rule, finding.confidence, others]).toEqual(['tcp/synack-repeated', 'certain', []]);
      expect(finding.remedy[0].commands).toEqual([
        'ip netns exec h ip addr del 192.0.2.9/32 dev eth0',
        'ip netns exec r ip addr add 192.0.2.9/32 dev up',
        'ip netns exec r arping -c 2 -U -I up 192.0.2.9',
      ]);
      // Nobody translates to it, or nobody is known to have it: then it looks like NAT without hairpin.
      expect((await told('192.0.2.10', '192.0.2.9')).map(({ rule }) => rule)).toEqual(['bridge/hairpin-missing']);
      expect((await told('192.0.2.9', '192.0.2.10')).map(({ rule }) => rule)).toEqual(['bridge/hairpin-missing']);
    });
  });
});
