import { describe, expect, it } from 'vitest';
import { FAR, HOST, type Host, PEER } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { ACK, SYN, synAck, tcp } from '../../support/tcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['ip/asymmetric-path'] };
/** The router that replies come through. */
const BACK = '02:00:00:00:00:fd';

interface How {
  capture?: Capture;
  to?: Host;
  back?: string;
  way?: Way;
  id?: number;
  times?: number;
}

/** Pings to a host beyond the router, replies from another MAC. */
function around({ capture = new Capture(), to = FAR, back = BACK, way, id = 7, times = 3 }: How = {}): Capture {
  for (let sequence = 1; sequence <= times; sequence++) {
    echo(capture.at(sequence), HOST, to, { sequence, id, way });
    echo(capture.at(sequence + 0.01), { mac: back, ip: to.ip }, HOST, { sequence, id, way, reply: true, ttl: 63 });
  }
  return capture;
}

describe('ip/asymmetric-path', () => {
  it('is likely from three replies on that come from another MAC than requests go to', async () => {
    expect(inShort(await around().findings(only))).toEqual([['ip/asymmetric-path', 'likely', [1, 2, 3, 4, 5, 6]]]);
    expect(inShort(await around({ times: 2 }).findings(only))).toEqual([['ip/asymmetric-path', 'hint', [1, 2, 3, 4]]]);
  });

  it('keeps still on a VRF device, which shows what several devices receive and send, some of it to no MAC', async () => {
    const own = { mac: '00:00:00:00:00:00', ip: '10.0.0.1' };
    const capture = around();
    echo(capture.at(9), { mac: BACK, ip: '10.0.0.254' }, own, { sequence: 1, id: 9, reply: true });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('names the router that replies come through, if it is heard to have one address', async () => {
    const told = async (capture: Capture) => (await capture.findings(only))[0].remedy[1].commands[0];
    expect(await told(around())).toBe(`ip route replace ${FAR.ip} via <address of ${BACK}>`);
    const heard = () => around({ capture: new Capture().answer(BACK, '10.0.0.253', HOST.mac, HOST.ip) });
    expect(await told(heard())).toBe(`ip route replace ${FAR.ip} via 10.0.0.253`);
    expect(await told(heard().at(9).answer(BACK, '10.0.0.252', HOST.mac, HOST.ip))).toContain('<address of');
  });

  it('keeps still where replies come from the MAC that requests go to', async () => {
    expect(await around({ back: FAR.mac }).findings(only)).toEqual([]);
  });

  it('keeps still where some replies come back the same way', async () => {
    const capture = around();
    expect(await around({ capture, back: FAR.mac, times: 4 }).findings(only)).toEqual([]);
  });

  it('keeps still about targets on the link, which ARP tells', async () => {
    const capture = new Capture().answer(BACK, FAR.ip, HOST.mac, HOST.ip);
    expect(await around({ capture }).findings(only)).toEqual([]);
  });

  it('keeps still about virtual routers, which send from a MAC of their own', async () => {
    for (const virtual of ['00:00:5e:00:01:0a', '00:00:0c:07:ac:01', '00:00:0c:9f:f0:01', '00:07:b4:00:01:02'])
      expect(await around({ to: { mac: virtual, ip: FAR.ip } }).findings(only)).toEqual([]);
  });

  it('keeps still where the requests are seen a second time, on their way out of a router', async () => {
    const capture = new Capture();
    for (let sequence = 1; sequence <= 3; sequence++) {
      echo(capture.at(sequence), HOST, FAR, { sequence });
      echo(
        capture.at(sequence + 0.001),
        { mac: FAR.mac, ip: HOST.ip },
        { mac: BACK, ip: FAR.ip },
        { sequence, ttl: 63 },
      );
      echo(capture.at(sequence + 0.01), { mac: BACK, ip: FAR.ip }, HOST, { sequence, reply: true });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('is one finding for all targets behind two routers, and one in each VLAN', async () => {
    const capture = around();
    around({ capture, to: { mac: FAR.mac, ip: '192.0.2.10' }, id: 8 });
    expect((await capture.findings(only)).map(({ count }) => count)).toEqual([6]);
    around({ capture, way: { vlan: 5 }, id: 9 });
    expect((await capture.findings(only)).length).toBe(2);
    expect((await around({ way: { vni: 5 } }).findings(only)).length).toBe(1);
  });

  it('keeps still about replies without requests', async () => {
    const capture = new Capture();
    for (let sequence = 1; sequence < 4; sequence++)
      echo(capture.at(sequence), { mac: BACK, ip: FAR.ip }, PEER, { sequence, reply: true });
    expect(await capture.findings(only)).toEqual([]);
  });

  describe('of TCP', () => {
    /** Connections to a host beyond the router, whose SYN-ACKs come from another MAC. */
    function connect(
      times: number,
      { to = FAR, back = BACK, way, capture = new Capture(), port = 40000 }: How & { port?: number } = {},
    ) {
      for (let i = 0; i < times; i++) {
        const more = { sport: port + i, way };
        tcp(capture.at(10 * i + 1), HOST, to, SYN, more);
        synAck(capture.at(10 * i + 1.01), more, { mac: back, ip: to.ip });
        tcp(capture.at(10 * i + 1.02), HOST, to, ACK, { ...more, seq: 1001, ack: 5001 });
      }
      return capture;
    }

    it('counts connections as it does replies', async () => {
      expect(inShort(await connect(3).findings(only))).toEqual([['ip/asymmetric-path', 'likely', [1, 2, 4, 5, 7, 8]]]);
      expect((await connect(1).findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
      const [both] = await around({ capture: connect(1), times: 2 }).findings(only);
      expect(both).toMatchObject({ count: 3, confidence: 'likely' });
    });

    it('keeps still where answers come from the router, on the link, or through a virtual one', async () => {
      expect(await connect(3, { back: FAR.mac }).findings(only)).toEqual([]);
      expect(
        await connect(3, { capture: new Capture().answer(BACK, FAR.ip, HOST.mac, HOST.ip) }).findings(only),
      ).toEqual([]);
      expect(await connect(3, { to: { mac: '00:00:5e:00:01:0a', ip: FAR.ip } }).findings(only)).toEqual([]);
    });

    it('keeps still about connections that do not come up: tcp/synack-repeated tells those', async () => {
      const capture = new Capture();
      for (const at of [1, 2, 4])
        synAck(tcp(capture.at(at), HOST, FAR, SYN).at(at + 0.01), {}, { mac: BACK, ip: FAR.ip });
      expect(await capture.findings(only)).toEqual([]);
    });

    it('keeps still where two routers share the load both ways', async () => {
      const capture = connect(3);
      connect(3, { capture, to: { mac: BACK, ip: FAR.ip }, back: FAR.mac, port: 41000 });
      expect(await capture.findings(only)).toEqual([]);
    });
  });
});
