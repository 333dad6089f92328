import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, meet, PEER, ping } from '../../support/icmp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['mtu/link-mismatch'] };
const small = { size: 84, at: 1, times: 2, answered: true };
const big = { size: 4000, at: 10, times: 3, answered: false, id: 8 };

function context(mtu: number) {
  return parseContext({
    namespaces: {
      peer: {
        'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', address: PEER.mac, mtu, flags: ['UP'] }],
        'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: PEER.ip, prefixlen: 24 }] }],
      },
    },
  });
}

describe('mtu/link-mismatch', () => {
  it('is likely where a host that answers for itself gets small frames and no jumbo frames', async () => {
    const capture = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, big);
    const [finding, ...more] = await capture.findings(only);
    expect(inShort([finding])).toEqual([['mtu/link-mismatch', 'likely', [7, 8, 9]]]);
    expect(finding.subject).toEqual({ sender: HOST.ip, receiver: PEER.ip, passes: 84, fails: 4000 });
    expect(more).toEqual([]);
  });

  it('takes small pings the other way for a proof that small ones pass, and big ones that big ones do', async () => {
    const back = (size: number) =>
      ping(ping(meet(new Capture(), HOST, PEER), PEER, HOST, { ...small, size }), HOST, PEER, big);
    expect(inShort(await back(84).findings(only))).toEqual([['mtu/link-mismatch', 'likely', [7, 8, 9]]]);
    expect(await back(4000).findings(only)).toEqual([]);
    expect(await ping(meet(new Capture(), HOST, PEER), HOST, PEER, big).findings(only)).toEqual([]);
  });

  it('is certain where the context shows the smaller MTU, below 1500 too', async () => {
    for (const [mtu, size] of [
      [1500, 4000],
      [1400, 1480],
    ]) {
      const capture = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, { ...big, size });
      const findings = await capture.findings({ ...only, context: context(mtu) });
      expect(findings.map(({ confidence }) => confidence)).toEqual(['certain']);
    }
  });

  it('names the device whose MTU is too large, where the context has it, and the MTU of the other', async () => {
    const device = (mac: string, ip: string, mtu: number, name: string) => ({
      'ip -d -j link': [{ ifindex: 2, ifname: name, address: mac, mtu, flags: ['UP'] }],
      'ip -j addr': [{ ifindex: 2, ifname: name, addr_info: [{ local: ip, prefixlen: 24 }] }],
    });
    const namespaces = { me: device(HOST.mac, HOST.ip, 9000, 'up0'), peer: device(PEER.mac, PEER.ip, 1500, 'eth0') };
    const capture = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, big);
    const told = async (more: object) => (await capture.findings({ ...only, ...more }))[0].remedy[1].commands;
    expect(await told({ context: parseContext({ namespaces }) })).toEqual([
      'ip netns exec me ip link set up0 mtu 1500',
    ]);
    expect((await told({}))[0]).toMatch(/^ip link set "\$\(ip -br addr show to 10.0.0.1 .*\)" mtu 1500$/);
  });

  it('leaves what a router carries, and sizes of usual Ethernet, to mtu/black-hole', async () => {
    const routed = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
    expect(await routed.findings(only)).toEqual([]);
    const usual = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, { ...big, size: 1480 });
    expect(await usual.findings(only)).toEqual([]);
  });

  it('keeps silent where jumbo frames are answered, and after two', async () => {
    for (const more of [{ answered: true }, { times: 2 }]) {
      const capture = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, { ...big, ...more });
      expect(await capture.findings(only)).toEqual([]);
    }
  });
});
