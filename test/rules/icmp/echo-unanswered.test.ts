import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CookedCapture, OUTGOING } from '../../support/cooked.js';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { ipv4 } from '../../support/tunnel.js';
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

  it('names the device of the target that is down, as the host context shows it', async () => {
    const told = async (flags: string[]) => {
      const device = { ifindex: 2, ifname: 'gre1', flags, link_type: 'none' };
      const far = {
        'ip -d -j link': [device],
        'ip -j addr': [{ ...device, addr_info: [{ family: 'inet', local: FAR.ip, prefixlen: 30 }] }],
      };
      const context = parseContext({ namespaces: { far } });
      const [{ cause, remedy }] = await ping(heard(), 3).findings({ ...only, context });
      return [cause.startsWith('gre1 in far is down'), remedy[0].commands[0]];
    };
    expect(await told([])).toEqual([true, 'ip netns exec far ip link set gre1 up']);
    expect((await told(['UP']))[0]).toBe(false);
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
    ['10.2.0.2', 'hint'],
    ['10.2.0.1', 'likely'],
    // Both routers have this one (anycast).
    ['10.2.0.254', 'hint'],
  ])(
    'only hints at a router that the replies do not pass, as routes show: the target sends by %s',
    async (gateway, expected) => {
      const machine = (...devices: [name: string, ...addresses: string[]][]) => ({
        'ip -d -j link': devices.map(([ifname], i) => ({ ifindex: i + 2, ifname, link_type: 'ether', flags: ['UP'] })),
        'ip -j addr': devices.map(([ifname, ...locals], i) => ({
          ifindex: i + 2,
          ifname,
          addr_info: locals.map((local) => ({ family: 'inet', local, prefixlen: 24 })),
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
          r: { ...machine(['a0', `${near}.253`], ['b0', '10.2.0.1', '10.2.0.254']), 'ip -j route': routes },
          r2: { ...machine(['a0', `${near}.252`], ['b0', '10.2.0.2', '10.2.0.254']), 'ip -j route': routes },
          srv: { ...machine(['eth0', '10.2.0.20']), 'ip -j route': [{ dst: 'default', gateway, dev: 'eth0' }] },
        },
      });
      const capture = ping(heard(), 3, { to: { ...FAR, ip: '10.2.0.20' } });
      const findings = await capture.findings({ ...only, context, vantage: { namespace: 'r', interface: 'a0' } });
      expect(findings.map(({ confidence }) => confidence)).toEqual([expected]);
    },
  );

  it.each([
    ['both', 'b1', 'hint'],
    ['b0', 'b0', 'likely'],
    ['b1', 'b1', 'hint'],
  ])(
    'only hints between routers with equally good ways where replies may leave by %s',
    async (ways, other, expected) => {
      const machine = (addresses: Record<string, string>, routes: object[]) => ({
        'ip -d -j link': Object.keys(addresses).map((ifname, i) => ({
          ifindex: i + 2,
          ifname,
          link_type: 'ether',
          flags: ['UP'],
        })),
        'ip -j addr': Object.entries(addresses).map(([ifname, local], i) => ({
          ifindex: i + 2,
          ifname,
          addr_info: [{ family: 'inet', local, prefixlen: 24 }],
        })),
        'ip -j route': routes,
      });
      const back = (dev: string) => ({ gateway: dev === 'b0' ? '10.3.0.2' : '10.4.0.2', dev, flags: [] });
      const equal = { dst: '10.0.0.0/24', nexthops: ['b0', 'b1'].map((dev) => ({ ...back(dev), weight: 1 })) };
      const context = parseContext({
        kernel: '6.18',
        namespaces: {
          h: machine({ eth0: HOST.ip }, []),
          far: machine({ eth0: '10.2.0.20' }, [{ dst: 'default', gateway: '10.2.0.1', dev: 'eth0' }]),
          r: machine({ a0: '10.2.0.1', b0: '10.3.0.1', b1: '10.4.0.1' }, [
            { dst: '10.2.0.0/24', dev: 'a0' },
            ways === 'both' ? equal : { dst: '10.0.0.0/24', ...back(other) },
          ]),
        },
      });
      const capture = ping(heard().ask(FAR.mac, FAR.ip, PEER.ip), 3, { to: { ...FAR, ip: '10.2.0.20' }, ttl: 62 });
      const findings = await capture.findings({ ...only, context, vantage: { namespace: 'r', interface: 'b0' } });
      expect(findings.map(({ confidence }) => confidence)).toEqual([expected]);
    },
  );

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
});
