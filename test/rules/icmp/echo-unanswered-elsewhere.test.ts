import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, PEER, packet, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { ACK, SYN, tcp } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const only = { select: ['icmp/echo-unanswered'] };
/** A capture in which another host than the pinging one is heard. */
const heard = () => new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip);
const said = async (capture: Capture) => inShort(await capture.findings(only));

describe('icmp/echo-unanswered, where replies may come back elsewhere', () => {
  it('only hints where half of the requests or more lack between the others', async () => {
    const said = async (...sequences: number[]) => {
      const capture = new Capture().ask(HOST.mac, HOST.ip, '10.0.0.9').answer(PEER.mac, '10.0.0.9', HOST.mac, HOST.ip);
      for (const sequence of sequences) echo(capture.at(sequence), HOST, FAR, { sequence });
      const findings = await capture
        .at(20)
        .ask(HOST.mac, HOST.ip, '10.0.0.8')
        .findings({ select: ['icmp/echo-unanswered'] });
      return findings.map(({ confidence }) => confidence);
    };
    expect(await said(1, 2, 3, 4)).toEqual(['likely']);
    expect(await said(1, 2, 3, 5)).toEqual(['likely']);
    expect(await said(1, 3, 5, 6)).toEqual(['hint']);
  });

  it('only hints where earlier requests of the ping did not pass here: a switch floods some past a bystander', async () => {
    const flooded = (first: number) => {
      const capture = ping(new Capture(), 3, { id: 8, from: FAR, to: HOST, answered: () => true });
      for (let sequence = first; sequence < first + 3; sequence++) echo(capture.at(sequence), HOST, PEER, { sequence });
      ping(capture, 3, { id: 9, at: 20, from: FAR, to: HOST, answered: () => true });
      return said(capture);
    };
    expect((await flooded(9)).map(([, confidence]) => confidence)).toEqual(['hint']);
    // The first of all, and one whose earlier ones came before the capture.
    expect((await flooded(1)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where of a connection of the target one way alone is here', async () => {
    const beside = (way: 'there' | 'both') => {
      const capture = ping(new Capture(), 6, { to: PEER });
      const other = { ip: '10.0.0.77', mac: '02:00:00:00:00:77' };
      for (let i = 0; i < 5; i++) {
        tcp(capture.at(1.2 + i), PEER, other, ACK, { seq: 1 + i * 10, ack: 1 + i * 10, length: 10 });
        if (way === 'both')
          tcp(capture.at(1.3 + i), other, PEER, ACK, {
            sport: 80,
            dport: 40000,
            seq: 1 + i * 10,
            ack: 11 + i * 10,
            length: 10,
          });
      }
      return said(capture);
    };
    expect((await beside('there')).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await beside('both')).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints at the machine that pings where nothing comes in of its connections either: an ipvlan child in mode l3s', async () => {
    const inChild = (comesIn: boolean) => {
      const out = { direction: 'out' } as const;
      const capture = new Capture()
        .ask(HOST.mac, HOST.ip, PEER.ip, out)
        .answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, { direction: 'in' });
      for (let sequence = 1; sequence < 5; sequence++) echo(capture.at(sequence), HOST, FAR, { sequence, ...out });
      for (let i = 0; i < 5; i++) {
        tcp(capture.at(1.2 + i), HOST, FAR, ACK, { seq: 1, ack: 1 + i * 10, ...out });
        const back = { sport: 80, dport: 40000, seq: 1 + i * 10, ack: 1, length: 10, direction: 'in' } as const;
        if (comesIn) tcp(capture.at(1.1 + i), FAR, HOST, ACK, back);
      }
      return said(capture.at(20).ask(HOST.mac, HOST.ip, PEER.ip, out));
    };
    expect((await inChild(false)).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await inChild(true)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it.each([
    ['eth1', 'hint'],
    ['eth0', 'likely'],
  ])(
    'only hints at the device of the target by which it does not answer: routes lead through eth0, capture on %s',
    async (device, expected) => {
      const link = (index: number, ifname: string, address: string) => ({
        ifindex: index,
        ifname,
        address,
        link_type: 'ether',
        flags: ['UP'],
      });
      const macs = { eth0: PEER.mac, eth1: FAR.mac };
      const context = parseContext({
        kernel: '6.18',
        namespaces: {
          host: {
            'ip -d -j link': [link(2, 'eth0', macs.eth0), link(3, 'eth1', macs.eth1)],
            'ip -j addr': [
              { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: FAR.ip, prefixlen: 24 }] },
            ],
            'ip -j route': [{ dst: 'default', gateway: '10.0.0.254', dev: 'eth0' }],
          },
        },
      });
      const options = { ...only, context, vantage: { namespace: 'host', interface: device } };
      const to = { ...FAR, mac: device === 'eth1' ? macs.eth1 : macs.eth0 };
      const findings = await ping(heard(), 3, { to }).findings(options);
      expect(findings.map(({ confidence }) => confidence)).toEqual([expected]);
    },
  );

  it('only hints where another router asks for the pinging host', async () => {
    const capture = ping(new Capture(), 3).at(3.5).ask('02:00:00:00:00:fd', '10.0.0.253', HOST.ip);
    expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
    const target = ping(new Capture(), 3).at(3.5).ask('02:00:00:00:00:fd', FAR.ip, HOST.ip);
    expect((await said(target)).map(([, confidence]) => confidence)).toEqual(['likely']);
    // A host that is pinged by it, and asks for it to reply.
    const other = { mac: '02:00:00:00:00:07', ip: '10.0.0.7' };
    const pinged = ping(new Capture(), 3).at(3.5).ask(other.mac, other.ip, HOST.ip);
    ping(pinged, 1, { to: other, id: 9, at: 3, answered: () => true });
    expect((await said(pinged)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where the target asks for a router once, and its answer passes elsewhere', async () => {
    const far = { ...HOST, ip: '10.9.0.1' };
    const target = { mac: '02:00:00:00:00:09', ip: '10.0.0.9' };
    const asked = (times: number, by = target, isBefore = false) => {
      const capture = new Capture();
      if (isBefore) capture.at(0.5).ask(by.mac, by.ip, '10.0.0.253');
      ping(capture, 1, { from: far, to: target });
      if (!isBefore) capture.at(1.01).askAgain(times, by.mac, by.ip, '10.0.0.253');
      return capture;
    };
    const told = async (capture: Capture) => {
      for (const sequence of [2, 3, 4]) echo(capture.at(4 + sequence), far, target, { sequence });
      return (await said(capture.at(12).ask(PEER.mac, PEER.ip, '10.0.0.77'))).map(([, confidence]) => confidence);
    };
    expect(await told(asked(1))).toEqual(['hint']);
    // Nobody answers: then the target has no way to answer either.
    expect(await told(asked(3))).toEqual(['likely']);
    // The capture shows what the router answers the target.
    expect(await told(asked(1).at(1.02).answer(ROUTER.mac, '10.0.0.253', target.mac, target.ip))).toEqual(['likely']);
    // Another host asks, or the target did before.
    expect(await told(asked(1, PEER))).toEqual(['likely']);
    expect(await told(asked(1, target, true))).toEqual(['likely']);
    // The pinging host is on the same link.
    const near = new Capture().ask(HOST.mac, HOST.ip, target.ip).answer(target.mac, target.ip, HOST.mac, HOST.ip);
    echo(near.at(1), HOST, target);
    near.at(1.01).ask(target.mac, target.ip, '10.0.0.253');
    echo(near.at(2), HOST, target, { sequence: 2 });
    expect((await said(near.at(4).ask(HOST.mac, HOST.ip, '10.0.0.77'))).map(([, how]) => how)).toEqual(['likely']);
  });

  it('only hints where a connection of the pinging host goes on and its other half is not here', async () => {
    const capture = ping(heard(), 3);
    tcp(capture.at(4), HOST, FAR, SYN, { seq: 1000 });
    expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['likely']);
    tcp(capture.at(4.01), HOST, FAR, ACK, { seq: 1001, ack: 5001 });
    expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
    tcp(capture.at(4.02), FAR, HOST, ACK, { seq: 5001, ack: 1001, sport: 80, dport: 40000 });
    expect((await said(capture)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where a router redirects the pinging host', async () => {
    const told = (type: number) => {
      const capture = ping(new Capture(), 3);
      error(capture.at(3.2), ROUTER, HOST, FAR, { type, code: 1 });
      return said(capture);
    };
    expect((await told(5)).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await told(11)).map(([, confidence]) => confidence)).not.toEqual(['hint']);
  });

  it('finds the replies in another VLAN of the capture', async () => {
    const capture = ping(new Capture(), 3, { way: { vlan: 10 } });
    for (const sequence of [1, 2, 3]) echo(capture.at(sequence + 0.1), FAR, HOST, { sequence, reply: true });
    expect(await said(capture)).toEqual([]);
  });

  it('only hints where the target gets answers, and nothing that it sends is here (tcpdump -Q in)', async () => {
    const asked = (replies: number) => {
      const capture = new Capture();
      for (let sequence = 1; sequence <= replies; sequence++)
        echo(capture.at(sequence / 10), HOST, FAR, { id: 9, sequence, reply: true });
      return ping(capture.ask(PEER.mac, PEER.ip, ROUTER.ip), 3, { at: 1 });
    };
    const [finding] = await asked(2).findings(only);
    expect(finding).toMatchObject({
      confidence: 'hint',
      caveats: [expect.stringContaining('of others, too, one way alone')],
    });
    expect((await asked(1).findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    // Broadcasts are heard at each port of a switch, and show nothing.
    const speaks = asked(2).at(5).ask(FAR.mac, FAR.ip, '10.0.0.77');
    expect((await speaks.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
    const connected = new Capture();
    for (let i = 0; i < 4; i++)
      tcp(connected.at(i / 10), HOST, FAR, ACK, { seq: 1 + 9 * i, ack: 1 + 99 * i, length: 9 });
    expect((await ping(connected.ask(PEER.mac, PEER.ip, ROUTER.ip), 3, { at: 1 }).findings(only))[0].confidence).toBe(
      'hint',
    );
  });

  it('only hints where one way of the connections of others is here (ECMP, VRRP)', async () => {
    const asymmetric = (way: 'there' | 'both', ttl: number, served = 0) => {
      const capture = ping(heard().ask(FAR.mac, FAR.ip, PEER.ip), 3, { ttl });
      const others = [
        { ip: '10.9.0.1', mac: HOST.mac },
        { ip: '10.9.0.2', mac: FAR.mac },
      ] as const;
      for (let i = 0; i < 5; i++) {
        tcp(capture.at(1.2 + i), others[0], others[1], ACK, { seq: 1 + i * 10, ack: 1 + i * 10, length: 10 });
        const back = { sport: 80, dport: 40000, seq: 1 + i * 10, ack: 11 + i * 10, length: 10 };
        if (way === 'both') tcp(capture.at(1.3 + i), others[1], others[0], ACK, back);
      }
      for (let i = 0; i < served; i++)
        ping(capture, 1, { at: 3, id: 20 + i, to: { ...FAR, ip: `192.0.2.${i}` }, answered: () => true });
      return said(capture);
    };
    expect((await asymmetric('there', 62)).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await asymmetric('both', 62)).map(([, confidence]) => confidence)).toEqual(['likely']);
    expect((await asymmetric('there', 64)).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await asymmetric('both', 64)).map(([, confidence]) => confidence)).toEqual(['likely']);
    // Where most are seen both ways, one that is not tells of itself alone, but between routers.
    expect((await asymmetric('there', 64, 2)).map(([, confidence]) => confidence)).toEqual(['likely']);
    expect((await asymmetric('there', 62, 2)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('only hints between routers where nothing at all is answered, and the capture tells no directions', async () => {
    const between = (answered: boolean, ttl = 62, to = { ...FAR, ip: '192.0.2.43' }) => {
      const capture = ping(heard().ask(FAR.mac, FAR.ip, PEER.ip), 3, { ttl, to });
      if (answered) ping(capture, 1, { at: 4, id: 9, to: { ...FAR, ip: '192.0.2.44' }, answered: () => true });
      return said(capture);
    };
    expect((await between(false)).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await between(true)).map(([, confidence]) => confidence)).toEqual(['likely']);
    expect((await between(false, 64)).map(([, confidence]) => confidence)).toEqual(['likely']);
    // On the target's own link its answers would leave by the same router.
    expect((await between(false, 62, FAR)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints in a tunnel of which one way alone is here', async () => {
    const inner = (way: 'there' | 'both') => {
      const capture = heard().ask(FAR.mac, FAR.ip, PEER.ip);
      const carried = (at: number, from: string, to: string, type: number, sequence: number) => {
        const icmp = [type, 0, 0, 0, ...u16(7), ...u16(sequence), ...new Array(40).fill(0)];
        const [outerFrom, outerTo] = type === 8 ? [HOST, FAR] : [FAR, HOST];
        packet(capture.at(at), outerFrom, outerTo, ipv4(outerFrom.ip, outerTo.ip, 4, ipv4(from, to, 1, icmp)));
      };
      for (let i = 1; i <= 4; i++) carried(i, '10.6.0.1', '10.6.0.2', 8, i);
      carried(5, '10.6.0.1', '10.6.0.9', 8, 1);
      if (way === 'both') carried(5.1, '10.6.0.9', '10.6.0.1', 0, 1);
      return said(capture);
    };
    expect((await inner('there')).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect((await inner('both')).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where replies to what did not pass here go by the same router, as with VRRP', async () => {
    const oneWay = async (answers: number) => {
      const capture = ping(new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip), 3);
      for (let sequence = 1; sequence <= answers; sequence++)
        echo(capture.at(sequence + 0.5), PEER, { ...FAR, ip: '192.0.2.77' }, { id: 9, sequence, reply: true });
      capture.at(9).ask(PEER.mac, PEER.ip, ROUTER.ip);
      return (await said(capture)).map(([, confidence]) => confidence);
    };
    expect(await oneWay(3)).toEqual(['hint']);
    expect(await oneWay(1)).toEqual(['likely']);
  });

  it('only hints where requests of several hosts are all that the capture holds', async () => {
    const both = ping(ping(new Capture(), 3), 3, { from: PEER, at: 0.2, id: 8 });
    expect((await both.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint', 'hint']);
    const more = both.at(5).ask(PEER.mac, PEER.ip, ROUTER.ip);
    expect((await more.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely', 'likely']);
  });

  it('only hints where ARP of the target names a MAC that it never sends from, as bystanders see one way then', async () => {
    const asked = (sha: string) => {
      const capture = heard().arp({
        op: 2,
        from: '02:01:00:00:00:09',
        to: PEER.mac,
        sha,
        spa: '10.0.0.9',
        tpa: PEER.ip,
      });
      return ping(capture, 3, { to: { mac: '02:bf:00:00:00:09', ip: '10.0.0.9' } }).findings(only);
    };
    const [finding] = await asked('02:bf:00:00:00:09');
    expect(finding).toMatchObject({ confidence: 'hint', caveats: [expect.stringContaining('never sends from')] });
    expect((await asked('02:01:00:00:00:09')).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('only hints where the pinging host got an answer by ARP that did not pass here, as a bystander sees it', async () => {
    const target = { mac: '02:00:00:00:00:09', ip: '10.0.0.9' };
    const asked = (answered: boolean, at = 0) => {
      const capture = heard().at(at).ask(HOST.mac, HOST.ip, target.ip);
      if (answered) capture.at(at + 0.001).answer(target.mac, target.ip, HOST.mac, HOST.ip);
      return ping(capture, 3, { to: target, at: 1 });
    };
    const [finding] = await asked(false).findings(only);
    expect(finding).toMatchObject({ confidence: 'hint', caveats: [expect.stringContaining('did not pass here')] });
    expect((await said(asked(true))).map(([, confidence]) => confidence)).toEqual(['likely']);
    const late = ping(heard(), 3, { to: target }).at(5).ask(HOST.mac, HOST.ip, target.ip);
    expect((await said(late)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  describe('at a card of the target beside another of the same subnet', () => {
    const other = { mac: '02:00:00:00:00:77', ip: '10.0.0.77' };
    /** HOST asks for PEER, is answered, and pings in vain. */
    const pinged = (capture: Capture, from = HOST) => {
      capture.ask(from.mac, from.ip, PEER.ip).answer(PEER.mac, PEER.ip, from.mac, from.ip);
      return ping(capture, 3, { from, to: PEER });
    };
    const sure = async (capture: Capture, options = {}) =>
      (await capture.findings({ ...only, ...options })).map(({ confidence }) => confidence);

    it('only hints where nobody who pings it gets a reply', async () => {
      expect(await sure(pinged(pinged(new Capture()), other))).toEqual(['hint', 'hint']);
      // One host alone: a capture beside it would show replies.
      expect(await sure(pinged(new Capture()))).toEqual(['likely']);
      // It sends packets from this address by this card.
      const speaks = pinged(pinged(new Capture()), other).at(9);
      speaks.ipv4({ from: PEER.mac, to: HOST.mac, source: PEER.ip, destination: HOST.ip });
      expect(await sure(speaks)).toEqual(['likely', 'likely']);
    });

    it('only hints where it answers ARP for a second address, and sends from neither', async () => {
      const second = pinged(new Capture()).at(9).ask(HOST.mac, HOST.ip, '10.0.0.3');
      expect(await sure(second.answer(PEER.mac, '10.0.0.3', HOST.mac, HOST.ip))).toEqual(['hint']);
    });

    it('only hints where another MAC speaks for the address', async () => {
      expect(await sure(pinged(new Capture()).at(9).ask(other.mac, PEER.ip, HOST.ip))).toEqual(['hint']);
    });

    it('only hints at the device where the requests come in, and not where the context knows it', async () => {
      const capture = () => {
        const way = { direction: 'out' } as const;
        const begun = new Capture().ask(HOST.mac, HOST.ip, PEER.ip, { direction: 'in' });
        begun.answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, way);
        return ping(begun, 3, { to: PEER, way: { direction: 'in' } });
      };
      expect(await sure(capture())).toEqual(['hint']);
      const device = { ifindex: 2, ifname: 'eth0', address: PEER.mac, flags: ['UP'] };
      const srv = {
        'ip -d -j link': [device],
        'ip -j addr': [{ ...device, addr_info: [{ family: 'inet', local: PEER.ip, prefixlen: 24 }] }],
        'ip -j route': [{ dst: '10.0.0.0/24', dev: 'eth0' }],
      };
      expect(await sure(capture(), { context: parseContext({ namespaces: { srv } }) })).toEqual(['likely']);
    });
  });

  it('only hints at a device beside another of the same subnet, by which the host answers', async () => {
    const context = (dev: string) => {
      const link = (ifindex: number, address: string) => ({ ifindex, ifname: `eth${ifindex}`, address, flags: ['UP'] });
      const [one, two] = [link(2, '02:00:00:00:00:22'), link(3, '02:00:00:00:00:23')];
      const holds = (device: object, local: string) => ({
        ...device,
        addr_info: [{ family: 'inet', local, prefixlen: 24 }],
      });
      const srv = {
        'ip -d -j link': [one, two],
        'ip -j addr': [holds(one, '10.0.0.22'), holds(two, '10.0.0.23')],
        'ip -j route': [{ dst: '10.0.0.0/24', dev }],
      };
      return {
        ...only,
        context: parseContext({ namespaces: { srv } }),
        vantage: { namespace: 'srv', interface: 'eth3' },
      };
    };
    const capture = ping(heard(), 3, { to: { mac: '02:00:00:00:00:23', ip: '10.0.0.23' } });
    expect((await capture.findings(context('eth2'))).map(({ confidence }) => confidence)).toEqual(['hint']);
    expect((await capture.findings(context('eth3'))).map(({ confidence }) => confidence)).toEqual(['likely']);
  });
});
