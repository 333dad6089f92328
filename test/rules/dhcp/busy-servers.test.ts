import { describe, expect, it } from 'vitest';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { Capture } from '../../support/wire.js';

const OTHER = '02:00:00:00:00:0b';

/**
 * dnsmasq as it serves `OTHER`, and others after it: it pings an address for 3 s before each offer, and the kernel asks for it three times. The client
 * of interest begins to wait at 0.1 s.
 */
function busy({ trials = 3, from = 0, discover = true, requests = 3, pause = 3, asker = SERVER } = {}): Capture {
  const capture = new Capture();
  if (discover) dhcp(capture.at(from), 'discover', { client: OTHER, xid: 99 });
  const events: [number, () => void][] = [];
  for (let i = 0; i < trials; i++)
    for (let again = 0; again < requests; again++) {
      const at = from + 0.01 + pause * i + 1.02 * again;
      events.push([at, () => capture.at(at).ask(asker.mac, asker.ip, `10.0.0.${50 + i}`)]);
    }
  for (const at of [0.1, 3.1, 6.1]) events.push([at, () => dhcp(capture.at(at), 'discover')]);
  for (const [, happen] of events.sort(([a], [b]) => a - b)) happen();
  return capture;
}

async function confidences(capture: Capture, end = 9): Promise<string[]> {
  const findings = await capture
    .at(end)
    .answer('02:00:00:00:00:77', '10.0.0.7', '02:00:00:00:00:78', '10.0.0.8')
    .findings({ select: ['dhcp/no-offer'] });
  return findings.map(({ confidence }) => confidence);
}

describe('a server that tries addresses out one after the other', () => {
  it('leaves other clients waiting: dhcp/no-offer only hints', async () => {
    expect(await confidences(busy())).toEqual(['hint']);
    expect(await confidences(busy({ trials: 0 }))).toEqual(['likely']);
  });

  it('excuses no client that waits on when it is done', async () => {
    expect(await confidences(busy(), 12)).toEqual(['hint']);
    expect(await confidences(busy(), 13)).toEqual(['likely']);
  });

  it('excuses none that waited before', async () => {
    expect(await confidences(busy({ from: 3, trials: 2 }))).toEqual(['hint']);
    expect(await confidences(busy({ from: 3.2, trials: 2 }))).toEqual(['likely']);
  });

  it('excuses none where it pauses meanwhile', async () => {
    expect(await confidences(busy({ pause: 5.9, trials: 2 }), 11.8)).toEqual(['hint']);
    expect(await confidences(busy({ pause: 6.2, trials: 2 }), 12)).toEqual(['likely']);
  });

  it('is no machine that asks in vain by itself', async () => {
    expect(await confidences(busy({ from: 0.3, discover: false }))).toEqual(['likely']);
  });

  it('is known by its offers too', async () => {
    const capture = new Capture();
    for (const type of ['discover', 'offer', 'request', 'ack'] as const)
      dhcp(capture.at(-60), type, { client: OTHER, xid: 9, server: SERVER });
    const later = (asker: typeof SERVER) => {
      for (const at of [0, 3.2, 6.3]) {
        dhcp(capture.at(at), 'discover', { xid: 7 });
        capture.at(at + 0.3);
        for (const again of [0, 1, 2]) capture.at(at + 0.3 + again).ask(asker.mac, asker.ip, `10.0.0.${60 + at}`);
      }
      return confidences(capture, 9.5);
    };
    expect(await later(SERVER)).toEqual(['hint']);
  });

  it('leaves clients that take an offer waiting as well', async () => {
    const wait = async (trials: number) => {
      const capture = dhcp(new Capture(), 'discover');
      dhcp(capture, 'offer', { server: SERVER });
      for (let i = 0; i < 4; i++) {
        dhcp(capture.at(3 * i + 0.1), 'request', { server: SERVER });
        for (const again of [0, 1, 2])
          if (i < trials) capture.at(3 * i + 0.2 + again).ask(SERVER.mac, SERVER.ip, `10.0.0.${60 + i}`);
      }
      return confidences(capture, 13);
    };
    expect(await wait(4)).toEqual(['hint']);
    expect(await wait(0)).toEqual(['certain']);
  });

  it('makes dhcp/pool-exhausted a hint', async () => {
    const serve = (trials: number) => {
      const capture = new Capture();
      for (const type of ['discover', 'offer', 'request', 'ack'] as const)
        dhcp(capture.at(-60), type, { client: OTHER, xid: 9, server: SERVER, address: '10.0.0.8' });
      for (let i = 0; i < 3; i++) {
        dhcp(capture.at(3 * i), 'discover');
        for (const again of [0.1, 1.1, 2.1])
          if (i < trials) capture.at(3 * i + again).ask(SERVER.mac, SERVER.ip, `10.0.0.${60 + i}`);
      }
      return capture.at(9).findings({ select: ['dhcp/pool-exhausted'] });
    };
    expect((await serve(3)).map(({ confidence }) => confidence)).toEqual(['hint']);
    expect((await serve(0)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });
});
