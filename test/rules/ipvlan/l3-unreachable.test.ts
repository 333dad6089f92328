import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { solicitation } from '../../support/nd.js';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'ipvlan/l3-unreachable';
const OUTSIDE = '02:00:00:00:00:77';
const rules = async (capture: Capture, mode?: string) =>
  (await capture.findings(mode ? { context: siblings({ kind: 'ipvlan', mode }) } : {})).map(
    ({ rule, confidence }) => `${rule} ${confidence}`,
  );
const asks = (times = 3, way?: Way) => new Capture().askAgain(times, OUTSIDE, '10.0.0.77', '10.0.0.101', way);
/** A packet from the child, by the MAC of its host, and ARP of that host for its own address. */
const sends = (
  capture: Capture,
  { ttl = 64, way, own = '10.0.0.14' }: { ttl?: number; way?: Way; own?: string } = {},
) => {
  const packet = [0x45, 0, 0, 20, 0, 1, 0, 0, ttl, 253, 0, 0, 10, 0, 0, 101, 10, 0, 0, 77];
  return capture
    .at(5)
    .ask(PARENT, own, '10.0.0.77', way)
    .raw([2, 0, 0, 0, 0, 0x77, 0, 0x0c, 0x29, 0, 0, 0x14, 8, 0, ...packet], way);
};
const both = (ttl?: number) => {
  const capture = new Capture();
  sends(capture, ttl === undefined ? {} : { ttl });
  return capture.at(6).askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.101');
};

describe('ipvlan/l3-unreachable', () => {
  it.each(['l3', 'l3s'])('is certain of a child in mode %s', async (mode) => {
    expect(await rules(asks(), mode)).toEqual([`${RULE} certain`]);
  });

  it('keeps still about mode l2, two requests, and the host that asks for its own child', async () => {
    expect(await rules(asks(), 'l2')).toEqual(['arp/unanswered likely']);
    expect((await rules(asks(2), 'l3')).join()).not.toContain(RULE);
    const own = new Capture().askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');
    expect((await rules(own, 'l3')).join()).not.toContain(RULE);
  });

  it('is likely without context if fresh packets come from a MAC that does ARP for another address', async () => {
    expect(await rules(both())).toContain(`${RULE} likely`);
    expect((await rules(both(63))).join()).not.toContain(RULE);
    expect((await rules(asks())).join()).not.toContain(RULE);
  });

  it('keeps still if that MAC does ARP for the address, and if the packets were in another VLAN', async () => {
    const capture = new Capture();
    sends(capture, { own: '10.0.0.101' });
    expect((await rules(capture.at(6).askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.101'))).join()).not.toContain(RULE);
    const apart = new Capture();
    sends(apart, { way: { vlan: 7 } });
    expect(
      (await rules(apart.at(6).askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.101', { vlan: 8 }))).join(),
    ).not.toContain(RULE);
  });

  it('is certain of IPv6 as well, and cures it by what IPv6 has', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) capture.at(i * 1.02).raw(solicitation(OUTSIDE, 'fd00::77', 'fd00::101'));
    const [finding, ...others] = await capture.findings({
      context: siblings({ kind: 'ipvlan', mode: 'l3', isDual: true }),
    });
    expect([finding.rule, finding.confidence, others]).toEqual([RULE, 'certain', []]);
    const commands = finding.remedy.flatMap((each) => each.commands).join('\n');
    expect(commands).toContain('ip route add fd00::101/128 via fd00::14');
    expect(commands).toContain('ip -6 neigh add proxy fd00::101 dev eth0');
    expect(commands).toContain('sysctl -w net.ipv6.conf.eth0.proxy_ndp=1');
    expect(commands).toContain('sysctl -w net.ipv6.conf.eth0.forwarding=1');
    expect(commands).not.toContain('proxy_arp');
  });

  it('lets the host answer ARP in mode l3s alone: in l3 it does not hear the question', async () => {
    const commands = async (mode: string, flag = 'bridge') => {
      const [finding] = await asks().findings({ context: siblings({ kind: 'ipvlan', mode, flag }) });
      return finding.remedy.flatMap((each) => each.commands);
    };
    expect(await commands('l3s')).toEqual(
      expect.arrayContaining([
        'ip neigh add proxy 10.0.0.101 dev eth0',
        'sysctl -w net.ipv4.conf.eth0.forwarding=1',
        'ip route add 10.0.0.101/32 dev lo',
      ]),
    );
    expect((await commands('l3')).join()).not.toContain('proxy');
    expect((await commands('l3', 'private')).join()).toContain('type ipvlan mode l2 private');
  });

  it('only hints where the machine does not answer for its own address either', async () => {
    const capture = both();
    capture.at(60).askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.14');
    expect(await rules(capture)).toContain(`${RULE} hint`);
    expect(await rules(capture.answer(PARENT, '10.0.0.14', OUTSIDE, '10.0.0.77'))).toContain(`${RULE} likely`);
  });

  it('keeps still about a DHCP server that tries the address out before it gives it away', async () => {
    const tried = async (given: string, mode?: string) => {
      const capture = sends(new Capture());
      dhcp(capture.at(6), 'discover').at(6.05).askAgain(3, SERVER.mac, SERVER.ip, '10.0.0.101');
      for (const type of ['offer', 'request', 'ack'] as const)
        dhcp(capture.at(9.2), type, { server: SERVER, address: given });
      return (await rules(capture.at(20).ask(OUTSIDE, '10.0.0.77', '10.0.0.77'), mode)).join();
    };
    expect(await tried('10.0.0.101')).not.toContain(RULE);
    expect(await tried('10.0.0.101', 'l3')).not.toContain(RULE);
    // The server of another network, and three seconds of a host that is none.
    const other = sends(new Capture());
    dhcp(other.at(6), 'discover').at(6.05).askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.101');
    dhcp(other.at(12), 'offer', { server: SERVER, address: '10.0.0.9' });
    expect((await rules(other.at(20).ask(OUTSIDE, '10.0.0.77', '10.0.0.77'))).join()).toContain(RULE);
  });
});
