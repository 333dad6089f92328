import { describe, expect, it } from 'vitest';
import { HostContext } from '../../../src/network/context/host-context.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { dhcp, discovers, SERVER } from '../../support/dhcp.js';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['dhcp/shared-hardware-address'] };
const ipvlan = { ...only, context: siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' }) };

/** A whole exchange of `PARENT` that starts at `at` s. */
function lease(capture: Capture, xid: number, at: number, address = '10.0.0.9', way?: Way): Capture {
  const more = { client: PARENT, xid, server: SERVER, address, ...(way ? { way } : {}) };
  dhcp(capture.at(at), 'discover', { ...more, server: undefined } as never);
  for (const type of ['offer', 'request', 'ack'] as const) dhcp(capture, type, more);
  return capture;
}

const twice = (gap = 1) => lease(lease(new Capture(), 1, 0), 2, gap);

describe('dhcp/shared-hardware-address', () => {
  it('is a hint of two leases of one address to one MAC, up to a minute apart', async () => {
    expect(inShort(await twice().findings(only))).toEqual([['dhcp/shared-hardware-address', 'hint', [4, 8]]]);
    expect(await twice(60).findings(only)).toHaveLength(1);
    expect(await twice(61).findings(only)).toEqual([]);
  });

  it('says nothing of a client that could not keep its lease', async () => {
    const renewed = lease(new Capture(), 1, 0);
    for (const at of [20, 24]) dhcp(renewed.at(at), 'request', { client: PARENT, held: '10.0.0.9', secs: at - 20 });
    expect(await lease(renewed, 2, 30).findings(only)).toEqual([]);
    const over = (seconds: number) => {
      const capture = lease(new Capture(), 1, 0);
      dhcp(capture.at(1), 'ack', { client: PARENT, xid: 1, server: SERVER, options: [51, 4, 0, 0, 0, seconds] });
      return lease(capture, 2, 30).findings(only);
    };
    expect(await over(25)).toEqual([]);
    expect(await over(60)).toHaveLength(1);
  });

  it('is likely where ipvlan children have the MAC', async () => {
    expect((await twice(100).findings(ipvlan)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('is certain where two of them have the address', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' });
    const holders = context.devices.filter(({ kind }) => kind === 'ipvlan');
    for (const device of holders)
      (device.addresses as unknown[]).push({ family: 4, words: [0x0a000009], text: '10.0.0.9', prefixLength: 24 });
    const [finding] = await twice().findings({ ...only, context: new HostContext(context.namespaces) });
    expect(finding.confidence).toBe('certain');
  });

  it('is likely where the second asks before the first has its lease', async () => {
    const capture = new Capture();
    const more = (xid: number) => ({ client: PARENT, xid, server: SERVER });
    for (const [step, type] of (['discover', 'offer', 'request', 'ack'] as const).entries())
      for (const xid of [1, 2]) dhcp(capture.at(step + 0.01 * xid), type, more(xid));
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('keeps silent of different addresses, renewals, and leases given back', async () => {
    expect(await lease(lease(new Capture(), 1, 0), 2, 1, '10.0.0.10').findings(only)).toEqual([]);
    const renewed = lease(new Capture(), 1, 0);
    for (const type of ['request', 'ack'] as const) dhcp(renewed.at(5), type, { client: PARENT, xid: 2 });
    expect(await renewed.findings(only)).toEqual([]);
    const declined = dhcp(lease(new Capture(), 1, 0).at(0.5), 'decline', { client: PARENT, xid: 7 });
    expect(await lease(declined, 2, 1).findings(only)).toEqual([]);
  });

  it('names two machines that have the MAC, and gives one of them another', async () => {
    const machine = {
      'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: PARENT, flags: ['UP'] }],
      'ip -j addr': [],
    };
    const context = parseContext({ namespaces: { vm1: machine, vm2: machine } });
    const [finding] = await twice().findings({ ...only, context });
    expect(finding.confidence).toBe('likely');
    expect(finding.summary).toContain('eth0 in vm1 and eth0 in vm2');
    expect(finding.cause).toContain('Two machines have one MAC');
    expect(finding.remedy[0].commands.join()).toContain('ip netns exec vm2 ip link set dev eth0 address');
    // One of them may have started anew.
    expect(await twice(61).findings({ ...only, context })).toEqual([]);
    expect(await twice().findings({ ...only, context: parseContext({ namespaces: { vm1: machine } }) })).toEqual([]);
  });

  it('keeps silent where the context shows one device with the MAC', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'bridge' });
    expect(await twice().findings({ ...only, context })).toEqual([]);
  });

  it('is likely of unicast offers that an ipvlan child does not take, and explains them', async () => {
    const capture = new Capture();
    for (const at of [0, 4]) {
      dhcp(capture.at(at), 'discover', { client: PARENT });
      dhcp(capture.at(at + 0.1), 'offer', { client: PARENT, server: SERVER });
    }
    const { context } = ipvlan;
    expect(inShort(await capture.findings({ context }))).toEqual([
      ['dhcp/shared-hardware-address', 'likely', [1, 2, 3, 4]],
    ]);
    expect((await capture.findings()).map(({ rule }) => rule)).toEqual(['dhcp/offer-ignored']);
    dhcp(capture.at(8), 'request', { client: PARENT, server: SERVER });
    expect(await capture.findings(ipvlan)).toEqual([]);
    expect(await discovers(new Capture(), 3, 4, { client: PARENT }).findings(ipvlan)).toEqual([]);
  });

  it('tells two VLANs and VXLAN apart', async () => {
    for (const way of [{ vlan: 10 }, { vni: 7 }]) {
      const capture = lease(lease(new Capture(), 1, 0, '10.0.0.9', way), 2, 1, '10.0.0.9', way);
      expect(await capture.findings(only)).toHaveLength(1);
    }
    const apart = lease(lease(new Capture(), 1, 0, '10.0.0.9', { vlan: 10 }), 2, 1, '10.0.0.9', { vlan: 20 });
    expect(await apart.findings(only)).toEqual([]);
  });
});
