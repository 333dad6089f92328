import { describe, expect, it } from 'vitest';
import { COOKED_HEADER, cookedRecord, OUTGOING } from '../../support/cooked.js';
import { findingsOf, inShort, ip, mac } from '../../support/wire.js';

const ASKER = '02:00:00:00:00:01';
const TARGET = '02:00:00:00:00:02';

/** A record of an ARP packet at a device. */
function sighting(micros: number, device: number, packetType: number, op: 1 | 2): Buffer {
  const [from, spa, to, tpa] =
    op === 1 ? [ASKER, '10.0.0.1', '00:00:00:00:00:00', '10.0.0.2'] : [TARGET, '10.0.0.2', ASKER, '10.0.0.1'];
  const packet = [0, 1, 8, 0, 6, 4, 0, op, ...mac(from), ...ip(spa), ...mac(to), ...ip(tpa)];
  const cooked = [8, 6, 0, 0, 0, 0, 0, device, 0, 1, packetType, 6, ...mac(from), 0, 0, ...packet];
  return cookedRecord(micros, cooked);
}

/** A bridge with the asker at device 3, the target at 4, and a bystander at 5; three questions, each answered up to `answeredAt`. */
function bridge(answeredAt: readonly number[]): Buffer {
  const records = [0, 1_020_000, 2_040_000].flatMap((at) => [
    sighting(at, 3, 1, 1),
    sighting(at + 20, 5, OUTGOING, 1),
    sighting(at + 30, 4, OUTGOING, 1),
    ...(answeredAt.includes(4) ? [sighting(at + 60, 4, 3, 2)] : []),
    ...(answeredAt.includes(3) ? [sighting(at + 70, 3, OUTGOING, 2)] : []),
  ]);
  return Buffer.concat([COOKED_HEADER, ...records]);
}

describe('a question that a bridge shows at several ports', () => {
  const said = async (answeredAt: readonly number[]) =>
    inShort(await findingsOf(bridge(answeredAt), { select: ['arp/unanswered'] })).map(([, , frames]) => frames);

  it('is not unanswered at a port to which it was only flooded', async () => {
    expect(await said([3, 4])).toEqual([]);
  });

  it('is unanswered, and told once, at the port of the asker, if the bridge does not pass the answer on', async () => {
    // The target's own port, 4, shows the answer; that of the bystander, 5, the same question as the asker's.
    expect(await said([4])).toEqual([[1, 5, 9]]);
  });

  it('is unanswered at all of them without an answer', async () => {
    expect((await said([])).length).toBeGreaterThan(0);
  });
});
