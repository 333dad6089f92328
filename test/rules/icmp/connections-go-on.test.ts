import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { ACK, RST, tcp, tcp6 } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

/** One segment of each host in a connection that was there before. */
function talk(capture: Capture, at: number, from = HOST): Capture {
  tcp(capture.at(at), from, PEER, ACK, { sport: 39000, dport: 22, seq: 1, ack: 9, length: 10 });
  return tcp(capture.at(at + 0.1), PEER, from, ACK, { sport: 22, dport: 39000, seq: 9, ack: 11, length: 10 });
}

const find = async (capture: Capture) => {
  const [finding] = await capture.at(30).findings({ select: ['icmp/echo-unanswered'] });
  return finding;
};
const GOES_ON = '10.0.0.1 pings 10.0.0.2 and gets no reply, while a connection of the two goes on';
const USUAL = '10.0.0.1 pings 10.0.0.2 and gets no reply';

describe('pings in vain beside TCP of the same hosts', () => {
  it('are filtered, or ignored: the way is there', async () => {
    const finding = await find(talk(ping(new Capture(), 3, { to: PEER }), 20));
    expect(finding.title).toBe(GOES_ON);
    expect(finding.confidence).toBe('likely');
    expect(finding.caveats).toEqual([]);
    expect(finding.remedy[0].commands).toContain('sysctl net.ipv4.icmp_echo_ignore_all');
  });

  it('are lost as usual where it ended before, answers nothing, was reset, or is of others', async () => {
    expect((await find(ping(talk(new Capture(), 0).at(1), 3, { to: PEER }))).title).toBe(USUAL);
    const alone = tcp(ping(new Capture(), 3, { to: PEER }).at(20), HOST, PEER, ACK, { seq: 1, ack: 9, length: 10 });
    expect((await find(alone)).title).toBe(USUAL);
    const reset = talk(ping(new Capture(), 3, { to: PEER }), 20);
    tcp(reset, PEER, HOST, RST | ACK, { sport: 22, dport: 39000, seq: 19, ack: 11 });
    expect((await find(reset)).title).toBe(USUAL);
    const third = { mac: '02:00:00:00:00:33', ip: '10.0.0.33' };
    expect((await find(talk(ping(new Capture(), 3, { to: PEER }), 20, third))).title).toBe(USUAL);
    // The other family may take another way.
    const six = ping(new Capture(), 3, { to: PEER });
    tcp6(six.at(20), HOST, PEER, ACK, { sport: 39000, dport: 22, seq: 1, ack: 9, length: 10 });
    tcp6(six.at(20.1), PEER, HOST, ACK, { sport: 22, dport: 39000, seq: 9, ack: 11, length: 10 });
    expect((await find(six)).title).toBe(USUAL);
  });
});
