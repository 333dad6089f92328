import { describe, expect, it } from 'vitest';
import {
  A,
  arpReply,
  arpRequest,
  askInside,
  B,
  endpoints,
  ONE,
  refuse,
  THREE,
  TWO,
  tunnelled,
  unicast,
} from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/one-way', 'arp/unanswered'] };
const back = { from: TWO, to: ONE };
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/one-way', () => {
  it('is likely where questions stay unanswered and nothing comes back', async () => {
    const [finding, ...more] = await askInside(new Capture()).findings(only);
    expect(inShort([finding])).toEqual([['vxlan/one-way', 'likely', [1, 2, 3]]]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(more).toEqual([]);
  });

  it('says whether anything shows that somebody has the address', async () => {
    const select = ['vxlan/one-way'];
    const [blind] = await askInside(new Capture()).findings({ select });
    expect(blind.caveats.join()).toContain('nothing here shows that somebody has 192.168.5.2');
    const [seen] = await askInside(tunnelled(new Capture(), own, back)).findings({ select });
    expect(seen.caveats).toEqual([]);
  });

  it('only hints where all questions are in VLANs inside: that VLAN may be what is missing there', async () => {
    expect(await rules(askInside(new Capture(), {}, { vlan: 7 }))).toContain('vxlan/one-way hint');
  });

  it('only hints where the endpoint sends broadcasts of its own', async () => {
    expect(await rules(askInside(tunnelled(new Capture(), own, back)))).toContain('vxlan/one-way hint');
  });

  it('only hints where the capture shows no frame that comes in at all', async () => {
    const out = { way: { direction: 'out' } } as const;
    expect(await rules(askInside(new Capture(), out))).toContain('vxlan/one-way hint');
    const heard = new Capture().ask('02:00:00:00:00:77', '10.1.1.7', '10.1.1.1', { direction: 'in' });
    expect(await rules(askInside(heard, out))).toContain('vxlan/one-way likely');
  });

  it('is likely where the endpoint asks, is answered through the tunnel, and asks again and again', async () => {
    const capture = askInside(new Capture());
    for (const second of [0, 1.02, 2.04]) {
      tunnelled(capture.at(10 + second), arpRequest(B, '192.168.5.2', '192.168.5.1'), back);
      tunnelled(capture.at(10.0002 + second), arpReply(A, '192.168.5.1', B, '192.168.5.2'));
    }
    const select = [...only.select, 'arp/reply-not-accepted', 'macvlan/egress-filtered'];
    const findings = await tunnelled(capture.at(20), own, back).findings({ select });
    expect(findings.map(({ rule, confidence }) => `${rule} ${confidence}`)).toEqual(['vxlan/one-way likely']);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
  });

  it('is certain at the endpoint whose device received nothing', async () => {
    const context = endpoints([{ name: 'two', address: TWO, received: 0 }]);
    const options = { context, vantage: { namespace: 'two', interface: 'eth0' } };
    expect(await rules(askInside(tunnelled(new Capture(), own, back)), options)).toEqual(['vxlan/one-way certain']);
  });

  it('is not certain where packets were received', async () => {
    const context = endpoints([{ name: 'two', address: TWO, received: 9 }]);
    const options = { context, vantage: { namespace: 'two', interface: 'eth0' } };
    expect(await rules(askInside(tunnelled(new Capture(), own, back)), options)).toContain('vxlan/one-way hint');
  });

  it.each([
    ['right after the questions', 4.2, []],
    ['two seconds later', 6, ['vxlan/one-way likely']],
  ])('waits for answers: three questions within half a second, and the capture ends %s', async (_, end, expected) => {
    const capture = new Capture();
    tunnelled(capture.at(1), arpRequest(A, '192.168.5.1', '192.168.5.77'));
    for (const at of [3.6, 3.8, 4]) askInside(capture, {}, { at, times: 1 });
    tunnelled(capture.at(end), unicast(A, B));
    expect(await rules(capture)).toEqual(expected);
  });

  it('keeps silent after two questions', async () => {
    expect(await rules(askInside(new Capture(), {}, { times: 2 }))).toEqual(['arp/unanswered hint']);
  });

  it('keeps silent where the endpoint ever answered a station', async () => {
    const capture = askInside(new Capture());
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), back);
    expect(await rules(capture)).toEqual(['arp/unanswered certain']);
  });

  it('keeps silent where another endpoint answers', async () => {
    const capture = askInside(new Capture());
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), { from: THREE, to: ONE });
    expect(await rules(capture)).toEqual(['arp/unanswered certain']);
  });

  it.each([
    [2, ['hint', 'hint']],
    [9, []],
  ])('does not blame each of %i endpoints that are all silent', async (count, expected) => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      for (let peer = 0; peer < count; peer++)
        askInside(capture, { to: `10.1.1.${10 + peer}` }, { at: 1 + i * 1.02, times: 1 });
    const findings = (await capture.findings(only)).filter(({ rule }) => rule === 'vxlan/one-way');
    expect(findings.map(({ confidence }) => confidence)).toEqual(expected);
  });

  it('keeps silent where an error tells why', async () => {
    const capture = refuse(askInside(new Capture()).at(3.2), {});
    expect((await rules(capture)).join()).not.toContain('one-way');
  });

  it('keeps silent about a multicast group', async () => {
    expect((await rules(askInside(new Capture(), { to: '239.1.1.1' }))).join()).not.toContain('one-way');
  });

  it('keeps VNIs and VLANs apart', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      for (const outer of [{ vni: 5 }, { vni: 6 }, { vni: 5, way: { vlan: 9 } }])
        askInside(capture, outer, { at: 1 + i * 1.02, times: 1 });
    const findings = (await capture.findings(only)).filter(({ rule }) => rule === 'vxlan/one-way');
    expect(findings.map(({ subject, segment }) => [subject.vni, segment.vlans])).toEqual([
      [5, []],
      [6, []],
      [5, [9]],
    ]);
  });
});
