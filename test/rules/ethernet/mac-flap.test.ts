import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/fixtures.js';
import { Capture, findingsOf } from '../../support/wire.js';

const RULE = 'ethernet/mac-flap';
const file = () => readFileSync(join(root, 'fixtures/rules/ethernet/mac-flap/clone/capture.pcap'));
const HEADER = 24;

/** Records of a pcap file as [header and packet], so that some can be left out or changed. */
function records(bytes: Buffer): Buffer[] {
  const found = [];
  for (let at = HEADER; at < bytes.length; ) {
    const end = at + 16 + bytes.readUInt32LE(at + 8);
    found.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return found;
}
const rules = async (keep: (index: number) => boolean) => {
  const bytes = file();
  const kept = records(bytes).filter((_, i) => keep(i + 1));
  return (await findingsOf(Buffer.concat([bytes.subarray(0, HEADER), ...kept]))).map(({ rule }) => rule);
};

describe('ethernet/mac-flap', () => {
  it('speaks of a MAC that goes and comes back', async () => {
    expect(await rules(() => true)).toContain(RULE);
  });

  it('keeps still about a single move, and before any', async () => {
    expect(await rules((number) => number < 20)).not.toContain(RULE);
    expect(await rules((number) => number < 14)).not.toContain(RULE);
  });

  it('keeps still where no other port passes the frames on', async () => {
    const outgoing = 4;
    const all = records(file());
    expect(await rules((number) => all[number - 1].readUInt8(16 + 10) !== outgoing)).not.toContain(RULE);
  });

  it('has nothing to say of a capture of one port', async () => {
    const one = new Capture();
    for (let i = 0; i < 6; i++) one.at(i).ask('02:00:00:00:00:01', `10.0.0.${i % 2}`, '10.0.0.9');
    expect((await one.findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
