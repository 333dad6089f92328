import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['dhcp/decline'] };

describe('dhcp/decline', () => {
  it('is certain, and names the address', async () => {
    const [finding] = await dhcp(new Capture(), 'decline', { server: SERVER, address: '10.0.0.77' }).findings(only);
    expect(inShort([finding])).toEqual([['dhcp/decline', 'certain', [1]]]);
    expect(finding.subject).toEqual({ mac: '02:00:00:00:00:01', ip: '10.0.0.77' });
  });

  it('keeps silent where the client requests', async () => {
    expect(await dhcp(new Capture(), 'request', { server: SERVER }).findings(only)).toEqual([]);
  });
});
