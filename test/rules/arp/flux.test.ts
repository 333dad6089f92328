import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { echo } from '../../support/ping.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:22';
const IP = '10.0.0.2';
const only = { select: ['arp/flux'] };

const twoAnswers = (apart = 0.0003, way?: Way) =>
  new Capture()
    .ask(A, '10.0.0.1', IP, way)
    .at(0.0001)
    .answer(C, IP, A, '10.0.0.1', way)
    .at(0.0001 + apart)
    .answer(B, IP, A, '10.0.0.1', way);

/** What is sent to the MAC `to` is answered from the MAC `from`, `times` times. */
function traffic(capture: Capture, to: string, from: string | null, times = 2, way?: Way): Capture {
  for (let i = 1; i <= times; i++) {
    capture.at(i).ipv4({ from: A, to, source: '10.0.0.1', destination: IP, id: i }, way);
    if (from) capture.ipv4({ from, to: A, source: IP, destination: '10.0.0.1', id: i }, way);
  }
  return capture;
}

const device = (ifname: string, ifindex: number, address: string) => ({
  ifindex,
  ifname,
  link_type: 'ether',
  address,
  flags: ['UP'],
});
const oneHost = parseContext({
  kernel: '6.1',
  namespaces: { h2: { 'ip -d -j link': [device('eth0', 2, B), device('eth1', 3, C)] } },
});

describe('arp/flux', () => {
  it('finds it likely when what goes to one MAC is answered from the other, as information', async () => {
    const found = await traffic(twoAnswers(), C, B).findings(only);
    expect(inShort(found)).toEqual([['arp/flux', 'likely', [2, 3]]]);
    expect(found[0].severity).toBe('info');
  });

  it('needs one ping, answered around', async () => {
    const pinged = (replier: string) => {
      const capture = new Capture().ask(A, '10.0.0.1', IP).at(0.0001).answer(C, IP, A, '10.0.0.1');
      const me = { mac: A, ip: '10.0.0.1' };
      echo(capture.at(0.0002), me, { mac: C, ip: IP });
      capture.at(0.0003).answer(B, IP, A, '10.0.0.1');
      return echo(capture.at(0.0004), { mac: replier, ip: IP }, me, { reply: true });
    };
    expect((await pinged(B).findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    expect(await pinged(C).findings(only)).toEqual([]);
  });

  it('finds it likely where two devices answer for the addresses of both, with traffic or without', async () => {
    const OTHER = '10.0.0.3';
    const both = () => {
      const capture = twoAnswers();
      return capture.at(1).ask(A, '10.0.0.1', OTHER).answer(B, OTHER, A, '10.0.0.1').answer(C, OTHER, A, '10.0.0.1');
    };
    const said = async (capture: Capture) =>
      (await capture.findings({ select: ['arp/flux', 'arp/duplicate-address', 'arp/vip-flip'] }))
        .map(({ rule, confidence, subject }) => `${subject.ip} ${rule} ${confidence}`)
        .sort();
    const flux = [`${IP} arp/flux likely`, `${OTHER} arp/flux likely`];
    expect(await said(both())).toEqual(flux);
    const sends = (capture: Capture, from: string, source: string) =>
      capture
        .at(2)
        .ipv4({ from, to: A, source, destination: '10.0.0.1' })
        .ipv4({ from, to: A, source, destination: '10.0.0.1' });
    expect(await said(sends(sends(both(), B, IP), B, OTHER))).toEqual(flux);
    // Bound to a device, a program sends by it, from its address.
    expect(await said(sends(sends(sends(both(), B, IP), C, IP), B, OTHER))).toEqual(flux);
    // A proxy waits.
    expect(
      (
        await said(
          twoAnswers(0.006)
            .at(1)
            .ask(A, '10.0.0.1', OTHER)
            .answer(B, OTHER, A, '10.0.0.1')
            .at(1.006)
            .answer(C, OTHER, A, '10.0.0.1'),
        )
      ).join(),
    ).not.toContain('flux');
    // Two copies of one machine.
    const copies = sends(sends(sends(sends(both(), B, IP), C, IP), B, OTHER), C, OTHER);
    expect(await said(copies)).toEqual([
      `${IP} arp/duplicate-address certain`,
      `${OTHER} arp/duplicate-address certain`,
    ]);
    // Each has an address of its own as well.
    const owners = both().at(2).ask(B, '10.0.0.4', '10.0.0.1').ask(C, '10.0.0.5', '10.0.0.1');
    expect((await said(owners)).filter((each) => each.includes('flux'))).toEqual([]);
    // In another VLAN the other address says nothing.
    const apart = twoAnswers().at(1).ask(A, '10.0.0.1', OTHER, { vlan: 5 });
    apart.answer(B, OTHER, A, '10.0.0.1', { vlan: 5 }).answer(C, OTHER, A, '10.0.0.1', { vlan: 5 });
    expect((await said(apart)).filter((each) => each.includes('flux'))).toEqual([]);
  });

  it('knows one host again at another port, by its MACs', async () => {
    const OTHER = '10.0.0.3';
    const both = (capture: Capture, ip: string, way: Way) =>
      capture.ask(A, '10.0.0.1', ip, way).answer(B, ip, A, '10.0.0.1', way).answer(C, ip, A, '10.0.0.1', way);
    const said = async (capture: Capture) =>
      (await capture.findings({ select: ['arp/flux', 'arp/duplicate-address'] })).map(
        ({ rule, segment: { vlans }, subject }) => `${vlans} ${subject.ip} ${rule}`,
      );
    const here = { vlan: 1 };
    const there = { vlan: 2 };
    expect(await said(both(both(new Capture(), IP, there), OTHER, here))).not.toContain(`2 ${IP} arp/flux`);
    const capture = both(both(both(new Capture(), IP, there).at(1), IP, here).at(2), OTHER, here);
    expect((await said(capture)).sort()).toEqual([`1 ${IP} arp/flux`, `1 ${OTHER} arp/flux`, `2 ${IP} arp/flux`]);
  });

  it('is certain when the context shows both on one host', async () => {
    const found = await twoAnswers().findings({ ...only, context: oneHost });
    expect(inShort(found).map(([, confidence]) => confidence)).toEqual(['certain']);
    expect(found[0].remedy[0].commands[0]).toBe('ip netns exec h2 sysctl -w net.ipv4.conf.all.arp_ignore=1');
  });

  it('warns when nothing comes back', async () => {
    const found = await traffic(twoAnswers(), C, null).findings({ ...only, context: oneHost });
    expect(found.map(({ severity }) => severity)).toEqual(['warning']);
  });

  it('leaves two hosts to the rule about conflicts', async () => {
    expect(await twoAnswers().findings(only)).toEqual([]);
    const found = await traffic(twoAnswers(), C, C).findings();
    expect(found.map(({ rule }) => rule)).toEqual(['arp/duplicate-address']);
  });

  it('keeps still about an answer after more than two seconds', async () => {
    expect(await twoAnswers(2.5).findings({ ...only, context: oneHost })).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = twoAnswers(0.0003, { vlan: 1 });
    expect(await traffic(capture, C, B, 2, { vlan: 2 }).findings(only)).toEqual([]);
    expect(await traffic(twoAnswers(0.0003, { vlan: 1 }), C, B, 2, { vlan: 1 }).findings(only)).toHaveLength(1);
  });
});
