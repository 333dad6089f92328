import { describe, expect, it } from 'vitest';
import { A, arpRequest, ONE, TWO, underlayMac } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16 } from '../../support/wire.js';

const NEAR = [0xfd, ...new Array(14).fill(0), 1];
const FAR = [0xfd, ...new Array(14).fill(0), 2];
const UDP = 17;
const ICMPV6 = 58;
const FRAGMENT = 44;

function ipv6(from: readonly number[], to: readonly number[], next: number, payload: readonly number[]): number[] {
  return [0x60, 0, 0, 0, ...u16(payload.length), next, 64, ...from, ...to, ...payload];
}

/** UDP with VXLAN and a question in it. */
function datagram(): number[] {
  const vxlan = [8, 0, 0, 0, 0, 0, 5, 0, ...arpRequest(A, '192.168.5.1', '192.168.5.2')];
  return [...u16(40000), ...u16(4789), ...u16(vxlan.length + 8), 0, 0, ...vxlan];
}

function send(capture: Capture, packet: readonly number[], back = false): Capture {
  const [to, from] = back ? [ONE, TWO] : [TWO, ONE];
  return capture.raw([...mac(underlayMac(to)), ...mac(underlayMac(from)), 0x86, 0xdd, ...packet]);
}

async function found(capture: Capture, rules: readonly string[]) {
  return inShort(await capture.findings({ select: rules }));
}

describe('VXLAN over IPv6', () => {
  const packet = ipv6(NEAR, FAR, UDP, datagram());

  it('is told by vxlan/one-way', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) send(capture.at(i * 1.02), packet);
    expect(await found(capture, ['vxlan/one-way'])).toEqual([['vxlan/one-way', 'hint', [1, 2, 3]]]);
  });

  it.each([
    [4, FAR, 'vxlan/port-unreachable'],
    [0, [...FAR.slice(0, 15), 9], 'vxlan/remote-unreachable'],
  ])('is told by ICMPv6 code %i', async (code, reporter, rule) => {
    const error = ipv6(reporter, NEAR, ICMPV6, [1, code, 0, 0, 0, 0, 0, 0, ...packet]);
    const capture = send(send(new Capture(), packet), error, true);
    expect(await found(capture, ['vxlan/port-unreachable', 'vxlan/remote-unreachable'])).toEqual([
      [rule, 'certain', [2]],
    ]);
  });

  it('is told by mtu/fragmentation-needed, with 70 bytes for the tunnel', async () => {
    const error = ipv6(FAR, NEAR, ICMPV6, [2, 0, 0, 0, 0, 0, ...u16(1400), ...packet]);
    const [finding] = await send(new Capture(), error, true).findings({ select: ['mtu/fragmentation-needed'] });
    expect(finding.remedy[0].commands).toEqual(['ip link set <vxlan device> mtu 1330']);
  });

  it('is told by vxlan/outer-fragmented', async () => {
    const first = ipv6(NEAR, FAR, FRAGMENT, [UDP, 0, 0, 1, 0, 0, 0, 7, ...datagram().slice(0, 56)]);
    expect(await found(send(new Capture(), first), ['vxlan/outer-fragmented'])).toEqual([
      ['vxlan/outer-fragmented', 'certain', [1]],
    ]);
  });
});
