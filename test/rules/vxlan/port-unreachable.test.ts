import { describe, expect, it } from 'vitest';
import { askInside, endpoints, ONE, refuse, TWO } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/port-unreachable', 'arp/unanswered'] };

describe('vxlan/port-unreachable', () => {
  it('is certain after one error from the endpoint itself', async () => {
    expect(inShort(await refuse(new Capture(), {}).findings(only))).toEqual([
      ['vxlan/port-unreachable', 'certain', [1]],
    ]);
  });

  it.each([4789, 8472])('knows port %i', async (port) => {
    const [finding] = await refuse(new Capture(), { port }).findings(only);
    expect(finding.subject).toEqual({ endpoint: '10.1.1.2', sender: '10.1.1.1', port });
  });

  it('knows a port that the user names', async () => {
    const findings = await refuse(new Capture(), { port: 14789 }).findings({ ...only, vxlanPorts: [14789] });
    expect(findings.map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable']);
  });

  it('explains what stays unanswered inside', async () => {
    const [finding, ...more] = await refuse(askInside(new Capture()).at(3.1), {}).findings(only);
    expect(more).toEqual([]);
    expect(finding.explains.map(({ rule, frames }) => [rule, frames])).toEqual([['arp/unanswered', [1, 2, 3]]]);
  });

  it('makes a device for the VNI that is sent, or sets up the one that is there', async () => {
    const capture = () => refuse(askInside(new Capture()).at(3.1), {});
    const cures = async (context?: ReturnType<typeof endpoints>) => {
      const [{ remedy }] = await capture().findings({ ...only, ...(context ? { context } : {}) });
      return remedy.map(({ commands }) => commands);
    };
    const make = `ip link add vxlan5 type vxlan id 5 local ${TWO} remote ${ONE} dstport 4789`;
    expect((await cures())[1]).toEqual([make, 'ip link set vxlan5 up']);
    const other = endpoints([{ name: 'two', address: TWO, vni: 6 }]);
    expect((await cures(other))[1][0]).toBe(`ip netns exec two ${make} dev eth0`);
    const down = endpoints([{ name: 'two', address: TWO }]);
    Object.assign(down.device('two', 'vx0') as object, { up: false });
    expect((await cures(down)).map(([command]) => command)).toEqual([
      'ip netns exec two ip link set vx0 up',
      'ip netns exec two ip -d link show type vxlan',
      `bridge fdb show | grep 'dst ${TWO}'`,
    ]);
  });

  it('explains nothing of another VNI or asked from behind the refusing endpoint', async () => {
    const capture = askInside(new Capture(), { from: TWO, to: '10.1.1.1' });
    const findings = await refuse(capture.at(4), {}).findings(only);
    expect(findings.map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable', 'arp/unanswered']);
  });

  it('keeps silent about an error from a third machine, and about other errors', async () => {
    const capture = refuse(new Capture(), {}, { reporter: '10.1.1.254' });
    refuse(capture, {}, { code: 1 });
    refuse(capture, {}, { code: 4, mtu: 1400 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent about other UDP', async () => {
    // 53 is no VXLAN port, but what is quoted has its shape: only the bytes of a VXLAN header make it one.
    expect(await refuse(new Capture(), { port: 53, flags: [0x12, 0x34, 1, 0] }).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = refuse(new Capture(), {}, { way: { vlan: 10 } });
    refuse(capture, {}, { way: { vlan: 20 } });
    const findings = await capture.findings(only);
    expect(findings.map(({ segment }) => segment.vlans)).toEqual([[10], [20]]);
  });
});
