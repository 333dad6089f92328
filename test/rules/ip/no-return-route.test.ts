import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, type Host, PEER, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { AWAY, type Machine, machine, machineFile, ON_LINK, pings, SECOND } from '../../support/routed.js';
import { ACK, SYN, syns, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const find = (capture: Capture, how: Machine = {}) =>
  capture.findings({ select: ['ip/no-return-route'], context: machine(how) });
const through = (gateway: string) => ({ dst: 'default', gateway, dev: 'eth0' });

describe('ip/no-return-route', () => {
  it('is likely where requests arrive and no route leads back', async () => {
    const [finding] = await find(pings(PEER));
    expect(inShort([finding])).toEqual([['ip/no-return-route', 'likely', [1, 2, 3, 4]]]);
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box ip route add default via <router> dev eth0']);
  });

  it('keeps still where the device is down, which takes its routes along', async () => {
    const box = machineFile() as { 'ip -d -j link': { ifname: string }[] };
    const told = async (flags: string[]) => {
      const link = box['ip -d -j link'].map((each) => (each.ifname === 'eth0' ? { ...each, flags } : each));
      const context = parseContext({ namespaces: { box: { ...box, 'ip -d -j link': link } } });
      return pings(PEER).findings({ select: ['ip/no-return-route'], context });
    };
    expect(await told([])).toEqual([]);
    expect(await told(['UP'])).toHaveLength(1);
  });

  it('names the router that the host context shows on the same link, if it is one', async () => {
    const beside = (name: string, ip: string, forwarding: string) => {
      const device = { ifindex: 2, ifname: 'wan0', flags: ['UP'], address: HOST.mac };
      return {
        [name]: {
          'ip -d -j link': [device],
          'ip -j addr': [{ ...device, addr_info: [{ local: ip, prefixlen: 24 }] }],
          sysctl: { 'net.ipv4.ip_forward': forwarding },
        },
      };
    };
    const told = async (others: object) => {
      const context = parseContext({ namespaces: { box: machineFile(), ...others } });
      const [finding] = await pings(PEER).findings({ select: ['ip/no-return-route'], context });
      return finding.remedy[1].commands;
    };
    const command = (router: string) => [`ip netns exec box ip route add default via ${router} dev eth0`];
    expect(await told(beside('gate', '10.0.0.254', '1'))).toEqual(command('10.0.0.254'));
    expect(await told(beside('gate', '10.0.0.254', '0'))).toEqual(command('<router>'));
    expect(await told(beside('gate', '10.0.1.254', '1'))).toEqual(command('<router>'));
    const two = { ...beside('gate', '10.0.0.254', '1'), ...beside('other', '10.0.0.253', '1') };
    expect(await told(two)).toEqual(command('<router>'));
    // Of two, the one that has a way to who asks, and not back through the host itself.
    const leads = (gateway: string, dev = 'up0') => {
      const { gate, other } = two as Record<string, object>;
      const routes = [{ dst: 'default', gateway, dev }];
      return { gate: { ...gate, 'ip -j route': [] }, other: { ...other, 'ip -j route': routes } };
    };
    expect(await told(leads('203.0.113.1'))).toEqual(command('10.0.0.253'));
    expect(await told(leads(PEER.ip))).toEqual(command('<router>'));
    // A container, which forwards as its host does: its way is that of its neighbours.
    expect(await told(leads('10.0.0.1', 'wan0'))).toEqual(command('<router>'));
  });

  it('names the network of who asks where the host context shows it, else the host alone', async () => {
    const told = async (others: object) => {
      const context = parseContext({ namespaces: { box: machineFile(), ...others } });
      const [finding] = await pings(PEER).findings({ select: ['ip/no-return-route'], context });
      return finding.remedy[2].commands;
    };
    expect(await told({})).toEqual(['ip netns exec box ip route add 192.0.2.77 via <router> dev eth0']);
    const eth0 = { ifindex: 2, ifname: 'eth0', addr_info: [{ local: AWAY.ip, prefixlen: 24 }] };
    const home = {
      'ip -d -j link': [eth0],
      'ip -j addr': [eth0],
      'ip -j route': [{ dst: '192.0.2.0/24', dev: 'eth0' }],
    };
    expect(await told({ home })).toEqual(['ip netns exec box ip route add 192.0.2.0/24 via <router> dev eth0']);
  });

  it('offers translation where a private sender is on another link of the router beside the target', async () => {
    const told = async (from: string, route: object) => {
      const links = [
        {
          ifindex: 2,
          ifname: 'wan0',
          flags: ['UP'],
          address: HOST.mac,
          addr_info: [{ local: HOST.ip, prefixlen: 24 }],
        },
        { ifindex: 3, ifname: 'br0', flags: ['UP'], addr_info: [{ local: '192.168.122.1', prefixlen: 24 }] },
      ];
      const gate = {
        'ip -d -j link': links,
        'ip -j addr': links,
        'ip -j route': [{ dst: '10.0.0.0/24', dev: 'wan0' }, route],
        sysctl: { 'net.ipv4.ip_forward': '1' },
      };
      const context = parseContext({ namespaces: { box: machineFile(), gate } });
      const capture = pings(PEER, { from: { mac: HOST.mac, ip: from } });
      const [finding] = await capture.findings({ select: ['ip/no-return-route'], context });
      return finding.remedy.flatMap(({ commands }) => commands).filter((each) => each.includes('MASQUERADE'));
    };
    const guests = { dst: '192.168.122.0/24', dev: 'br0' };
    expect(await told('192.168.122.77', guests)).toEqual([
      'ip netns exec gate iptables -t nat -I POSTROUTING -s 192.168.122.0/24 -o wan0 -j MASQUERADE',
    ]);
    expect(await told('192.0.2.77', { dst: '192.0.2.0/24', dev: 'br0' })).toEqual([]);
    expect(await told('192.168.122.77', { ...guests, gateway: '172.16.0.1' })).toEqual([]);
  });

  it('speaks about connections, and about a route that refuses', async () => {
    const capture = syns(new Capture(), 3, {}, 1, AWAY, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    expect(inShort(await find(capture))).toEqual([['ip/no-return-route', 'likely', [1, 2, 3]]]);
    const refusing = { dst: '192.0.2.0/24', type: 'unreachable' };
    const [finding] = await find(pings(PEER), { routes: [...ON_LINK, through(HOST.ip), refusing] });
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box ip route del unreachable 192.0.2.0/24']);
  });

  it.each([
    ['default', through(HOST.ip)],
    ['a prefix', { dst: '192.0.2.64/26', gateway: HOST.ip, dev: 'eth0' }],
    ['the host', { dst: AWAY.ip, gateway: HOST.ip, dev: 'eth0' }],
    ['several next hops', { dst: 'default', nexthops: [] }],
  ])('keeps still where a route leads back: %s', async (_, route) => {
    expect(await find(pings(PEER), { routes: [...ON_LINK, route] })).toEqual([]);
  });

  it('is not misled by routes for others, or of IPv6', async () => {
    const other = { dst: '192.0.2.128/25', gateway: HOST.ip, dev: 'eth0' };
    expect((await find(pings(PEER), { routes: [...ON_LINK, other, { dst: '::/0', dev: 'eth0' }] })).length).toBe(1);
  });

  it('keeps still where the routes are not known, or a VRF has more', async () => {
    expect(await find(pings(PEER), { routes: null })).toEqual([]);
    const vrf = { ifindex: 9, ifname: 'red', flags: ['UP'], linkinfo: { info_kind: 'vrf' } };
    expect(await find(pings(PEER), { devices: [vrf] })).toEqual([]);
  });

  it('keeps still about requests for others, and about answered ones', async () => {
    expect(await find(pings({ mac: PEER.mac, ip: FAR.ip }))).toEqual([]);
    expect(await find(pings({ mac: HOST.mac, ip: PEER.ip }))).toEqual([]);
    const answered = ping(new Capture(), 4, { from: AWAY, to: PEER, answered: () => true });
    expect(await find(answered.at(20).ask(HOST.mac, HOST.ip, '10.0.0.99'))).toEqual([]);
  });

  it('knows the machine by any of its addresses', async () => {
    expect((await find(pings({ mac: PEER.mac, ip: SECOND.ip }))).length).toBe(1);
  });

  describe('at a router on the way', () => {
    const target = { mac: PEER.mac, ip: '198.51.100.9' };
    const end = (gateway: string) => ({
      ifindex: 7,
      ifname: 'eth0',
      addr_info: [{ local: target.ip, prefixlen: 24 }],
      route: { dst: 'default', gateway, dev: 'eth0' },
    });
    const told = async (gateway: string, sysctl: Record<string, string>, routes: object[] = ON_LINK) => {
      const { route, ...device } = end(gateway);
      const box = machineFile({ routes, sysctl });
      const far = { 'ip -d -j link': [device], 'ip -j addr': [device], 'ip -j route': [route] };
      const context = parseContext({ namespaces: { box, far } });
      return pings(target).findings({ select: ['ip/no-return-route'], context });
    };
    const on = { 'net.ipv4.ip_forward': '1' };

    it('is likely where answers come back to it and it knows no way on', async () => {
      const [finding] = await told(SECOND.ip, on);
      expect(inShort([finding])).toEqual([['ip/no-return-route', 'likely', [1, 2, 3, 4]]]);
      expect(finding.title).toBe(
        `eth0 in box, the router between ${AWAY.ip} and ${target.ip}, has no route back to ${AWAY.ip}`,
      );
    });

    it('keeps still where it has a way, does not forward, or answers go elsewhere', async () => {
      expect(await told(SECOND.ip, on, [...ON_LINK, through(HOST.ip)])).toEqual([]);
      expect(await told(SECOND.ip, { 'net.ipv4.ip_forward': '0' })).toEqual([]);
      expect(await told('198.51.100.1', on)).toEqual([]);
    });
  });

  it('keeps still without a host context', async () => {
    expect(await pings(PEER).findings({ select: ['ip/no-return-route'] })).toEqual([]);
  });

  describe('of a router', () => {
    const told = (capture: Capture) =>
      capture
        .at(30)
        .ask(HOST.mac, HOST.ip, '10.0.0.99')
        .findings({ select: ['ip/no-return-route'] });
    /** AWAY asks PEER, and `by` says to PEER that it has no route for the answers. */
    function refused(
      times: number,
      { by = ROUTER, code = 0, isAnswered = true } = {},
      capture = new Capture(),
    ): Capture {
      for (let sequence = 1; sequence <= times; sequence++) {
        echo(capture.at(sequence), AWAY, PEER, { sequence });
        if (isAnswered) echo(capture.at(sequence + 0.01), PEER, AWAY, { sequence, reply: true });
        error(capture.at(sequence + 0.02), by, PEER, AWAY, { type: 3, code, payload: [0, 0, 0, 0, 0, 7, 0, sequence] });
      }
      return capture;
    }

    it('is likely where a router refuses answers, without a host context', async () => {
      const [finding] = await told(refused(3));
      expect(inShort([finding])).toEqual([['ip/no-return-route', 'likely', [3, 6, 9]]]);
      expect(finding.subject).toEqual({ target: PEER.ip, source: AWAY.ip, router: ROUTER.ip });
      expect(await told(refused(1))).toEqual([]);
    });

    it('takes the error of the router in', async () => {
      const select = { select: ['ip/no-return-route', 'icmp/unreachable'] };
      expect((await refused(3).findings(select)).map(({ rule }) => rule)).toEqual(['ip/no-return-route']);
    });

    it('keeps still where what is refused is no answer, or for another reason', async () => {
      expect(await told(refused(3, { isAnswered: false }))).toEqual([]);
      expect(await told(refused(3, { code: 1 }))).toEqual([]);
      expect(await told(refused(3, { code: 13 }))).toEqual([]);
      expect(await told(refused(3, { by: PEER }))).toEqual([]);
      // PEER asks, and is told that there is no way: icmp/unreachable says so.
      const asks = ping(new Capture(), 3, { from: PEER, to: AWAY });
      for (const at of [1, 2, 3]) error(asks.at(4 + at), ROUTER, PEER, AWAY, { type: 3, code: 0 });
      expect(await told(asks)).toEqual([]);
    });

    it('keeps still where a router masquerades: it means the client behind it', async () => {
      const capture = new Capture();
      for (const sequence of [1, 2, 3]) {
        echo(capture.at(sequence), ROUTER, PEER, { sequence });
        echo(capture.at(sequence + 0.01), PEER, ROUTER, { sequence, reply: true });
        const payload = [0, 0, 0, 0, 0, 7, 0, sequence];
        error(capture.at(sequence + 0.02), ROUTER, PEER, ROUTER, { type: 3, code: 0, payload });
      }
      expect(await told(capture)).toEqual([]);
      const [finding] = await capture.findings({ select: ['icmp/unreachable'] });
      expect(finding.title).toBe(`${ROUTER.ip} cannot reach the host behind it that ${PEER.ip} answers`);
    });

    it('keeps still where answers were not refused before, nor after: a link was down for a while', async () => {
      const answers = (capture: Capture, from: number, until: number) => {
        for (let sequence = from; sequence <= until; sequence++) {
          echo(capture.at(sequence), AWAY, PEER, { sequence });
          echo(capture.at(sequence + 0.01), PEER, AWAY, { sequence, reply: true });
        }
        return capture;
      };
      const goesOn = (until: number) => answers(refused(3, {}, answers(new Capture(), -4, 0)), 4, until);
      expect(await told(goesOn(6))).toHaveLength(1);
      expect(await told(goesOn(7))).toEqual([]);
      const [finding] = await goesOn(7).findings({ select: ['icmp/unreachable'] });
      expect(finding.caveats.join()).toContain('refused no more');
      // Linux refuses the first few of many answers, and drops the others without a word.
      expect(await told(answers(refused(3), 4, 30))).toHaveLength(1);
    });

    it('keeps still where the host reaches the asker all the same', async () => {
      const both = refused(3, {}, ping(new Capture(), 2, { from: PEER, to: AWAY, id: 9, answered: () => true }).at(3));
      expect(await told(both)).toEqual([]);
    });

    it('looks at answers to connections', async () => {
      const server: Host = PEER;
      const answered = (port: number) => {
        const capture = new Capture();
        for (const at of [1, 2, 4]) {
          tcp(capture.at(at), AWAY, server, SYN, { seq: 1000 });
          tcp(capture.at(at + 0.01), server, AWAY, SYN | ACK, { sport: port, dport: 40000, seq: 5000, ack: 1001 });
          const payload = [0, 80, 0x9c, 0x40, 0, 0, 0x13, 0x88];
          error(capture.at(at + 0.02), ROUTER, server, AWAY, { type: 3, code: 0, protocol: 6, payload });
        }
        return capture;
      };
      expect(inShort(await told(answered(80)))).toEqual([['ip/no-return-route', 'likely', [3, 6, 9]]]);
    });
  });
});
