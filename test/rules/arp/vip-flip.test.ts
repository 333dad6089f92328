import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advert } from '../../support/vrrp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const RULE = 'arp/vip-flip';
const A = '02:00:00:00:00:01';
const N1 = '02:00:00:00:00:11';
const N2 = '02:00:00:00:00:12';
const N3 = '02:00:00:00:00:13';
const VIP = '10.0.0.100';

/** The nodes ask from addresses of their own. */
function nodes(macs: readonly string[], way: Way = {}): Capture {
  const capture = new Capture();
  for (const mac of macs) capture.ask(mac, `10.0.0.${Number.parseInt(mac.slice(-2), 10)}`, '10.0.0.1', way);
  return capture;
}

/** One request for the address, and an answer by each. */
function answered(capture: Capture, macs: readonly string[], way: Way = {}, time = 1): Capture {
  capture.at(time).ask(A, '10.0.0.1', VIP, way);
  macs.forEach((mac, i) => {
    capture.at(time + 0.0001 * (i + 1)).answer(mac, VIP, A, '10.0.0.1', way);
  });
  return capture;
}

/** The address is answered for by one after another, `apart` seconds apart; announced before where `announce` says so. */
function turns(macs: readonly string[], apart: number, announce: (turn: number) => boolean, capture = nodes([N1, N2])) {
  macs.forEach((mac, i) => {
    if (announce(i)) capture.at(1 + i * apart - 0.1).ask(mac, VIP, VIP);
    answered(capture, [mac], {}, 1 + i * apart);
  });
  return capture;
}

const never = () => false;
const always = (turn: number) => turn > 0;
/** What is said of the address. */
const told = async (capture: Capture, context: ReturnType<typeof parseContext> | null = null) =>
  (await capture.findings({ context }))
    .filter(({ rule }) => rule === RULE || rule === 'arp/duplicate-address' || rule === 'arp/flux')
    .map(({ rule, confidence }) => `${rule} ${confidence}`);

describe(RULE, () => {
  it('tells who advertises the address by VRRP from who does not', async () => {
    const advertised = async (sources: readonly string[], address = VIP) => {
      const capture = nodes([N1, N2]);
      for (const source of sources) advert(capture.at(0.5), source, { address });
      const [finding] = await answered(capture, [N1, N2]).findings({ select: [RULE] });
      return finding;
    };
    const one = await advertised(['10.0.0.11']);
    expect(one.cause).toContain(`by VRRP (id 51). ${N2} advertises nothing`);
    expect(JSON.stringify(one.remedy)).not.toContain('kubectl');
    for (const other of [await advertised([]), await advertised(['10.0.0.11'], '10.0.0.200')])
      expect(other.cause).toContain('strictARP');
    expect((await advertised(['10.0.0.11', '10.0.0.12'])).cause).not.toContain('advertises nothing');
  });

  it('finds it likely that two nodes answer for one address at once, and takes the duplicate in', async () => {
    const found = await answered(nodes([N1, N2]), [N1, N2]).findings();
    expect(inShort(found)).toEqual([[RULE, 'likely', [4, 5]]]);
    expect(found[0].title).toBe(`${VIP} is answered by 2 nodes at once: 10.0.0.11 and 10.0.0.12`);
    expect(found[0].summary).toContain(`${N1} (10.0.0.11) and ${N2} (10.0.0.12)`);
    expect(found[0].explains.map(({ rule }) => rule)).toEqual(['arp/duplicate-address']);
  });

  it('names three nodes', async () => {
    const capture = answered(nodes([N1, N2, N3]), [N1, N2, N3]);
    const [{ title }] = await answered(capture, [N1, N3, N2], {}, 5).findings({ select: [RULE] });
    expect(title).toContain('is answered by 3 nodes');
  });

  it('leaves it to the rule about conflicts where a claimant has no other address', async () => {
    expect(await told(answered(nodes([N1]), [N1, N2]))).toEqual(['arp/duplicate-address likely']);
    expect(await told(answered(nodes([]), [N1, N2]))).toEqual(['arp/duplicate-address likely']);
  });

  it('leaves it to that rule where the other address is claimed by both, or by a third', async () => {
    const shared = nodes([N1, N2]).ask(N2, '10.0.0.11', '10.0.0.1').ask(N1, '10.0.0.11', '10.0.0.1');
    expect(await told(answered(shared, [N1, N2]))).toContain('arp/duplicate-address likely');
    const third = nodes([N1, N2]).at(0.5).ask(N3, '10.0.0.11', '10.0.0.1');
    expect(await told(answered(third, [N1, N2]))).toEqual(['arp/duplicate-address likely']);
  });

  it('leaves it to that rule where nobody answers for the address, but both ask from it', async () => {
    const capture = nodes([N1, N2]);
    for (const [i, mac] of [N1, N2, N1, N2].entries()) capture.at(1 + i).ask(mac, VIP, '10.0.0.9');
    expect(await told(capture)).toEqual(['arp/duplicate-address likely']);
  });

  it('finds it likely that an address goes from node to node and back without announcements', async () => {
    expect(await told(turns([N1, N2, N1], 20, never))).toEqual([`${RULE} likely`]);
  });

  it('keeps still about one change, and about changes more than a minute apart', async () => {
    expect(await told(turns([N1, N2], 20, never))).toEqual([]);
    expect(await told(turns([N1, N2, N1], 61, never))).toEqual([]);
    expect(await told(turns([N1, N2, N1], 29.9, never))).toEqual([`${RULE} likely`]);
  });

  it('keeps still about an announced failover and the way back, but not about nodes that fight', async () => {
    expect(await told(turns([N1, N2, N1], 10, always))).toEqual([]);
    expect(await told(turns([N1, N2, N1, N2], 10, always))).toEqual([]);
    expect(await told(turns([N1, N2, N1, N2, N1], 10, always))).toEqual([`${RULE} likely`]);
  });

  it('forgives one late word of the node before', async () => {
    const late = (times: number) => {
      const capture = turns([N1, N2], 10, always);
      for (let i = 0; i < times; i++)
        capture
          .at(11.2 + i)
          .ask(N1, VIP, '10.0.0.9')
          .at(11.3 + i)
          .ask(N2, VIP, VIP);
      return capture;
    };
    expect(await told(late(1))).toEqual([]);
    expect(await told(late(2))).toEqual([`${RULE} likely`]);
  });

  it('counts changes anew after a quiet minute', async () => {
    const capture = turns([N1, N2, N1], 10, always);
    for (const [i, mac] of [N2, N1].entries()) capture.at(100 + 10 * i).ask(mac, VIP, VIP);
    expect(await told(capture)).toEqual([]);
  });

  it('keeps still about virtual routers, proxies, and two devices of one host', async () => {
    const vmac = '00:00:5e:00:01:33';
    expect(await told(answered(nodes([N1, vmac]), [N1, vmac]))).toEqual([]);
    const asked = nodes([N1, N2]).at(0.5).ask(N2, '10.0.0.12', VIP);
    expect(await told(answered(asked, [N1, N2]))).toEqual([]);
    const device = (ifname: string, ifindex: number, address: string) => ({ ifindex, ifname, address, flags: ['UP'] });
    const context = parseContext({
      namespaces: { h: { 'ip -d -j link': [device('eth0', 2, N1), device('eth1', 3, N2)] } },
    });
    expect(await told(answered(nodes([N1, N2]), [N1, N2]), context)).toEqual(['arp/flux certain']);
  });

  it('keeps VLANs apart, and sees it inside VXLAN', async () => {
    const apart = answered(nodes([N1, N2], { vlan: 1 }), [N1], { vlan: 1 });
    expect(await told(answered(apart, [N2], { vlan: 2 }))).toEqual([]);
    expect(await told(answered(nodes([N1, N2], { vlan: 2 }), [N1, N2], { vlan: 1 }))).toEqual([
      'arp/duplicate-address likely',
    ]);
    expect(await told(answered(nodes([N1, N2], { vni: 7 }), [N1, N2], { vni: 7 }))).toEqual([`${RULE} likely`]);
  });

  it('takes an unasked answer again and again for spoofing', async () => {
    const capture = answered(nodes([N1, N2]), [N1]);
    for (const time of [3.5, 4.5, 5.5]) capture.at(time).answer(N2, VIP, A, '10.0.0.1');
    const rules = (await capture.findings()).map(({ rule }) => rule);
    expect(rules).toContain('arp/spoof');
    expect(rules).not.toContain(RULE);
  });
});
