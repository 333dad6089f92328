import { describe, expect, it } from 'vitest';
import { A, arpRequest, askInside, B, endpoints, ONE, refuse, THREE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/no-flood-target', 'arp/unanswered'] };
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');
const FLOOD = '00:00:00:00:00:00';

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/no-flood-target', () => {
  describe('below the tunnel', () => {
    /** TWO floods to ONE; ONE floods to THREE only. */
    const incomplete = () => askInside(tunnelled(new Capture(), own, { from: TWO, to: ONE }), { to: THREE });

    it('is likely where an endpoint that floods to us gets no broadcast', async () => {
      const [finding, ...more] = await incomplete().findings(only);
      expect(inShort([finding])).toEqual([['vxlan/no-flood-target', 'likely', [1, 2, 3, 4]]]);
      expect(finding.subject).toEqual({ endpoint: ONE, missing: TWO, vni: 5 });
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
      expect(more).toEqual([]);
    });

    it('is certain where the context shows the flood list', async () => {
      const context = endpoints([{ name: 'one', address: ONE, fdb: [[FLOOD, THREE]] }]);
      expect(await rules(incomplete(), { context })).toEqual(['vxlan/no-flood-target certain']);
    });

    it('keeps silent where the context shows it in the list', async () => {
      const context = endpoints([
        {
          name: 'one',
          address: ONE,
          fdb: [
            [FLOOD, THREE],
            [FLOOD, TWO],
          ],
        },
      ]);
      expect((await rules(incomplete(), { context })).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where it ever gets a frame', async () => {
      const capture = tunnelled(incomplete().at(9), arpRequest(A, '192.168.5.1', '192.168.5.3'), { to: TWO });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where nobody is flooded to, and where it is a group', async () => {
      expect((await rules(tunnelled(new Capture(), own, { from: TWO, to: ONE }))).join()).toBe('');
      const group = askInside(tunnelled(new Capture(), own, { from: TWO, to: ONE }), { to: '239.1.1.1' });
      expect((await rules(group)).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where an error tells why', async () => {
      const capture = refuse(incomplete().at(4), { to: TWO });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where the only endpoint that is flooded to refuses: a wrong remote address', async () => {
      const capture = refuse(incomplete().at(4), { to: THREE });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps VNIs apart', async () => {
      const capture = askInside(tunnelled(new Capture(), own, { from: TWO, to: ONE, vni: 6 }), { to: THREE });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });
  });

  describe('at the VXLAN device', () => {
    const vantage = { namespace: 'one', interface: 'vx0' };
    const capture = () => new Capture().askAgain(3, A, '192.168.5.1', '192.168.5.2').at(9);

    it('is certain where the device has nowhere to send to', async () => {
      const context = endpoints([{ name: 'one', address: ONE, fdb: [] }]);
      expect(await rules(capture(), { context, vantage })).toEqual(['vxlan/no-flood-target certain']);
    });

    it.each([
      ['a remote', { remote: TWO, fdb: [] }],
      ['a group', { group: '239.1.1.1', fdb: [] }],
      ['a flood entry', { fdb: [[FLOOD, TWO] as const] }],
      ['a table that is not told', {}],
    ])('keeps silent about a device with %s', async (_, more) => {
      const context = endpoints([{ name: 'one', address: ONE, ...more }]);
      expect((await rules(capture(), { context, vantage })).join()).not.toContain('no-flood-target');
    });
  });
});
