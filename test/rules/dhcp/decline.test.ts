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

  it('says that the address is taken only where somebody else speaks for it', async () => {
    const how = { server: SERVER, address: '10.0.0.77' };
    const title = async (capture: Capture) => (await dhcp(capture, 'decline', how).findings(only))[0].title;
    expect(await title(new Capture())).toBe('02:00:00:00:00:01 declines 10.0.0.77, which DHCP gave it');
    const taken = new Capture().ask('02:00:00:00:00:07', '10.0.0.77', '10.0.0.1');
    expect(await title(taken)).toBe('02:00:00:00:00:01 declines 10.0.0.77: the address is taken');
    const own = new Capture().ask('02:00:00:00:00:01', '10.0.0.77', '10.0.0.1');
    expect(await title(own)).toBe('02:00:00:00:00:01 declines 10.0.0.77, which DHCP gave it');
  });

  it('keeps silent where the client requests', async () => {
    expect(await dhcp(new Capture(), 'request', { server: SERVER }).findings(only)).toEqual([]);
  });
});
