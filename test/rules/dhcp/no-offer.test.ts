import { describe, expect, it } from 'vitest';
import { dhcp, discovers, SERVER } from '../../support/dhcp.js';
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

  it('is certain where the client sends from this machine', async () => {
    const [finding] = await discovers(new Capture(), 3, 4, { way: { direction: 'out' } }).findings(only);
    expect(finding.confidence).toBe('certain');
  });

  it('follows a client that takes a new xid with every try', async () => {
    const capture = new Capture();
    for (const xid of [1, 2, 3]) dhcp(capture.at(xid * 4), 'discover', { xid });
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/no-offer', 'likely', [1, 2, 3]]]);
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
});
