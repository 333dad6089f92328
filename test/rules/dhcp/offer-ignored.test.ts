import { describe, expect, it } from 'vitest';
import { dhcp, RIVAL, SERVER } from '../../support/dhcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['dhcp/offer-ignored'] };

function rounds(times: number, delay = 0.1, capture = new Capture()): Capture {
  for (let i = 0; i < times; i++) {
    dhcp(capture.at(i * 2), 'discover');
    dhcp(capture.at(i * 2 + delay), 'offer', { server: SERVER });
  }
  return capture;
}

describe('dhcp/offer-ignored', () => {
  it('is likely where a discover follows an offer, and is offered an address again', async () => {
    expect(inShort(await rounds(2).findings(only))).toEqual([['dhcp/offer-ignored', 'likely', [1, 2, 3, 4]]]);
  });

  it('keeps silent after one offer, or where the next discover was on its way already', async () => {
    expect(await dhcp(rounds(1).at(2), 'discover').findings(only)).toEqual([]);
    expect(await rounds(3, 1.5).findings(only)).toEqual([]);
  });

  it('takes it back when the client requests', async () => {
    expect(await dhcp(rounds(3).at(4.2), 'request', { server: SERVER }).findings(only)).toEqual([]);
  });

  it('does not count offers that come after the client has chosen another server', async () => {
    const capture = new Capture();
    for (const i of [0, 1, 2]) {
      dhcp(capture.at(i * 2), 'discover', { xid: 7 + i });
      dhcp(capture.at(i * 2 + 0.01), 'request', { xid: 7 + i, server: RIVAL });
      dhcp(capture.at(i * 2 + 0.02), 'offer', { xid: 7 + i, server: SERVER });
    }
    expect(await capture.findings(only)).toEqual([]);
    // It discovers anew in the same transaction, and then the offer is for it.
    const again = dhcp(new Capture(), 'request', { server: RIVAL });
    expect(inShort(await rounds(2, 0.1, again).findings(only))).toEqual([
      ['dhcp/offer-ignored', 'likely', [2, 3, 4, 5]],
    ]);
  });
});
