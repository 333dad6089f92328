import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['icmp/echo-unanswered'] };

/** Twenty pings, of which those are not in the capture that `requests` and `replies` name. */
function pings(requests: readonly number[], replies: readonly number[], capture = new Capture(), to = FAR): Capture {
  for (let sequence = 1; sequence <= 20; sequence++) {
    if (!requests.includes(sequence)) echo(capture.at(sequence), HOST, to, { sequence });
    if (!replies.includes(sequence)) echo(capture.at(sequence + 0.01), to, HOST, { sequence, reply: true });
  }
  return capture;
}

const said = async (capture: Capture) => inShort(await capture.findings(only)).map(([, confidence]) => confidence);

describe('icmp/echo-unanswered in a capture with holes', () => {
  it('only hints where requests are missing as well as replies', async () => {
    expect(await said(pings([], [4, 9, 15]))).toEqual(['likely']);
    expect(await said(pings([6], [4, 9, 15]))).toEqual(['hint']);
    expect(await said(pings([6], [4, 5, 6, 9, 10, 11, 15]))).toEqual(['likely']);
  });

  it('goes by the other pings of the capture too', async () => {
    const other = pings([2, 5, 8, 11, 17], [], new Capture(), PEER);
    expect(await said(pings([], [4, 9, 15], other))).toEqual(['hint']);
  });
});
