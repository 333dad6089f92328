import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, FIN, handshake, RST, syns, tcp } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const only = { select: ['tcp/syn-unanswered'] };
const OLD = { sport: 39000 };

async function told(capture: Capture) {
  const [{ title, confidence, caveats }] = await capture.at(20).findings(only);
  return [title.replace(/^.* port 80/, ''), confidence, caveats.length];
}
const USUAL = [': its SYNs are lost or ignored', 'likely', 1];
const BUSY = [', while the connections that they have go on', 'likely', 0];
const HUNG = [': the program there does not take its connections', 'likely', 0];

/** A connection comes up, and HOST sends 10 octets, which are acknowledged. */
function asked(capture: Capture, segment = OLD): Capture {
  handshake(capture, segment);
  tcp(capture, HOST, PEER, ACK, { ...segment, seq: 1001, ack: 5001, length: 10 });
  return tcp(capture, PEER, HOST, ACK, { sport: 80, dport: segment.sport, seq: 5001, ack: 1011 });
}

/** It goes on, and PEER answers. */
function talk(capture: Capture, times: readonly number[], segment = OLD): Capture {
  for (const [i, time] of times.entries()) {
    tcp(capture.at(time), HOST, PEER, ACK, { ...segment, seq: 1011 + 10 * i, ack: 5001 + 10 * i, length: 10 });
    data(capture, 10 * i, 10, { ...segment, ack: 1021 + 10 * i });
    acknowledge(capture, 10 * (i + 1), { ...segment, seq: 1021 + 10 * i });
  }
  return capture;
}

describe('SYNs in vain, beside other connections of the same hosts', () => {
  it('are ignored by who goes on with what it has', async () => {
    expect(await told(talk(syns(asked(new Capture()), 3), [5, 6]))).toEqual(BUSY);
    // At another port as well: connection tracking and filters are for all.
    const other = { sport: 39000, dport: 22 };
    const ssh = syns(new Capture(), 3);
    tcp(ssh.at(5), HOST, PEER, ACK, { ...other, seq: 1, ack: 9, length: 10 });
    tcp(ssh.at(5.1), PEER, HOST, ACK, { sport: 22, dport: 39000, seq: 9, ack: 11, length: 10 });
    expect(await told(ssh)).toEqual(BUSY);
  });

  it('are lost as usual where the others ended before, were reset, or say nothing themselves', async () => {
    expect(await told(syns(talk(asked(new Capture()), [1, 2]), 3, {}, 5))).toEqual(USUAL);
    const reset = talk(syns(asked(new Capture()), 3), [5, 6]);
    tcp(reset.at(7), PEER, HOST, RST | ACK, { sport: 80, dport: OLD.sport, seq: 5021, ack: 1031 });
    expect(await told(reset)).toEqual(USUAL);
    // The way was cut: what the client sends on is lost, too.
    const cut = syns(talk(asked(new Capture()), [0.1]), 3);
    tcp(cut.at(5), HOST, PEER, ACK, { ...OLD, seq: 1021, ack: 5011, length: 10 });
    expect(await told(cut)).toEqual(USUAL);
    // Somebody else's.
    const third = { mac: '02:00:00:00:00:33', ip: '10.0.0.33' };
    const others = syns(new Capture(), 3);
    tcp(others.at(5), third, PEER, ACK, { ...OLD, seq: 1, ack: 9, length: 10 });
    tcp(others.at(5.1), PEER, third, ACK, { sport: 80, dport: OLD.sport, seq: 9, ack: 11, length: 10 });
    expect((await told(others))[0]).toBe(USUAL[0]);
  });

  it('meet a full queue where the kernel took connections and data, and the program says nothing', async () => {
    expect(await told(syns(asked(new Capture()), 3, {}, 5))).toEqual(HUNG);
    const [{ summary, remedy }] = await syns(asked(asked(new Capture()), { sport: 39001 }), 3, {}, 5).findings(only);
    expect(summary).toContain('Before, 2 connections');
    expect(remedy[0].commands).toContain("ss -ltn 'sport = :80'");
  });

  it('do not where it answered, the data is not acknowledged, or it went to another port', async () => {
    const answered = asked(new Capture());
    data(answered, 0, 10, { ...OLD, ack: 1011 });
    expect(await told(syns(answered, 3, {}, 5))).toEqual(USUAL);
    const closed = asked(new Capture());
    tcp(closed, PEER, HOST, FIN | ACK, { sport: 80, dport: OLD.sport, seq: 5001, ack: 1011 });
    expect(await told(syns(closed, 3, {}, 5))).toEqual(USUAL);
    const lost = handshake(new Capture(), OLD);
    tcp(lost, HOST, PEER, ACK, { ...OLD, seq: 1001, ack: 5001, length: 10 });
    expect(await told(syns(lost, 3, {}, 5))).toEqual(USUAL);
    expect(await told(syns(asked(new Capture()), 3, { dport: 81 }, 5))).toEqual([
      expect.stringContaining('81: its SYNs are lost or ignored'),
      'likely',
      1,
    ]);
  });
});
