import { describe, expect, it } from 'vitest';
import { dhcp, RIVAL, SERVER } from '../../support/dhcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['dhcp/multiple-servers'] };

function offers(router: string, rivalRouter: string, address = '10.0.0.10'): Capture {
  const capture = dhcp(new Capture(), 'discover');
  dhcp(capture.at(0.1), 'offer', { server: SERVER, router });
  return dhcp(capture.at(0.11), 'offer', { server: RIVAL, router: rivalRouter, address });
}

describe('dhcp/multiple-servers', () => {
  it('is certain where the routers differ, a hint where they are the same', async () => {
    const differing = await offers('10.0.0.2', '10.0.0.3').findings(only);
    expect(inShort(differing)).toEqual([['dhcp/multiple-servers', 'certain', [2, 3]]]);
    const same = await offers('10.0.0.254', '10.0.0.254').findings(only);
    expect(inShort(same)).toEqual([['dhcp/multiple-servers', 'hint', [2, 3]]]);
  });

  it('keeps silent where both offer the very same address and router, whichever the client takes', async () => {
    for (const server of [SERVER, RIVAL]) {
      const capture = offers('10.0.0.254', '10.0.0.254', '10.0.0.9');
      dhcp(capture.at(0.2), 'request', { server });
      dhcp(capture.at(0.3), 'ack', { server });
      expect(await capture.findings(only)).toEqual([]);
    }
    const differing = await offers('10.0.0.2', '10.0.0.3', '10.0.0.9').findings(only);
    expect(inShort(differing)).toEqual([['dhcp/multiple-servers', 'certain', [2, 3]]]);
  });

  it('is likely where only the request names the second server', async () => {
    const capture = dhcp(new Capture(), 'offer', { server: SERVER });
    dhcp(capture.at(0.1), 'request', { server: RIVAL, address: '10.0.0.10' });
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/multiple-servers', 'likely', [1, 2]]]);
  });

  it('keeps silent for one server, and for two that answer two discovers', async () => {
    expect(await dhcp(new Capture(), 'offer', { server: SERVER }).findings(only)).toEqual([]);
    const capture = dhcp(dhcp(new Capture(), 'offer', { server: SERVER }).at(9), 'offer', { xid: 2, server: RIVAL });
    expect(await capture.findings(only)).toEqual([]);
  });
});
