import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['icmp/echo-unanswered'] };
const macOf = (life: number) => `02:00:00:00:01:0${life}`;

/** A container lives `lives` times, ten pings each, of which the last two are lost; it has another MAC each time, and asks for its gateway. */
function lives(times: number, mac: (life: number) => string): Capture {
  const capture = new Capture();
  for (let life = 0; life < times; life++)
    for (let i = 1; i <= 10; i++) {
      const sequence = life * 10 + i;
      const peer = { ...PEER, mac: mac(life) };
      if (i === 1) capture.at(sequence - 0.5).ask(peer.mac, PEER.ip, '10.0.0.254');
      echo(capture.at(sequence), HOST, peer, { sequence });
      if (i < 9 || life === times - 1) echo(capture.at(sequence + 0.01), peer, HOST, { sequence, reply: true });
    }
  return capture;
}

const said = async (capture: Capture) => inShort(await capture.findings(only)).map(([, confidence]) => confidence);

describe('icmp/echo-unanswered of a container that is made anew', () => {
  it('is silent about a gap at each of its starts with another MAC', async () => {
    expect(await said(lives(4, macOf))).toEqual([]);
    expect(await said(lives(4, () => macOf(0)))).toEqual(['likely']);
  });

  it('tells gaps where two have the address by turns', async () => {
    expect(await said(lives(5, (life) => macOf(life % 2)))).toEqual(['likely']);
  });
});
