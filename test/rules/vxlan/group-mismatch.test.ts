import { describe, expect, it } from 'vitest';
import { A, arpReply, arpRequest, askInside, B, endpoints, ONE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/group-mismatch', 'arp/unanswered'] };
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');
const [G1, G2] = ['239.1.1.1', '239.1.1.2'];

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/group-mismatch', () => {
  it('is likely where two endpoints flood one VNI to different groups and questions stay unanswered', async () => {
    const capture = askInside(tunnelled(new Capture(), own, { from: TWO, to: G2 }), { to: G1 });
    const [finding, ...more] = await capture.findings(only);
    expect(inShort([finding])).toEqual([['vxlan/group-mismatch', 'likely', [1, 2, 3, 4]]]);
    expect(finding.subject).toEqual({ endpoint: ONE, group: G1, peer: TWO, peerGroup: G2, vni: 5 });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(more).toEqual([]);
  });

  it('is certain where the context shows the other group, even if nothing comes from there', async () => {
    const context = endpoints([
      { name: 'one', address: ONE, group: G1 },
      { name: 'two', address: TWO, group: G2 },
    ]);
    expect(await rules(askInside(new Capture(), { to: G1 }), { context })).toEqual(['vxlan/group-mismatch certain']);
  });

  it('keeps silent where others use the group', async () => {
    const capture = tunnelled(tunnelled(new Capture(), own, { from: TWO, to: G2 }), own, { from: TWO, to: G1 });
    expect(await rules(askInside(capture, { to: G1 }))).toEqual(['arp/unanswered likely']);
  });

  it('keeps silent where the endpoint is answered', async () => {
    const capture = askInside(tunnelled(new Capture(), own, { from: TWO, to: G2 }), { to: G1 });
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), { from: TWO, to: ONE });
    expect((await rules(capture)).join()).not.toContain('group-mismatch');
  });

  it('keeps silent where nothing is asked in vain, and in another VNI', async () => {
    const quiet = tunnelled(tunnelled(new Capture(), own, { from: TWO, to: G2 }), own, { to: G1 });
    expect(await rules(quiet)).toEqual([]);
    const other = askInside(tunnelled(new Capture(), own, { from: TWO, to: G2, vni: 6 }), { to: G1 });
    expect(await rules(other)).toEqual(['arp/unanswered likely']);
  });

  it('keeps VLANs apart', async () => {
    const capture = tunnelled(new Capture(), own, { from: TWO, to: G2, way: { vlan: 9 } });
    expect((await rules(askInside(capture, { to: G1 }))).join()).not.toContain('group-mismatch');
  });
});
