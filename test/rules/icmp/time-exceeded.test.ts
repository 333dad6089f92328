import { describe, expect, it } from 'vitest';
import { FAR, HOST, ROUTER } from '../../support/icmp.js';
import { echo, error } from '../../support/ping.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const only = { select: ['icmp/time-exceeded'] };
const exceeded = { type: 11, code: 0 };

describe('icmp/time-exceeded', () => {
  it('speaks where a ping with hops enough runs out of them', async () => {
    const capture = error(echo(new Capture(), HOST, FAR), ROUTER, HOST, FAR, exceeded);
    const found = await capture.findings(only);
    expect(inShort(found)).toEqual([['icmp/time-exceeded', 'likely', [2]]]);
    expect(found[0].summary).toContain(' says once that it drops packets ');
  });

  it('only hints where it may be traceroute', async () => {
    const capture = error(echo(new Capture(), HOST, FAR, { ttl: 2 }), ROUTER, HOST, FAR, exceeded);
    expect(inShort(await capture.findings(only))).toEqual([['icmp/time-exceeded', 'hint', [2]]]);
  });

  it('only hints about traceroute to a host that was pinged before', async () => {
    const capture = echo(echo(new Capture(), HOST, FAR), FAR, HOST, { reply: true });
    // mtr sends with all TTLs, and the last of them get replies.
    echo(capture.at(1), HOST, FAR, { id: 8, ttl: 3, sequence: 3 });
    echo(capture, FAR, HOST, { id: 8, sequence: 3, reply: true });
    echo(capture.at(2), HOST, FAR, { id: 8, ttl: 1 });
    error(capture, ROUTER, HOST, FAR, { ...exceeded, payload: [8, 0, 0, 0, 0, 8, 0, 1] });
    expect(inShort(await capture.findings(only))).toEqual([['icmp/time-exceeded', 'hint', [6]]]);
  });

  it('keeps still about traceroute with UDP, and about fragments', async () => {
    const payload = [...u16(40000), ...u16(33440), 0, 8, 0, 0];
    const capture = error(new Capture(), ROUTER, HOST, FAR, { ...exceeded, protocol: 17, payload });
    error(capture, ROUTER, HOST, FAR, { type: 11, code: 1 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = error(echo(new Capture(), HOST, FAR, { way: { vlan: 10 } }), ROUTER, HOST, FAR, {
      ...exceeded,
      way: { vlan: 20 },
    });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
  });
});
