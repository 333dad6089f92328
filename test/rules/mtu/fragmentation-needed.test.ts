import { describe, expect, it } from 'vitest';
import { echo, FAR, HOST, PEER, packet, ROUTER, tooBig } from '../../support/icmp.js';
import { ACK, SYN, tcp, tcp6 } from '../../support/tcp.js';
import { ipv4, refuse } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16 } from '../../support/wire.js';

const only = { select: ['mtu/fragmentation-needed'] };

/** The message, and then `times` packets of `size` bytes, the first after `after` seconds. */
function told({ times = 3, size = 1500, after = 1.1, mtu = 1400 } = {}): Capture {
  const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu });
  for (let i = 0; i < times; i++) echo(capture.at(after + i), HOST, FAR, { size });
  return capture;
}

describe('mtu/fragmentation-needed', () => {
  it('is a note where the sender keeps to it', async () => {
    const [finding, ...more] = await told({ times: 9, size: 1400 }).findings(only);
    expect(inShort([finding])).toEqual([['mtu/fragmentation-needed', 'certain', [1]]]);
    expect([finding.severity, finding.subject]).toEqual([
      'info',
      { sender: HOST.ip, receiver: FAR.ip, router: '10.0.0.254', mtu: 1400 },
    ]);
    expect(more).toEqual([]);
  });

  it('is a warning after three packets as big as before, a second later', async () => {
    const [finding] = await told().findings(only);
    expect([finding.severity, inShort([finding])[0][2]]).toEqual(['warning', [1, 2, 3, 4]]);
    expect(finding.title).toContain('goes on sending');
  });

  it('is a note where packets that just fit follow, and big ones come again: the sender heeds it and forgets', async () => {
    const again = async (size: number) => {
      const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1400 });
      echo(capture.at(0.2), HOST, FAR, { size });
      for (let i = 0; i < 4; i++) echo(capture.at(4 + 3 * i), HOST, FAR, { size: 1500 });
      return (await capture.findings(only)).map(({ severity }) => severity);
    };
    expect(await again(1400)).toEqual(['info']);
    expect(await again(1300)).toEqual(['warning']);
  });

  it('says who tells it', async () => {
    const [finding] = await told({ times: 0 }).findings(only);
    expect(finding.title).toBe(
      'Packets from 10.0.0.1 are too big for the path to 192.0.2.9: 1400 bytes at most, says 10.0.0.254',
    );
  });

  it('takes what comes in the name of the target for a tunnel on the way, and names the MTU that fits', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1450, reporter: FAR });
    const [finding] = await capture.findings(only);
    expect(finding.title).toBe('Packets from 10.0.0.1 are too big for the path to 192.0.2.9: 1450 bytes at most');
    expect(finding.summary).toMatch(
      /^A device on the way, in the name of 192\.0\.2\.9, dropped a packet of 1500 bytes/,
    );
    expect(finding.cause).toMatch(/^A tunnel on the way /);
    expect(finding.remedy[0].commands[0]).toMatch(/ mtu 1450$/);
  });

  it.each([
    ['two packets', { times: 2 }],
    ['smaller packets, though above the MTU: pieces put together by the device', { size: 1450 }],
  ])('stays a note after %s', async (_, more) => {
    const [finding] = await told(more).findings(only);
    expect(finding.severity).toBe('info');
  });

  it('does not count what was under way', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1400 });
    for (let i = 0; i < 9; i++) echo(capture.at(i * 0.1), HOST, FAR, { size: 1500 });
    expect((await capture.findings(only)).map(({ severity }) => severity)).toEqual(['info']);
  });

  it('does not count packets to another host, or in another VLAN', async () => {
    const capture = tooBig(new Capture(), HOST, FAR, { size: 1500, mtu: 1400 });
    for (let i = 2; i < 6; i++) {
      echo(capture.at(i), HOST, PEER, { size: 1500 });
      echo(capture.at(i), HOST, FAR, { size: 1500, way: { vlan: 9 } });
    }
    expect((await capture.findings(only)).map(({ severity }) => severity)).toEqual(['info']);
  });

  it('is a warning about a tunnel', async () => {
    const capture = refuse(new Capture(), {}, { code: 4, mtu: 1400, reporter: '10.1.1.254' });
    const [finding] = await capture.findings(only);
    expect(finding.severity).toBe('warning');
    expect(finding.remedy[0].commands).toEqual(['ip link set <vxlan device> mtu 1350']);
  });

  it('knows a router that does not tell the MTU', async () => {
    const [finding] = await told({ times: 0, mtu: 0 }).findings(only);
    expect(finding.subject).toEqual({ sender: HOST.ip, receiver: FAR.ip, router: '10.0.0.254' });
  });

  it('keeps silent about other unreachables', async () => {
    expect(await refuse(new Capture(), {}, { code: 1 }).findings(only)).toEqual([]);
  });

  it('is a warning where the sender of IPv6 pays no heed, down to the least MTU that there is', async () => {
    const sent = async (size: number, mtu: number) => {
      const capture = tooBig6(new Capture(), { size, mtu });
      for (let i = 0; i < 3; i++) tcp6(capture.at(1.1 + i), HOST, PEER, ACK, { length: size - 60, seq: 1000 + i });
      const [finding] = await capture.findings(only);
      return [finding.severity, inShort([finding])[0][2]];
    };
    expect(await sent(1500, 1400)).toEqual(['warning', [1, 2, 3, 4]]);
    expect(await sent(1300, 1400)).toEqual(['info', [1]]);
    expect(await sent(1280, 1000)).toEqual(['info', [1]]);
  });

  describe('of segments that were put together on the way', () => {
    const MSS = (size: number) => [2, 4, ...u16(size)];
    /** A connection of which the receiver takes segments of `mss` bytes, and a router that refuses a packet of `size`. */
    const refused = async ({ mss = 1460, mtu = 1500, size = 2948, port = 40000, from = PEER } = {}) => {
      const capture = new Capture();
      tcp(capture, HOST, PEER, SYN, { options: MSS(1460) });
      tcp(capture, from, HOST, SYN | ACK, { sport: 80, dport: 40000, options: MSS(mss) });
      const quoted = ipv4(HOST.ip, PEER.ip, 6, [...u16(port), ...u16(80), 0, 0, 3, 233], { fragment: 0x4000 });
      quoted.splice(2, 2, ...u16(size));
      const icmp = [3, 4, 0, 0, 0, 0, ...u16(mtu), ...quoted];
      packet(capture.at(0.1), ROUTER, HOST, ipv4(ROUTER.ip, HOST.ip, 1, icmp));
      const [finding] = await capture.findings(only);
      return finding;
    };

    it('blames what put them together, where all that the sender may send fits', async () => {
      const finding = await refused();
      expect(finding.severity).toBe('warning');
      expect(finding.title).toBe(
        '10.0.0.254 refuses packets from 10.0.0.1 to 10.0.0.2 as too big, though all that was sent fits',
      );
      expect(finding.summary).toContain('packets of 1500 bytes, no more');
      expect(finding.remedy[0].commands).toEqual(['ethtool -K <device> lro off', 'ethtool -K <device> rx-gro-hw off']);
    });

    it.each([
      ['the link behind is narrower than the segments', { mtu: 1400 }],
      ['what was refused is one segment', { mtu: 1500, size: 1500 }],
      ['the connection began before the capture', { port: 40001 }],
      ['another host announced the size', { from: FAR }],
      ['the receiver takes longer segments', { mss: 8960 }],
    ])('does not where %s', async (_, more) => {
      expect((await refused(more)).severity).toBe('info');
    });
  });
});

/** ICMPv6 packet too big from the router: one of `size` bytes from HOST to PEER, by tcp6. */
function tooBig6(capture: Capture, { size, mtu }: { size: number; mtu: number }): Capture {
  const address = (last: number) => [0xfd, ...new Array(14).fill(0), last];
  const quoted = [0x60, 0, 0, 0, ...u16(size - 40), 6, 64, ...address(1), ...address(2), ...new Array(40).fill(0)];
  const icmp = [2, 0, 0, 0, 0, 0, ...u16(mtu), ...quoted];
  const head = [0x60, 0, 0, 0, ...u16(icmp.length), 58, 64, ...address(254), ...address(1)];
  return capture.raw([...mac(HOST.mac), ...mac(ROUTER.mac), 0x86, 0xdd, ...head, ...icmp]);
}
