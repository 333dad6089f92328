import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { BROADCAST, CookedCapture, OTHER, OUTGOING } from '../../support/cooked.js';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { ACK, SYN, tcp } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { advert } from '../../support/vrrp.js';
import { Capture, findingsOf, inShort, ip, mac, u16 } from '../../support/wire.js';

const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';
const only = { select: ['icmp/echo-unanswered'] };
/** A capture in which another host than the pinging one is heard. */
const heard = () => new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip);
const said = async (capture: Capture) => inShort(await capture.findings(only));

describe('icmp/echo-unanswered', () => {
  it('speaks after two requests, the first of which had time', async () => {
    expect(await said(ping(heard(), 2))).toEqual([['icmp/echo-unanswered', 'likely', [2, 3]]]);
    expect(await said(ping(heard(), 1))).toEqual([]);
    const hasty = echo(echo(new Capture(), HOST, FAR).at(0.5), HOST, FAR, { sequence: 2 });
    expect(await said(hasty)).toEqual([]);
  });

  it('only hints where nobody else is heard: the capture may show one way only', async () => {
    const [finding] = await ping(new Capture(), 3).findings(only);
    expect(finding.confidence).toBe('hint');
    expect(finding.caveats.join()).toContain('come from one station');
  });

  it('is certain on the pinging machine', async () => {
    const way = { direction: 'out' } as const;
    const capture = new Capture().answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, { direction: 'in' });
    expect(await said(ping(capture, 3, { way }))).toEqual([['icmp/echo-unanswered', 'certain', [2, 3, 4]]]);
  });

  it.each(['out', 'in'] as const)(
    'only hints where the capture shows nothing but frames that go %s',
    async (direction) => {
      const way = { direction };
      expect((await said(ping(new Capture(), 3, { way }))).map(([, confidence]) => confidence)).toEqual(['hint']);
      // The target sends something else: then the capture would show its replies too.
      const heard = ping(new Capture(), 3, { way }).at(3.5).ask(FAR.mac, FAR.ip, '10.0.0.77', way);
      expect((await said(heard)).map(([, confidence]) => confidence)).not.toEqual(['hint']);
    },
  );

  it('is not certain on a router that sends the requests on', async () => {
    const heard = () => new Capture().answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, { direction: 'in' });
    const way = { direction: 'out' } as const;
    expect(await said(ping(heard(), 3, { way, ttl: 63 }))).toEqual([['icmp/echo-unanswered', 'likely', [2, 3, 4]]]);
    const both = ping(heard(), 3, { way: { direction: 'in', vlan: 5 } });
    ping(both, 3, { at: 0.001, way });
    expect((await said(both)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('names the receiver where frames have MACs, and none where they have not', async () => {
    const [ethernet] = await ping(new Capture(), 2).findings(only);
    expect(ethernet.summary).toContain(`The latest went to ${FAR.mac}.`);
    const capture = new Capture();
    for (const sequence of [1, 2]) {
      const request = [8, 0, 0, 0, ...u16(7), ...u16(sequence), ...new Array(56).fill(0)];
      capture.at(sequence).raw(ipv4(HOST.ip, FAR.ip, 1, request, { id: sequence }));
    }
    const file = capture.file();
    file[36] = 101; // LINKTYPE_RAW
    const [raw] = await findingsOf(file, only);
    expect(raw.summary).not.toContain('The latest went to');
  });

  it('counts the latest requests, though earlier ones were answered', async () => {
    const capture = ping(new Capture(), 8, { answered: (sequence) => sequence < 5 });
    expect(await said(capture)).toEqual([['icmp/echo-unanswered', 'likely', [9, 10, 11, 12]]]);
  });

  it('keeps still about answered pings, and one lost now and then', async () => {
    expect(await said(ping(new Capture(), 5, { answered: () => true }))).toEqual([]);
    expect(await said(ping(new Capture(), 60, { answered: (sequence) => sequence % 20 !== 0 }))).toEqual([]);
  });

  it('tells losses that are one in ten', async () => {
    const capture = ping(new Capture(), 12, { answered: (sequence) => sequence % 3 !== 0 });
    const [finding] = await capture.findings(only);
    expect(finding).toMatchObject({ count: 4, confidence: 'likely' });
  });

  it('is silent about a gap at each takeover of a virtual router, there and back', async () => {
    const lost = [11, 12, 13, 31, 32, 33];
    const recorded = (masters: readonly [router: string, from: number, to: number][]) => {
      const capture = new Capture();
      for (let i = 1; i <= 45; i++) {
        for (const [router, from, to] of masters) if (i >= from && i <= to) advert(capture.at(i), router);
        echo(capture.at(i + 0.5), HOST, FAR, { sequence: i });
        if (!lost.includes(i)) echo(capture.at(i + 0.51), FAR, HOST, { sequence: i, reply: true });
      }
      return capture;
    };
    const [a, b] = ['10.0.0.11', '10.0.0.12'];
    expect(
      await said(
        recorded([
          [a, 1, 10],
          [b, 14, 30],
          [a, 31, 45],
        ]),
      ),
    ).toEqual([]);
    // One takeover is no reason for two gaps, nor is a master that stays.
    expect(
      (
        await said(
          recorded([
            [a, 1, 10],
            [b, 14, 45],
          ]),
        )
      ).map(([, confidence]) => confidence),
    ).toEqual(['likely']);
    expect((await said(recorded([[a, 1, 45]]))).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints at one gap that passed, and not at a short one', async () => {
    const gap = (length: number) =>
      ping(new Capture(), 12, { answered: (sequence) => sequence < 3 || sequence >= 3 + length });
    expect((await said(gap(5))).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect(await said(gap(4))).toEqual([]);
    const andOneMore = ping(new Capture(), 14, {
      answered: (sequence) => sequence > 1 && (sequence < 5 || sequence > 7),
    });
    expect(await said(andOneMore)).toEqual([]);
  });

  describe('of a target that announces itself', () => {
    /** Requests of which `lost` meet no reply, and an announcement of the target at each of these seconds, each from a new MAC. */
    const restarted = (lost: readonly number[], announced: readonly number[], times = 30) => {
      const capture = new Capture();
      for (let sequence = 1; sequence <= times; sequence++) {
        echo(capture.at(sequence), HOST, PEER, { sequence });
        if (!lost.includes(sequence)) echo(capture.at(sequence + 0.01), PEER, HOST, { sequence, reply: true });
        const which = announced.indexOf(sequence + 0.5);
        const from = `02:00:00:00:10:0${which}`;
        if (which >= 0) capture.at(sequence + 0.5).arp({ op: 1, from, spa: PEER.ip, tpa: PEER.ip });
      }
      return said(capture);
    };

    it('is silent about a gap at each of its starts, and tells where there are more', async () => {
      expect(await restarted([5, 6, 15, 16, 17], [6.5, 17.5])).toEqual([]);
      expect((await restarted([5, 6, 15, 16, 17], [6.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
      expect((await restarted([5, 6, 15, 16, 17], [])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });

    it('goes by what comes after the losses', async () => {
      expect(await restarted([27, 28, 29, 30], [30.5])).toEqual([]);
      expect((await restarted([26, 27, 28, 29, 30], [30.5])).map(([, confidence]) => confidence)).toEqual(['hint']);
      expect((await restarted([27, 28, 29, 30], [26.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });

    it('tells of one that never answered', async () => {
      const never = Array.from({ length: 30 }, (_, i) => i + 1);
      expect((await restarted(never, [30.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });
  });

  describe('of a guest that moves', () => {
    /** Requests 5 and later are lost at the old host, and `then` is seen there at 4.2 s after the first of them. */
    const moved = (lost: number, then: (capture: Capture) => Capture, way?: 'out') => {
      const ways = { request: {}, reply: way ? { way: { direction: way } } : {} };
      const capture = heard();
      for (let sequence = 1; sequence < 5 + lost; sequence++) {
        echo(capture.at(sequence), HOST, PEER, { sequence, ...ways.request });
        if (sequence < 5) echo(capture.at(sequence + 0.01), PEER, HOST, { sequence, reply: true, ...ways.reply });
      }
      return said(
        then(capture.at(4.2 + lost))
          .at(20)
          .ask(HOST.mac, HOST.ip, ROUTER.ip),
      );
    };
    const sure = async (findings: Promise<[string, string, number[]][]>) =>
      (await findings).map(([, confidence]) => confidence);

    it('takes its RARP for a move: silent about few requests, a hint about more', async () => {
      expect(await sure(moved(3, (capture) => capture.rarp(PEER.mac)))).toEqual([]);
      expect(await sure(moved(6, (capture) => capture.rarp(PEER.mac)))).toEqual(['hint']);
      expect(await sure(moved(3, (capture) => capture))).toEqual(['likely']);
      // Another guest moves.
      expect(await sure(moved(3, (capture) => capture.rarp(ROUTER.mac)))).toEqual(['likely']);
    });

    it('tells requests that go on in vain after it', async () => {
      const goesOn = (capture: Capture) => {
        capture.rarp(PEER.mac);
        for (const sequence of [8, 9, 10]) echo(capture.at(sequence), HOST, PEER, { sequence });
        return capture;
      };
      expect(await sure(moved(3, goesOn))).toEqual(['likely']);
    });

    it('takes its broadcasts from elsewhere for one, where directions are known', async () => {
      const asks = (direction: 'in' | 'out') => (capture: Capture) =>
        capture.ask(PEER.mac, PEER.ip, '10.0.0.77', { direction });
      expect(await sure(moved(3, asks('in'), 'out'))).toEqual([]);
      // It is still here.
      expect(await sure(moved(3, asks('out'), 'out'))).toEqual(['likely']);
    });

    it('knows its MAC where a capture keeps no destinations', async () => {
      const recorded = (rarp: boolean) => {
        const capture = new CookedCapture();
        const bytes = (from: typeof HOST, to: typeof HOST, sequence: number, type: number) => [
          ...mac(to.mac),
          ...mac(from.mac),
          8,
          0,
          ...ipv4(from.ip, to.ip, 1, [type, 0, 0, 0, 0, 7, 0, sequence], { id: sequence }),
        ];
        for (let sequence = 1; sequence <= 7; sequence++) {
          capture.frame(sequence, 2, OTHER, bytes(HOST, PEER, sequence, 8));
          if (sequence < 5) capture.frame(sequence + 0.1, 2, OUTGOING, bytes(PEER, HOST, sequence, 0));
        }
        const own = [...mac(PEER.mac), 0, 0, 0, 0];
        const announced = [...mac(BROADCAST_MAC), ...mac(PEER.mac), 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3, ...own, ...own];
        const asked = [...mac(BROADCAST_MAC), ...mac(HOST.mac), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...mac(HOST.mac)];
        const last = [...asked, ...ip(HOST.ip), 0, 0, 0, 0, 0, 0, ...ip(ROUTER.ip)];
        return findingsOf(
          capture
            .frame(8, 2, BROADCAST, rarp ? announced : last)
            .frame(20, 2, BROADCAST, last)
            .file(),
          only,
        );
      };
      expect(await recorded(true)).toEqual([]);
      expect((await recorded(false)).map(({ confidence }) => confidence)).toEqual(['likely']);
    });
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

  it('takes an ICMP error for an answer', async () => {
    const capture = ping(new Capture(), 3);
    error(capture.at(4), ROUTER, HOST, FAR, { type: 3, code: 1 });
    expect(await said(capture)).toEqual([]);
  });

  it('keeps still about traceroute and broadcasts', async () => {
    const everybody = { mac: 'ff:ff:ff:ff:ff:ff', ip: '10.0.0.255' };
    expect(await said(ping(new Capture(), 3, { ttl: 30 }))).toEqual([]);
    expect(await said(ping(new Capture(), 3, { to: everybody }))).toEqual([]);
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

  it.each([
    ['10.2.0.2', 'hint'],
    ['10.2.0.1', 'likely'],
  ])(
    'only hints at a router that the replies do not pass, as routes show: the target sends by %s',
    async (gateway, expected) => {
      const machine = (...devices: [name: string, address: string][]) => ({
        'ip -d -j link': devices.map(([ifname], i) => ({ ifindex: i + 2, ifname, link_type: 'ether', flags: ['UP'] })),
        'ip -j addr': devices.map(([ifname, local], i) => ({
          ifindex: i + 2,
          ifname,
          addr_info: [{ family: 'inet', local, prefixlen: 24 }],
        })),
      });
      const near = `${HOST.ip.split('.').slice(0, 3).join('.')}`;
      const routes = [
        { dst: `${near}.0/24`, dev: 'a0' },
        { dst: '10.2.0.0/24', dev: 'b0' },
      ];
      const context = parseContext({
        kernel: '6.18',
        namespaces: {
          h: machine(['eth0', HOST.ip]),
          r: { ...machine(['a0', `${near}.253`], ['b0', '10.2.0.1']), 'ip -j route': routes },
          r2: { ...machine(['a0', `${near}.252`], ['b0', '10.2.0.2']), 'ip -j route': routes },
          srv: { ...machine(['eth0', '10.2.0.20']), 'ip -j route': [{ dst: 'default', gateway, dev: 'eth0' }] },
        },
      });
      const capture = ping(heard(), 3, { to: { ...FAR, ip: '10.2.0.20' } });
      const findings = await capture.findings({ ...only, context, vantage: { namespace: 'r', interface: 'a0' } });
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

  it('takes sightings of one request within 0.2 s for one', async () => {
    const capture = new Capture();
    for (const ttl of [64, 63]) echo(capture.at(1 + (64 - ttl) / 1000), HOST, FAR, { ttl });
    expect(await said(capture.at(3).ask(HOST.mac, HOST.ip, PEER.ip))).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    ping(capture, 3, { id: 1, way: { vlan: 10 } });
    ping(capture, 3, { id: 2, way: { vni: 5 } });
    const findings = await capture.findings(only);
    expect(findings.map(({ segment: { vlans, vnis } }) => ({ vlans, vnis }))).toEqual([
      { vlans: [10], vnis: [] },
      { vlans: [], vnis: [5] },
    ]);
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
    expect(finding).toMatchObject({ confidence: 'hint', caveats: [expect.stringContaining('is answered here')] });
    expect((await asked(1).findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    const speaks = asked(2).at(5).ask(FAR.mac, FAR.ip, '10.0.0.77');
    expect((await speaks.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    const connected = new Capture();
    for (let i = 0; i < 4; i++)
      tcp(connected.at(i / 10), HOST, FAR, ACK, { seq: 1 + 9 * i, ack: 1 + 99 * i, length: 9 });
    expect((await ping(connected.ask(PEER.mac, PEER.ip, ROUTER.ip), 3, { at: 1 }).findings(only))[0].confidence).toBe(
      'hint',
    );
  });

  it('only hints where requests of several hosts are all that the capture holds', async () => {
    const both = ping(ping(new Capture(), 3), 3, { from: PEER, at: 0.2, id: 8 });
    expect((await both.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint', 'hint']);
    const more = both.at(5).ask(PEER.mac, PEER.ip, ROUTER.ip);
    expect((await more.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely', 'likely']);
  });

  describe('at a broadcast address, in a capture that keeps no destinations', () => {
    const cooked = (to: string, resolved = false) => {
      const capture = new CookedCapture();
      const request = (sequence: number) => [
        ...[...mac(BROADCAST_MAC), ...mac(HOST.mac), 8, 0],
        ...ipv4(HOST.ip, to, 1, [8, 0, 0, 0, 0, 7, ...u16(sequence), ...new Array(56).fill(0)], { id: sequence }),
      ];
      const answer = [0, 1, 8, 0, 6, 4, 0, 2, ...mac(PEER.mac), ...ip(to), ...mac(HOST.mac), ...ip(HOST.ip)];
      capture.frame(0, 2, 0, [...mac(HOST.mac), ...mac(PEER.mac), 8, 6, ...(resolved ? answer : ask(ROUTER.ip))]);
      for (let sequence = 1; sequence <= 3; sequence++) capture.frame(sequence, 2, OUTGOING, request(sequence));
      return capture.frame(9, 2, 0, [...mac(HOST.mac), ...mac(PEER.mac), 8, 6, ...ask(ROUTER.ip)]).file();
    };
    const ask = (target: string) => [
      ...[0, 1, 8, 0, 6, 4, 0, 1, ...mac(PEER.mac), ...ip(PEER.ip)],
      ...[0, 0, 0, 0, 0, 0, ...ip(target)],
    ];
    const told = async (to: string, resolved = false, options = {}) =>
      (await findingsOf(cooked(to, resolved), { ...only, ...options })).map(({ confidence }) => confidence);

    it('only hints at the last address of a /24 that ARP names for no host', async () => {
      expect(await told('10.0.0.255')).toEqual(['hint']);
      expect(await told('10.0.0.255', true)).toEqual(['certain']);
      expect(await told('10.0.0.25')).toEqual(['certain']);
    });

    it('keeps still where the host context shows that it is one', async () => {
      const within = (prefixlen: number) => {
        const device = { ifindex: 2, ifname: 'eth0', address: HOST.mac, link_type: 'ether', flags: ['UP'] };
        const own = { ...device, addr_info: [{ family: 'inet', local: HOST.ip, prefixlen }] };
        return { context: parseContext({ namespaces: { host: { 'ip -d -j link': [device], 'ip -j addr': [own] } } }) };
      };
      expect(await told('10.0.3.255', false, within(22))).toEqual([]);
      expect(await told('10.0.0.63', false, within(26))).toEqual([]);
      expect(await told('10.0.0.63', false, within(25))).toEqual(['certain']);
      expect(await told('10.0.0.1', false, within(32))).toEqual(['certain']);
    });
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
