import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const only = { select: ['icmp/unreachable'] };
const udp = (port: number) => [...u16(40000), ...u16(port), 0, 8, 0, 0];

describe('icmp/unreachable', () => {
  it.each([
    [0, 'no route'],
    [1, 'cannot reach the host'],
    [13, 'forbids'],
    [9, 'forbids'],
    [10, 'forbids'],
    [2, 'protocol'],
  ])('says what code %i means', async (code, words) => {
    const capture = error(new Capture(), ROUTER, HOST, FAR, { type: 3, code });
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([['icmp/unreachable', 'certain', [1]]]);
    expect(findings[0]).toMatchObject({ severity: 'warning', title: expect.stringContaining(words) });
  });

  it('names the port, and takes one refused datagram for a note', async () => {
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 3, protocol: 17, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([
      { severity: 'info', title: 'UDP port 514 of 10.0.0.2 is closed' },
    ]);
    for (const time of [1, 2, 3])
      error(capture.at(time), PEER, HOST, PEER, { type: 3, code: 3, protocol: 17, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'warning', count: 4 }]);
  });

  it('takes a scan of many UDP ports for a note', async () => {
    const refused = { type: 3, code: 3, protocol: 17 };
    const capture = new Capture();
    for (let port = 50; port < 60; port++)
      error(capture.at(port), PEER, HOST, PEER, { ...refused, payload: udp(port) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'info', count: 10 }]);
  });

  it('does not count what traceroute provoked among the datagrams for a closed port', async () => {
    const refused = { type: 3, code: 3, protocol: 17 };
    const capture = error(new Capture(), FAR, HOST, FAR, { ...refused, payload: udp(514) });
    for (let port = 33434; port < 33440; port++)
      error(capture.at(port - 33430), FAR, HOST, FAR, { ...refused, payload: udp(port) });
    error(capture.at(20), FAR, HOST, FAR, { ...refused, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'info', count: 2 }]);
  });

  it('warns of one refused TCP connection', async () => {
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 3, protocol: 6, payload: udp(80) });
    expect(await capture.findings(only)).toMatchObject([
      { severity: 'warning', title: 'TCP port 80 of 10.0.0.2 is closed' },
    ]);
  });

  it('keeps still about traceroute, packets that are too big, and hosts that tell themselves', async () => {
    const capture = error(new Capture(), FAR, HOST, FAR, { type: 3, code: 3, protocol: 17, payload: udp(33434) });
    error(capture, ROUTER, HOST, FAR, { type: 3, code: 4 });
    error(capture, HOST, HOST, FAR, { type: 3, code: 1 });
    error(capture, ROUTER, HOST, FAR, { type: 11, code: 0 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    for (const [time, way] of [{ vlan: 10 }, { vlan: 20 }, { vni: 5 }].entries())
      error(capture.at(time), ROUTER, HOST, FAR, { type: 3, code: 1, way });
    const segments = (await capture.findings(only)).map(({ segment: { vlans, vnis } }) => ({ vlans, vnis }));
    expect(segments).toEqual([
      { vlans: [10], vnis: [] },
      { vlans: [20], vnis: [] },
      { vlans: [], vnis: [5] },
    ]);
  });
});
