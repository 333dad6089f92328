import { describe, expect, it } from 'vitest';
import { CLIENT, dhcp, RIVAL, SERVER } from '../../support/dhcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['dhcp/nak'] };

describe('dhcp/nak', () => {
  it('is certain where a server refuses what another one offered', async () => {
    const capture = dhcp(dhcp(new Capture(), 'request', { server: RIVAL }).at(0.1), 'nak', { server: SERVER });
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/nak', 'certain', [1, 2]]]);
  });

  it('keeps silent where a client is refused its old address once, and speaks the second time within a minute', async () => {
    const capture = dhcp(dhcp(new Capture(), 'request').at(0.1), 'nak', { server: SERVER });
    expect(await capture.findings(only)).toEqual([]);
    dhcp(dhcp(capture.at(59), 'request', { xid: 2 }).at(59.1), 'nak', { xid: 2, server: SERVER });
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/nak', 'certain', [3, 4]]]);
  });

  it('keeps silent where more than a minute lies between', async () => {
    const capture = dhcp(dhcp(new Capture(), 'request').at(0.1), 'nak', { server: SERVER });
    dhcp(dhcp(capture.at(61), 'request', { xid: 2 }).at(61.1), 'nak', { xid: 2, server: SERVER });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('knows when, where the capture begins with a refusal', async () => {
    const capture = dhcp(dhcp(new Capture(), 'nak', { server: SERVER }).at(1), 'nak', { server: SERVER });
    const [finding] = await capture.findings(only);
    expect(finding.subject).toEqual({ mac: CLIENT });
    expect([finding.first, finding.last].map((time) => Number.isNaN(Date.parse(String(time))))).toEqual([false, false]);
  });

  it('names the server that the request is for', async () => {
    const capture = dhcp(dhcp(new Capture(), 'request', { server: RIVAL }).at(0.1), 'nak', { server: SERVER });
    const [finding] = await capture.findings(only);
    expect(finding.summary).toContain('asks the server 10.0.0.3 for 10.0.0.9');
  });
});
