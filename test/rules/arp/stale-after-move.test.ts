import { describe, expect, it } from 'vitest';
import { advertisement, icmpv6, ip6, solicitation } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const G = '02:00:00:00:00:fe';
const OLD = '02:00:00:00:00:a1';
const NEW = '02:00:00:00:00:a2';
const P = '02:00:00:00:00:09';
const X = '10.0.0.7';
const GATEWAY = '10.0.0.254';
const only = { select: ['arp/stale-after-move'] };

/** OLD has X and talks with the gateway: frames 1 to 4. */
function held(way?: Way, capture = new Capture()): Capture {
  capture.ask(G, GATEWAY, X, way).answer(OLD, X, G, GATEWAY, way);
  return capture
    .ipv4({ from: G, to: OLD, source: '192.0.2.9', destination: X }, way)
    .ipv4({ from: OLD, to: G, source: X, destination: '192.0.2.9' }, way);
}

/** NEW asks for somebody as X, at 10 s: frame 5. */
const moves = (capture: Capture, way?: Way) => capture.at(10).ask(NEW, X, '10.0.0.9', way);

/** The gateway sends packets for X to `to`, at these times. */
function sends(capture: Capture, times: number[], to = OLD, way?: Way): Capture {
  for (const [id, time] of times.entries())
    capture.at(time).ipv4({ from: G, to, source: '192.0.2.9', destination: X, id: id + 100 }, way);
  return capture;
}

const said = async (capture: Capture) => inShort(await capture.findings(only)).map(([, ...rest]) => rest);

describe('arp/stale-after-move', () => {
  it('speaks of three packets to the old MAC, the last more than a second after the move', async () => {
    const [finding, ...others] = await sends(moves(held()), [11, 12, 13]).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: 'arp/stale-after-move',
      severity: 'warning',
      confidence: 'likely',
      count: 3,
    });
    expect(finding.title).toBe(`${X} is at ${NEW} now, and ${GATEWAY} still sends to ${OLD}`);
    expect(finding.evidence.map(({ frame }) => frame)).toEqual([5, 6, 7, 8]);
  });

  it('keeps still about fewer packets, and about those under way', async () => {
    expect(await said(sends(moves(held()), [11, 12]))).toEqual([]);
    expect(await said(sends(moves(held()), [10.1, 10.2, 10.9]))).toEqual([]);
    expect(await said(sends(moves(held()), [10.1, 10.2, 11.1]))).toHaveLength(1);
  });

  it('keeps still where nobody has claimed the address before or after', async () => {
    expect(await said(sends(held(), [11, 12, 13]))).toEqual([]);
    expect(await said(sends(moves(new Capture()), [11, 12, 13]))).toEqual([]);
  });

  it('keeps still where packets go to the new MAC', async () => {
    expect(await said(sends(moves(held()), [11, 12, 13], NEW))).toEqual([]);
  });

  it('begins anew with an announcement, and speaks where it does not help', async () => {
    const cured = sends(moves(held()), [11, 12, 13]).at(13.5).ask(NEW, X, X);
    expect(await said(cured)).toEqual([]);
    const [finding] = await sends(cured, [14, 15, 16]).findings(only);
    expect(finding.evidence.map(({ frame }) => frame)).toEqual([5, 10, 11, 12]);
    expect(finding.cause).toContain('static');
  });

  it('says that it passed where the sender learns', async () => {
    const capture = sends(sends(moves(held()), [11, 12, 13]), [14, 15], NEW);
    const [finding] = await capture.findings(only);
    expect(finding.caveats.join()).toContain('it passed');
  });

  it('keeps still where the old holder goes on as the address', async () => {
    const capture = sends(moves(held()), [11, 12, 13]);
    capture.at(13.2).ipv4({ from: OLD, to: G, source: X, destination: '192.0.2.9' });
    expect(await said(capture)).toEqual([]);
  });

  it('keeps still where the address returns, and tells the second move', async () => {
    const capture = sends(moves(held()), [11, 12, 13]).at(100).ask(OLD, X, '10.0.0.9');
    expect(await said(capture)).toEqual([]);
    sends(capture, [102, 103, 104], NEW);
    expect((await capture.findings(only)).map(({ subject }) => subject.mac)).toEqual([NEW]);
  });

  it('keeps still where two contest the address', async () => {
    const capture = moves(held()).at(10.5).ask(OLD, X, '10.0.0.9').at(11).ask(NEW, X, '10.0.0.9');
    expect(await said(sends(capture, [12, 13, 14]))).toEqual([]);
  });

  it('keeps still where the old holder hands packets on', async () => {
    const capture = sends(moves(held()), [11, 12]);
    capture.at(12.001).ipv4({ from: OLD, to: NEW, source: '192.0.2.9', destination: X, id: 900 });
    expect(await said(sends(capture, [13, 14]))).toEqual([]);
  });

  it('only hints where answers come all the while', async () => {
    const capture = moves(held());
    for (const time of [11, 12, 13])
      sends(capture, [time])
        .at(time + 0.01)
        .ipv4({ from: NEW, to: G, source: X, destination: '192.0.2.9', id: time });
    expect(await said(capture)).toMatchObject([['hint', [5, 6, 8, 10]]]);
  });

  it('only hints where the old holder may be a proxy', async () => {
    const capture = new Capture().ask(G, GATEWAY, X).answer(OLD, X, G, GATEWAY).ask(OLD, '10.0.0.5', GATEWAY);
    expect(await said(sends(moves(capture), [11, 12, 13]))).toMatchObject([['hint', [4, 5, 6, 7]]]);
  });

  it.each(['00:00:5e:00:01:07', '00:00:0c:07:ac:01'])('keeps still about the virtual router %s', async (mac) => {
    const capture = new Capture().ask(G, GATEWAY, X).answer(mac, X, G, GATEWAY);
    expect(await said(sends(moves(capture), [11, 12, 13], mac))).toEqual([]);
  });

  it('tells senders apart', async () => {
    const capture = sends(moves(held()), [11, 12, 13]);
    for (const time of [14, 15, 16])
      capture.at(time).ipv4({ from: P, to: OLD, source: '10.0.0.9', destination: X, id: time });
    expect((await capture.findings(only)).map(({ subject }) => subject.sender)).toEqual([G, P]);
    for (const time of [17, 18])
      capture.at(time).ipv4({ from: P, to: NEW, source: '10.0.0.9', destination: X, id: time });
    expect((await capture.findings(only)).map(({ caveats }) => caveats.length)).toEqual([0, 1]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const apart = sends(moves(held({ vlan: 10 }), { vlan: 20 }), [11, 12, 13], OLD, { vlan: 10 });
    expect(await said(apart)).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }])
      expect(await said(sends(moves(held(way), way), [11, 12, 13], OLD, way))).toHaveLength(1);
  });
});

const X6 = 'fd00::7';

/** OLD advertises X6 to the gateway: frames 1 and 2. */
const held6 = (way?: Way) =>
  new Capture().raw(solicitation(G, 'fd00::fe', X6), way).raw(advertisement(OLD, X6, { mac: G, ip: 'fd00::fe' }), way);

/** NEW solicits somebody from X6, at 10 s: frame 3. */
const moves6 = (capture: Capture, way?: Way) => capture.at(10).raw(solicitation(NEW, X6, 'fd00::9'), way);

/** The gateway sends packets for X6 to `to`, at these times. */
function sends6(capture: Capture, times: number[], to = OLD, way?: Way): Capture {
  for (const time of times)
    capture.at(time).raw(icmpv6(G, to, 'fd00:1::9', X6, [200, 0, 0, 0, ...new Array(8).fill(time)]), way);
  return capture;
}

/** A neighbor advertisement of X6 by `from` to all nodes, with these flags and a target link-layer address. */
function advertises(capture: Capture, from: string, flags: number, tlla = from): Capture {
  const option = [2, 1, ...tlla.split(':').map((byte) => Number.parseInt(byte, 16))];
  return capture.raw(
    icmpv6(from, '33:33:00:00:00:01', X6, 'ff02::1', [136, 0, 0, 0, flags, 0, 0, 0, ...ip6(X6), ...option]),
  );
}

describe('arp/stale-after-move of IPv6', () => {
  it('speaks of three packets to the old MAC, the last more than a second after the move', async () => {
    const [finding, ...others] = await sends6(moves6(held6()), [11, 12, 13]).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'arp/stale-after-move', severity: 'warning', confidence: 'likely' });
    expect(finding.subject).toEqual({ ip: X6, mac: OLD, newMac: NEW, sender: G });
    expect(finding.evidence.map(({ frame, layer }) => [frame, layer])).toEqual([
      [3, 'icmpv6'],
      [4, 'ipv6'],
      [5, 'ipv6'],
      [6, 'ipv6'],
    ]);
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).not.toContain('arping');
  });

  it('keeps still about fewer packets, and about those under way', async () => {
    expect(await said(sends6(moves6(held6()), [11, 12]))).toEqual([]);
    expect(await said(sends6(moves6(held6()), [10.1, 10.2, 10.9]))).toEqual([]);
  });

  it('keeps still where nobody had the address before, or packets go to the new MAC', async () => {
    expect(await said(sends6(moves6(new Capture()), [11, 12, 13]))).toEqual([]);
    expect(await said(sends6(moves6(held6()), [11, 12, 13], NEW))).toEqual([]);
  });

  it('takes duplicate address detection for no claim', async () => {
    const capture = held6()
      .at(10)
      .raw(solicitation(NEW, '::', X6));
    expect(await said(sends6(capture, [11, 12, 13]))).toEqual([]);
  });

  it('goes by advertisements that override, and begins anew with an announcement', async () => {
    const announced = (flags: number, tlla?: string) => advertises(held6().at(10), NEW, flags, tlla);
    expect(await said(sends6(announced(0x20), [11, 12, 13]))).toMatchObject([['likely', [3, 4, 5, 6]]]);
    expect(await said(sends6(announced(0), [11, 12, 13]))).toEqual([]);
    expect(await said(sends6(announced(0x20, P), [11, 12, 13]))).toEqual([]);
    const cured = advertises(sends6(moves6(held6()), [11, 12, 13]).at(13.5), NEW, 0x20);
    expect(await said(cured)).toEqual([]);
    const [finding] = await sends6(cured, [14, 15, 16]).findings(only);
    expect(finding.cause).toContain('static');
  });

  it('keeps still where the old holder goes on as the address, or hands packets on', async () => {
    const capture = sends6(moves6(held6()), [11, 12, 13]).at(13.2);
    expect(await said(capture.raw(icmpv6(OLD, G, X6, 'fd00:1::9', [200, 0, 0, 0])))).toEqual([]);
    const router = sends6(moves6(held6()), [11, 12, 13]).at(13.2);
    expect(await said(router.raw(icmpv6(OLD, NEW, 'fd00:1::9', X6, [200, 0, 0, 0])))).toEqual([]);
  });

  it('keeps still where two have the address by turns within a minute', async () => {
    const turns = (pause: number) => {
      const capture = moves6(held6())
        .at(10 + pause)
        .raw(solicitation(OLD, X6, 'fd00::9'));
      capture.at(11 + pause).raw(solicitation(NEW, X6, 'fd00::9'));
      return sends6(capture, [13 + pause, 14 + pause, 15 + pause]);
    };
    expect(await said(turns(1))).toEqual([]);
    expect(await said(turns(70))).toEqual([]);
  });

  it('tells IPv4 and IPv6 apart, and senders', async () => {
    const capture = sends6(
      moves6(
        sends(moves(held()), [11, 12, 13])
          .at(14)
          .raw(solicitation(OLD, X6, 'fd00::9')),
      ),
      [15],
    );
    expect((await capture.findings(only)).map(({ subject }) => subject.ip)).toEqual([X]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const apart = sends6(moves6(held6({ vlan: 10 }), { vlan: 20 }), [11, 12, 13], OLD, { vlan: 10 });
    expect(await said(apart)).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }])
      expect(await said(sends6(moves6(held6(way), way), [11, 12, 13], OLD, way))).toHaveLength(1);
  });
});
