import { describe, expect, it } from 'vitest';
import { dhcp, RIVAL, SERVER } from '../../support/dhcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:0a';
const B = '02:00:00:00:00:0b';
const IP = '10.0.0.9';
const only = { select: ['arp/duplicate-address'] };
/** Option 61, and option 51 with a lease of 100 s. */
const identifier = (last: number) => [61, 3, 0, 7, last];
const LASTS = [51, 4, 0, 0, 0, 100];

interface Client {
  client: string;
  xid: number;
  options?: readonly number[];
  server?: typeof SERVER;
  way?: Way;
}

/** From discover to acknowledgement. */
function begin(
  capture: Capture,
  time: number,
  { client, xid, options = [], server = SERVER, way = {} }: Client,
): Capture {
  dhcp(capture.at(time), 'discover', { client, xid, options, way });
  dhcp(capture.at(time + 0.01), 'offer', { client, xid, server, way });
  dhcp(capture.at(time + 0.02), 'request', { client, xid, options, server, way });
  return dhcp(capture.at(time + 0.03), 'ack', { client, xid, server, options: LASTS, way });
}

function renew(
  capture: Capture,
  time: number,
  { client, xid, options = [], server = SERVER, way = {} }: Client,
): Capture {
  dhcp(capture.at(time), 'request', { client, xid, options, held: IP, to: server, way });
  return dhcp(capture.at(time + 0.01), 'ack', { client, xid, server, options: LASTS, way });
}

const told = async (capture: Capture) => inShort(await capture.findings(only));
const confidences = async (capture: Capture) =>
  (await capture.findings(only)).map(({ confidence, cause }) => [confidence, cause.split(/[,.:(]/)[0].trim()]);

describe('arp/duplicate-address, by DHCP', () => {
  it('tells of clients with one identifier that both keep the same lease', async () => {
    const one = { client: A, xid: 1, options: identifier(1) };
    const two = { client: B, xid: 2, options: identifier(1) };
    const capture = begin(begin(new Capture(), 0, one), 5, two);
    expect(await confidences(renew(capture, 50, { ...one, xid: 3 }))).toEqual([
      ['likely', 'Both send the same client identifier'],
    ]);
    // Clients may renew with the transaction ID that they began with (udhcpc).
    expect(await confidences(renew(begin(begin(new Capture(), 0, one), 5, two), 50, one))).toEqual([
      ['likely', 'Both send the same client identifier'],
    ]);
    // Both began before the capture.
    expect(await confidences(renew(renew(new Capture(), 0, one), 5, two))).toEqual([
      ['likely', 'Both send the same client identifier'],
    ]);
  });

  it('only hints where one may have become the other: a machine with another network card', async () => {
    const one = { client: A, xid: 1, options: identifier(1) };
    const two = { client: B, xid: 2, options: identifier(1) };
    expect(await confidences(begin(begin(new Capture(), 0, one), 5, two))).toEqual([
      ['hint', 'Both send the same client identifier'],
    ]);
    // And has its former one again: it begins anew with each.
    const back = begin(begin(begin(new Capture(), 0, one), 5, two), 9, { ...one, xid: 3 });
    expect((await confidences(back)).map(([confidence]) => confidence)).toEqual(['hint']);
    expect((await confidences(begin(back, 15, { ...two, xid: 2 }))).map(([confidence]) => confidence)).toEqual([
      'hint',
    ]);
  });

  it('keeps silent where an address has one holder after the other', async () => {
    const one = { client: A, xid: 1, options: identifier(1) };
    const two = { client: B, xid: 2, options: identifier(2) };
    // A guest is deleted without a word, and another gets its address.
    expect(await told(renew(begin(begin(new Capture(), 0, one), 5, two), 55, two))).toEqual([]);
    const given = begin(new Capture(), 0, one);
    dhcp(given.at(3), 'release', { client: A, xid: 5, held: IP, to: SERVER });
    const same = { ...two, options: identifier(1) };
    expect(await told(renew(begin(given, 5, same), 55, same))).toEqual([]);
    // The lease of the first is over.
    expect(await told(begin(begin(new Capture(), 0, one), 101, same))).toEqual([]);
    // Each keeps what it has.
    expect(await told(renew(renew(begin(new Capture(), 0, one), 50, one), 55, one))).toEqual([]);
  });

  it('knows servers that share a range from networks that use the same addresses', async () => {
    const one = { client: A, xid: 1, options: identifier(1) };
    const two = { client: B, xid: 2, options: identifier(2) };
    const both = (capture: Capture, server: typeof SERVER) =>
      renew(begin(begin(capture, 0, one), 5, { ...two, server }), 50, one);
    expect(await confidences(both(new Capture(), RIVAL))).toEqual([['hint', 'Two DHCP servers']]);
    expect(await confidences(both(new Capture(), SERVER))).toEqual([['likely', 'The DHCP server forgot a lease']]);
    // Two VLANs of a trunk, as tenants have.
    const trunk = new Capture();
    begin(trunk, 0, { ...one, way: { vlan: 7 } });
    begin(trunk, 5, { ...two, way: { vlan: 8 } });
    renew(trunk, 50, { ...one, way: { vlan: 7 } });
    expect(await told(trunk)).toEqual([]);
  });

  it('tells it once where ARP shows the two as well, and is certain then', async () => {
    const one = { client: A, xid: 1, options: identifier(1) };
    const two = { client: B, xid: 2, options: identifier(1) };
    const capture = begin(begin(new Capture(), 0, one), 5, two);
    for (const [time, from] of [
      [6, A],
      [8, B],
      [10, A],
    ] as const)
      capture.at(time).ask(from, IP, '10.0.0.1');
    const [finding, ...others] = await renew(capture, 50, one).at(55).findings(only);
    expect(others).toEqual([]);
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toContain('is held by two hosts');
    expect(finding.cause).toContain('same client identifier');
    expect(finding.remedy[0].commands).toContain('systemd-machine-id-setup');
  });
});
