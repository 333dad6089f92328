import { describe, expect, it } from 'vitest';
import { arpRequest, askInside, B, endpoints, ONE, refuse, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/port-mismatch', 'vxlan/port-unreachable', 'arp/unanswered', 'vxlan/one-way'] };
const back = { from: TWO, to: ONE };
const question = arpRequest(B, '192.168.5.2', '192.168.5.9');

describe('vxlan/port-mismatch', () => {
  it('is certain where the refusing endpoint itself sends to another port', async () => {
    const capture = tunnelled(refuse(askInside(new Capture()).at(3.1), {}), question, { ...back, port: 8472 });
    const [finding, ...more] = await capture.findings(only);
    expect([finding.rule, finding.confidence, finding.subject]).toEqual([
      'vxlan/port-mismatch',
      'certain',
      { endpoint: ONE, peer: TWO, port: 4789, peerPort: 8472 },
    ]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable', 'arp/unanswered']);
    expect(more).toEqual([]);
  });

  it('is certain where both refuse, each another port', async () => {
    const capture = refuse(refuse(new Capture(), {}), { ...back, port: 8472 });
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/port-mismatch', 'certain', [1, 2]]]);
  });

  it('is certain where the context shows the other port', async () => {
    const context = endpoints([{ name: 'two', address: TWO, port: 8472 }]);
    const capture = refuse(askInside(new Capture()).at(3.1), {});
    expect((await capture.findings({ ...only, context })).map(({ rule }) => rule)).toEqual(['vxlan/port-mismatch']);
  });

  it('is likely without an error, where ports differ by direction and questions stay unanswered', async () => {
    const capture = tunnelled(new Capture(), question, { ...back, port: 8472 });
    expect(inShort(await askInside(capture).findings(only))).toEqual([['vxlan/port-mismatch', 'likely', [1, 2, 3, 4]]]);
  });

  it('keeps silent where nothing is asked in vain', async () => {
    const capture = tunnelled(new Capture(), question, { ...back, port: 8472 });
    expect(await askInside(capture, {}, { times: 1 }).findings(only)).toEqual([]);
  });

  it('keeps silent about two overlays, one on each port', async () => {
    const capture = new Capture();
    for (const port of [4789, 8472]) tunnelled(tunnelled(capture, question, { port }), question, { ...back, port });
    expect((await askInside(capture).findings(only)).map(({ rule }) => rule)).not.toContain('vxlan/port-mismatch');
  });

  it('leaves the refusal alone where only another overlay has another port, or the device that is meant has this one', async () => {
    const other = tunnelled(refuse(askInside(new Capture()).at(3.1), {}), question, { ...back, port: 8472, vni: 1 });
    const rules = async (capture: Capture, more = {}) =>
      (await capture.findings({ ...only, ...more })).map(({ rule }) => rule);
    expect(await rules(other)).not.toContain('vxlan/port-mismatch');
    const context = endpoints([{ name: 'two', address: TWO, port: 4789 }]);
    const same = tunnelled(refuse(askInside(new Capture()).at(3.1), {}), question, { ...back, port: 8472 });
    expect(await rules(same, { context })).not.toContain('vxlan/port-mismatch');
  });

  it('only reports the refusal where the endpoint uses no other port', async () => {
    expect((await refuse(new Capture(), {}).findings(only)).map(({ rule }) => rule)).toEqual([
      'vxlan/port-unreachable',
    ]);
  });

  it('only hints at a port that nobody called VXLAN, from its shape', async () => {
    const capture = askInside(new Capture());
    for (let i = 0; i < 4; i++) tunnelled(capture.at(4 + i), question, { ...back, port: 14789 });
    const findings = await capture.findings({ select: ['vxlan/port-mismatch'] });
    expect(findings.map(({ confidence }) => confidence)).toEqual(['hint']);
    expect(findings[0].wouldRaise.join()).toContain('--vxlan-port 14789');
  });

  it('keeps silent about three packets of that shape, and about other bytes', async () => {
    const capture = askInside(new Capture());
    for (let i = 0; i < 3; i++) tunnelled(capture.at(4 + i), question, { ...back, port: 14789 });
    for (let i = 0; i < 9; i++) tunnelled(capture.at(4 + i), question, { ...back, port: 14790, flags: [8, 0, 0, 1] });
    expect(await capture.findings({ select: ['vxlan/port-mismatch'] })).toEqual([]);
  });

  it('is certain where that port is refused and the other uses a known one', async () => {
    const capture = refuse(new Capture(), { port: 14789 });
    tunnelled(capture, question, back);
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/port-mismatch', 'certain', [1, 2]]]);
  });

  it('keeps VLANs apart', async () => {
    const capture = refuse(new Capture(), {}, { way: { vlan: 10 } });
    tunnelled(capture, question, { ...back, port: 8472, way: { vlan: 20 } });
    expect((await capture.findings(only)).map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable']);
  });
});
