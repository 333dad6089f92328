import { describe, expect, it } from 'vitest';
import { A, B, endpoints, ipv4, ONE, TWO, tcpSegment, tunnelled } from '../../support/tunnel.js';
import { Capture, mac } from '../../support/wire.js';

const only = { select: ['vxlan/inner-mtu'] };
const CLIENT = '192.168.5.1';
const SERVER = '192.168.5.2';

/** SYN and SYN-ACK with these sizes; 0 is without the option, null leaves the packet out. */
function open(client: number | null, server: number | null): Capture {
  const capture = new Capture();
  const segment = (from: string, to: string, mss: number, flags: number) =>
    ipv4(from, to, 6, tcpSegment(from, to, { mss, flags }));
  if (client !== null) tunnelled(capture, [...mac(B), ...mac(A), 8, 0, ...segment(CLIENT, SERVER, client, 2)]);
  if (server !== null)
    tunnelled(capture, [...mac(A), ...mac(B), 8, 0, ...segment(SERVER, CLIENT, server, 18)], { from: TWO, to: ONE });
  return capture;
}

async function confidences(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ confidence }) => confidence);
}

describe('vxlan/inner-mtu', () => {
  it('only hints while the MTU below is a guess', async () => {
    const [finding] = await open(1460, 1460).findings(only);
    expect([finding.confidence, finding.subject]).toEqual(['hint', { vni: 5, mss: 1460, needs: 1550 }]);
  });

  it('is likely where the context shows the MTU below', async () => {
    expect(await confidences(open(1460, 1460), { context: endpoints([{ name: 'one', address: ONE }]) })).toEqual([
      'likely',
    ]);
  });

  it('keeps silent where the context shows a larger one', async () => {
    const context = endpoints([{ name: 'one', address: ONE, mtu: 1550 }]);
    expect(await confidences(open(1460, 1460), { context })).toEqual([]);
  });

  it('keeps silent at 1410 bytes, and speaks at 1411', async () => {
    expect(await confidences(open(1410, 1410))).toEqual([]);
    expect(await confidences(open(1411, 1411))).toEqual(['hint']);
  });

  it('keeps silent where one side is small enough, tells no size, or only answers are seen', async () => {
    expect(await confidences(open(1460, 1400))).toEqual([]);
    expect(await confidences(open(0, 0))).toEqual([]);
    expect(await confidences(open(null, 1460))).toEqual([]);
  });

  it('keeps silent where longer frames pass below', async () => {
    const long = [...mac(B), ...mac(A), 8, 0, ...ipv4(CLIENT, SERVER, 253, new Array(1480).fill(0))];
    expect(await confidences(tunnelled(open(1460, 1460), long))).toEqual([]);
  });

  it('keeps silent about TCP outside tunnels', async () => {
    const segment = ipv4(CLIENT, SERVER, 6, tcpSegment(CLIENT, SERVER, { mss: 1460 }));
    expect(await confidences(new Capture().raw([...mac(B), ...mac(A), 8, 0, ...segment]))).toEqual([]);
  });
});
