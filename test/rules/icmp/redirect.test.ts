import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, type Host, PEER, ROUTER } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { Capture, inShort, ip, type Way } from '../../support/wire.js';

const only = { select: ['icmp/redirect'] };

describe('icmp/redirect', () => {
  it('tells a redirect to the target itself from one to another router', async () => {
    const capture = error(new Capture(), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip) });
    error(capture, ROUTER, HOST, FAR, { type: 5, code: 1, word: ip('10.0.0.253') });
    const findings = await capture.findings(only);
    expect(findings.map(({ title }) => title).sort()).toEqual([
      '10.0.0.254 tells 10.0.0.1 to send to 10.0.0.2 directly',
      '10.0.0.254 tells 10.0.0.1 to send to 192.0.2.9 through 10.0.0.253',
    ]);
    expect(inShort(findings).map(([, confidence]) => confidence)).toEqual(['certain', 'certain']);
  });

  it('has the host itself not heed them, and forget what it heeded', async () => {
    const capture = error(new Capture(), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip) });
    const device = (ifname: string, { ip: local }: Host) => {
      const link = { ifindex: 2, ifname, addr_info: [{ local, prefixlen: 24 }] };
      return { 'ip -d -j link': [link], 'ip -j addr': [link] };
    };
    const context = parseContext({ namespaces: { h: device('eth0.7', HOST), r: device('lan', ROUTER) } });
    const [{ remedy }] = await capture.findings({ ...only, context });
    const all = (name: string) => `net.ipv4.conf.all.${name}=0 net.ipv4.conf.default.${name}=0`;
    expect(remedy.slice(0, 2).map(({ commands }) => commands)).toEqual([
      [
        `ip netns exec h sysctl -w ${all('accept_redirects')} net.ipv4.conf.eth0/7.accept_redirects=0`,
        'ip netns exec h ip route flush cache',
      ],
      [
        `ip netns exec r sysctl -w ${all('send_redirects')} net.ipv4.conf.lan.send_redirects=0`,
        'ip netns exec h ip route flush cache',
      ],
    ]);
  });

  it('only hints at a few about an address that the router handed over', async () => {
    const told = async (times: number, announced: string) => {
      const capture = new Capture().ask(ROUTER.mac, ROUTER.ip, HOST.ip);
      capture.at(1).ask(ROUTER.mac, announced, announced);
      for (let i = 0; i < times; i++)
        error(capture.at(2 + i), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip) });
      return (await capture.findings(only)).map(({ confidence }) => confidence);
    };
    expect(await told(4, PEER.ip)).toEqual(['hint']);
    expect(await told(16, PEER.ip)).toEqual(['certain']);
    expect(await told(4, ROUTER.ip)).toEqual(['certain']);
  });

  it('keeps silent where a host is told to send to itself: a service that NAT turned back to it', async () => {
    const capture = error(new Capture(), ROUTER, HOST, HOST, { type: 5, code: 1, word: ip(HOST.ip) });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('counts the redirects about one target', async () => {
    const capture = new Capture();
    for (const time of [0, 1, 2, 3])
      error(capture.at(time), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip) });
    expect(await capture.findings(only)).toMatchObject([{ count: 4 }]);
  });

  it('keeps still about other errors, and looks into VLANs and VXLAN', async () => {
    const capture = error(new Capture(), ROUTER, HOST, FAR, { type: 3, code: 1, word: ip(PEER.ip) });
    expect(await capture.findings(only)).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }])
      error(capture, ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip), way });
    expect(await capture.findings(only)).toHaveLength(2);
  });

  /** ROUTER sends HOST to PEER itself at 1 s, and HOST asks for it three times from `from` on. */
  const obeyed = (from: number, way: Way = {}, wayOfQuestion = way) =>
    error(new Capture().at(1), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip), way })
      .at(from)
      .askAgain(3, HOST.mac, HOST.ip, PEER.ip, wayOfQuestion);

  it('takes in the question that follows where the host obeys, and says that this way is dead', async () => {
    const [finding, ...others] = await obeyed(1.01).findings();
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['icmp/redirect', 'certain', [1, 2, 3, 4]]]);
    expect(finding.title).toBe('10.0.0.254 tells 10.0.0.1 to send to 10.0.0.2 directly, and that way is dead');
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(finding.wouldRaise).toEqual([]);
  });

  it.each<[string, Capture]>([
    ['more than five seconds later', obeyed(6.1)],
    ['before it', obeyed(0.5)],
    ['in another VLAN', obeyed(1.01, {}, { vlan: 10 })],
    ['and is answered', obeyed(1.01).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip)],
  ])('leaves what is asked %s', async (_, capture) => {
    const [finding] = await capture.findings(only);
    expect(finding.title).toBe('10.0.0.254 tells 10.0.0.1 to send to 10.0.0.2 directly');
    expect(finding.explains).toEqual([]);
  });

  it('says no more than that the new next hop is silent where redirects go on and no ping is lost', async () => {
    // Linux asks by ARP first, and sends through the router until that is answered.
    const capture = obeyed(1.01);
    for (let i = 4; i <= 6; i++) error(capture.at(i), ROUTER, HOST, PEER, { type: 5, code: 1, word: ip(PEER.ip) });
    const [finding, ...others] = await capture.findings();
    expect(others.map(({ title }) => title)).toEqual([]);
    expect(finding.title).toBe('10.0.0.254 tells 10.0.0.1 to send to 10.0.0.2 directly, which does not answer');
    expect(finding.summary).toContain('goes on through 10.0.0.254 all the same');
  });
});
