import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { echo, ping } from '../../support/ping.js';
import { A, arpRequest, B, ipv4, ONE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, mac, u16 } from '../../support/wire.js';

const only = { select: ['icmp/echo-unanswered'] };
const told = async (capture: Capture, options = {}) =>
  (await capture.findings({ ...only, ...options })).map(({ confidence }) => confidence);

/** An echo request or reply inside of a tunnel. */
function inner(id: number, sequence: number, isReply = false): number[] {
  const [from, to] = isReply ? [B, A] : [A, B];
  const [source, destination] = isReply ? ['192.168.5.2', '192.168.5.1'] : ['192.168.5.1', '192.168.5.2'];
  const bytes = [isReply ? 0 : 8, 0, 0, 0, ...u16(id), ...u16(sequence), ...new Array(56).fill(0)];
  return [...mac(to), ...mac(from), 8, 0, ...ipv4(source, destination, 1, bytes, { id: sequence })];
}

describe('icmp/echo-unanswered in a fabric', () => {
  const carried = (ttl: number, answered: number) => {
    const capture = tunnelled(new Capture(), arpRequest(B, '192.168.5.2', '192.168.5.9'), { from: TWO, to: ONE, ttl });
    for (let sequence = 1; sequence < 6; sequence++) {
      tunnelled(capture.at(sequence), inner(7, sequence), { ttl });
      for (let id = 20; id < 20 + answered; id++) {
        tunnelled(capture.at(sequence + 0.1), inner(id, sequence), { ttl });
        tunnelled(capture.at(sequence + 0.11), inner(id, sequence, true), { from: TWO, to: ONE, ttl });
      }
    }
    return capture.at(20).ask(HOST.mac, HOST.ip, '10.0.0.8');
  };

  it('only hints inside of a tunnel that routers carry, which may spread the two directions, unless others show both', async () => {
    expect(await told(carried(63, 0))).toEqual(['hint']);
    expect(await told(carried(63, 3))).toEqual(['hint']);
    expect(await told(carried(63, 4))).toEqual(['likely']);
    expect(await told(carried(64, 0))).toEqual(['likely']);
  });

  it('only hints of what a shared gateway sends on: the target answers to the one nearest to it', async () => {
    const sentOn = (gateway: string) => {
      const capture = new Capture()
        .ask(gateway, '10.0.0.254', PEER.ip)
        .answer(PEER.mac, PEER.ip, gateway, '10.0.0.254');
      ping(capture, 6, { from: { ...FAR, mac: gateway }, to: PEER, ttl: 63 });
      return ping(capture, 3, { id: 9, at: 20, from: HOST, to: PEER, answered: () => true });
    };
    expect(await told(sentOn('00:00:5e:00:01:01'))).toEqual(['hint']);
    expect(await told(sentOn(ROUTER.mac))).toEqual(['likely']);
    const leaf = (address: string) => ({
      'ip -d -j link': [{ flags: ['UP', 'LOWER_UP'], ifindex: 2, ifname: 'br10', address }],
    });
    const context = (other: string) =>
      parseContext({ namespaces: { l1: leaf(ROUTER.mac), l2: leaf(other), l3: leaf('02:00:00:00:00:93') } });
    expect(await told(sentOn(ROUTER.mac), { context: context(ROUTER.mac) })).toEqual(['hint']);
    expect(await told(sentOn(ROUTER.mac), { context: context('02:00:00:00:00:92') })).toEqual(['likely']);
  });

  it('only hints at a bystander that is flooded more of a ping than is remembered, but not its beginning', async () => {
    const flooded = (first: number) => {
      const capture = ping(new Capture(), 3, { id: 8, from: FAR, to: HOST, answered: () => true });
      for (let sequence = first; sequence < first + 100; sequence++)
        echo(capture.at(10 + (sequence - first) * 0.1), HOST, PEER, { sequence });
      return ping(capture, 3, { id: 9, at: 30, from: FAR, to: HOST, answered: () => true });
    };
    expect(await told(flooded(40))).toEqual(['hint']);
    expect(await told(flooded(1))).toEqual(['likely']);
  });
});
