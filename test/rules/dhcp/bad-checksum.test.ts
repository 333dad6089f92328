import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['dhcp/bad-checksum'] };
const WRONG = [0x12, 0x34];
/** Pseudo header of 10.0.0.2 and 10.0.0.9, UDP, 258 octets: 0a00 + 0002 + 0a00 + 0009 + 0011 + 0102. */
const UNFINISHED = [0x15, 0x1e];

/** Three rounds of discover and offer, and a last discover. */
function rounds(checksum: readonly number[], way?: Way, times = 3): Capture {
  const capture = new Capture();
  const more = way ? { way } : {};
  for (let i = 0; i <= times; i++) {
    dhcp(capture.at(4 * i), 'discover', more);
    if (i < times) dhcp(capture.at(4 * i + 0.1), 'offer', { server: SERVER, checksum, ...more });
  }
  return capture;
}

describe('dhcp/bad-checksum', () => {
  it('is likely of offers with wrong checksums that are not taken, and explains them', async () => {
    expect(inShort(await rounds(WRONG).findings())).toEqual([['dhcp/bad-checksum', 'likely', expect.anything()]]);
    const [finding] = await rounds(WRONG).findings(only);
    expect(finding.evidence.map(({ frame }) => frame)).toEqual([2, 4, 6]);
  });

  it('is a hint of unfinished ones, likely where they come in', async () => {
    expect((await rounds(UNFINISHED).findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
    expect((await rounds(UNFINISHED, { direction: 'out' }).findings(only)).map(({ confidence }) => confidence)).toEqual(
      ['hint'],
    );
  });

  it('is likely of unfinished ones that come in at the client, or go on to it', async () => {
    const told = async (asks: Way, flags: number, ...answers: Way[]) => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++) {
        dhcp(capture.at(4 * i), 'discover', { way: asks, flags });
        for (const [n, way] of answers.entries())
          if (i < 3) dhcp(capture.at(4 * i + 0.1 + n / 1e4), 'offer', { server: SERVER, checksum: UNFINISHED, way });
      }
      return (await capture.findings(only)).map(({ confidence }) => confidence);
    };
    const port: Way = { direction: 'in', vlan: 7 };
    expect(await told({ direction: 'out' }, 0x8000, { direction: 'in' })).toEqual(['likely']);
    // By unicast it may not get to the client at all: ipvlan knows nobody to hand it to.
    expect(await told({ direction: 'out' }, 0, { direction: 'in' })).toEqual(['hint']);
    // On the bridge between client and server: lost there, or handed on.
    expect(await told({ direction: 'in' }, 0, port)).toEqual(['hint']);
    expect(await told({ direction: 'in' }, 0, port, { direction: 'out' })).toEqual(['likely']);
  });

  it('needs two such offers, each with another discover behind', async () => {
    expect(await rounds(WRONG, undefined, 1).findings(only)).toEqual([]);
    expect(await rounds(WRONG, undefined, 2).findings(only)).toHaveLength(1);
  });

  it('keeps silent of offers without checksum', async () => {
    expect(await rounds([0, 0]).findings(only)).toEqual([]);
  });

  it('keeps silent where one offer is fine, and where the client requests', async () => {
    const mixed = dhcp(rounds(WRONG).at(12.1), 'offer', { server: SERVER });
    expect(await dhcp(mixed.at(20), 'discover').findings(only)).toEqual([]);
    const fine = dhcp(dhcp(new Capture(), 'discover').at(0.1), 'offer', { server: SERVER });
    for (const at of [4, 8, 12]) {
      dhcp(fine.at(at), 'discover');
      dhcp(fine.at(at + 0.1), 'offer', { server: SERVER, checksum: WRONG });
    }
    expect(await fine.findings(only)).toEqual([]);
    const taken = dhcp(rounds(WRONG).at(12.2), 'request', { server: SERVER });
    expect(await taken.findings(only)).toEqual([]);
  });

  it('tells VLANs apart, and speaks inside VXLAN', async () => {
    expect(await rounds(WRONG, { vlan: 10 }).findings(only)).toHaveLength(1);
    expect(await rounds(WRONG, { vni: 7 }).findings(only)).toHaveLength(1);
  });
});
