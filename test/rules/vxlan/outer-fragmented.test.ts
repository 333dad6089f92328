import { describe, expect, it } from 'vitest';
import { A, B, endpoints, ipv4, ONE, TWO, tunnelled, underlayMac, unicast, vxlanPacket } from '../../support/tunnel.js';
import { Capture, inShort, mac } from '../../support/wire.js';

const only = { select: ['vxlan/outer-fragmented'] };
const MORE = 0x2000;
const inner = unicast(A, B);

/** A later fragment of 8 bytes, behind the first. */
function rest(capture: Capture, id: number): Capture {
  const offset = (vxlanPacket(inner).length - 20) / 8;
  const packet = ipv4(ONE, TWO, 17, [1, 2, 3, 4, 5, 6, 7, 8], { id, fragment: offset });
  return capture.raw([...mac(underlayMac(TWO)), ...mac(underlayMac(ONE)), 8, 0, ...packet]);
}

describe('vxlan/outer-fragmented', () => {
  it('is certain about a first fragment', async () => {
    const capture = rest(tunnelled(new Capture(), inner, { fragment: MORE, id: 5 }), 5);
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/outer-fragmented', 'certain', [1]]]);
  });

  it('changes the sizes at both ends', async () => {
    const context = endpoints([
      { name: 'one', address: ONE, mtu: 1400 },
      { name: 'two', address: TWO, mtu: 1400 },
    ]);
    const [{ remedy }] = await tunnelled(new Capture(), inner, { fragment: MORE }).findings({ ...only, context });
    expect(remedy.slice(0, 2).map(({ commands }) => commands)).toEqual([
      ['ip netns exec one ip link set eth0 mtu 1600', 'ip netns exec two ip link set eth0 mtu 1600'],
      ['ip netns exec one ip link set vx0 mtu 1350', 'ip netns exec two ip link set vx0 mtu 1350'],
    ]);
  });

  it('keeps silent about whole packets, DF or not', async () => {
    const capture = tunnelled(tunnelled(new Capture(), inner), inner, { fragment: 0x4000 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent about fragments inside', async () => {
    const fragment = [...inner.slice(0, 20), 0x20, 0, ...inner.slice(22)];
    expect((await tunnelled(new Capture(), fragment).findings(only)).map(({ rule }) => rule)).not.toContain(
      'vxlan/outer-fragmented',
    );
  });

  it('keeps VNIs apart', async () => {
    const capture = tunnelled(tunnelled(new Capture(), inner, { vni: 6 }), inner, { fragment: MORE });
    expect((await capture.findings(only)).map(({ subject }) => subject.vni)).toEqual([5]);
  });
});
