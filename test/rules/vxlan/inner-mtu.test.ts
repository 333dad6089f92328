import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, SYN, synAck, tcp, tcp6 } from '../../support/tcp.js';
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

  it('keeps silent about copies for a collector', async () => {
    const capture = open(1460, null);
    const answer = ipv4(SERVER, CLIENT, 6, tcpSegment(SERVER, CLIENT, { mss: 1460, flags: 18 }));
    tunnelled(capture, [...mac(A), ...mac(B), 8, 0, ...answer]);
    expect(await confidences(capture)).toEqual(['hint']);
    tunnelled(capture, [...mac(B), ...mac(A), 8, 0, ...ipv4(CLIENT, SERVER, 6, tcpSegment(CLIENT, SERVER, {}))]);
    expect(await confidences(capture)).toEqual([]);
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

const MSS_1460 = [2, 4, 1460 >> 8, 1460 & 255];
const way = { vni: 5 };
const back = { vni: 5, back: true };

/** Data of PEER inside: what was small is acknowledged, then one segment of `length` bytes comes `times` times. */
function hang(times: number, length = 1460, small = 400): Capture {
  const capture = tcp(new Capture(), HOST, PEER, SYN, { options: MSS_1460, way });
  synAck(capture.at(0.001), { options: MSS_1460, way: back });
  tcp(capture.at(0.002), HOST, PEER, ACK, { seq: 1001, ack: 5001, way });
  data(capture.at(0.1), 0, small, { id: 2, way: back });
  acknowledge(capture.at(0.11), small, { way });
  for (let i = 0; i < times; i++) data(capture.at(1 + i), small, length, { id: 3 + i, way: back });
  // The receiver lives: what is behind arrived.
  for (let i = 0; i < 3; i++)
    acknowledge(capture.at(1.1 + i), small, { way, blocks: [[small + length, small + length + 10]] });
  return capture;
}

describe('vxlan/inner-mtu and connections that hang', () => {
  const select = ['vxlan/inner-mtu', 'tcp/big-segments-stall', 'tcp/retransmissions'];
  const told = async (capture: Capture) =>
    (await capture.findings({ select })).map(({ rule, severity, confidence }) => `${rule} ${severity} ${confidence}`);

  it('is likely, and an error, where a segment that does not fit never arrives', async () => {
    const [finding, ...more] = await hang(5).findings({ select });
    expect(finding).toMatchObject({ rule: 'vxlan/inner-mtu', severity: 'error', confidence: 'likely' });
    expect(finding.explains.map(({ rule }) => rule)).toContain('tcp/big-segments-stall');
    expect(finding.summary).toContain('again and again');
    expect(more).toEqual([]);
  });

  it('only hints where the segment in the way would fit, or larger ones arrived', async () => {
    expect(await told(hang(5, 1400))).toContain('vxlan/inner-mtu warning hint');
    expect((await told(hang(5, 1460, 1460))).join()).not.toContain('vxlan/inner-mtu error');
  });

  it('only hints at fewer repetitions', async () => {
    expect((await told(hang(3))).join()).not.toContain('vxlan/inner-mtu error');
  });
});

describe('vxlan/inner-mtu and IPv6', () => {
  it('counts headers of 60 bytes inside', async () => {
    const capture = (mss: number) => {
      const options = [2, 4, mss >> 8, mss & 255];
      const made = tcp6(new Capture(), HOST, PEER, SYN, { options, way });
      return tcp6(made, PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, options, way });
    };
    expect(await capture(1390).findings(only)).toEqual([]);
    const [finding] = await capture(1440).findings(only);
    expect([finding.confidence, finding.subject]).toEqual(['hint', { vni: 5, mss: 1440, needs: 1550 }]);
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).toContain('ip6tables');
  });

  it('counts 70 bytes around it where the network below has IPv6', async () => {
    const outer = (last: number) => [0xfd, 0x10, ...new Array(13).fill(0), last];
    const below = (from: number, to: number, inner: readonly number[]) => {
      const payload = [...[0x9c, 0x40, 0x12, 0xb5, (inner.length + 16) >> 8, (inner.length + 16) & 255, 0, 0]];
      payload.push(8, 0, 0, 0, 0, 0, 5, 0, ...inner);
      const head = [0x60, 0, 0, 0, payload.length >> 8, payload.length & 255, 17, 64, ...outer(from), ...outer(to)];
      return [...mac(B), ...mac(A), 0x86, 0xdd, ...head, ...payload];
    };
    const capture = (mss: number) => {
      const inner = (from: string, to: string, flags: number) => [
        ...[...mac(B), ...mac(A), 8, 0],
        ...ipv4(from, to, 6, tcpSegment(from, to, { mss, flags })),
      ];
      const made = new Capture().raw(below(1, 2, inner(CLIENT, SERVER, 2)));
      return made.raw(below(2, 1, inner(SERVER, CLIENT, 18)));
    };
    expect(await capture(1390).findings(only)).toEqual([]);
    const [finding] = await capture(1391).findings(only);
    expect(finding.subject).toEqual({ vni: 5, mss: 1391, needs: 1501 });
  });
});
