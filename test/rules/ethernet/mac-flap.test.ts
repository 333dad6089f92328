import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/fixtures.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, findingsOf, mac } from '../../support/wire.js';

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

const HERE = 0;
const OUTGOING = 4;
/** pcap file header for LINUX_SLL2. */
const SLL2_HEADER = Buffer.from([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 20, 1, 0, 0]);

/** A record of the packet `id`, sent at second `id`, as it is seen `micros` later at a device. */
function sighting(id: number, micros: number, index: number, packetType: number): Buffer {
  const packet = ipv4('10.0.0.1', '10.0.0.2', 17, [0, 1, 0, 2, 0, 8, 0, 0], { id });
  const cooked = [8, 0, 0, 0, 0, 0, 0, index, 0, 1, packetType, 6, ...mac('02:00:00:00:00:01'), 0, 0, ...packet];
  return Buffer.concat([Uint32Array.of(id, micros, cooked.length, cooked.length), Buffer.from(cooked)].map(bytesOf));
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

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

  it('takes a bridge and the port that it shows again at the same moment for one place', async () => {
    // 2 is the bridge, 3 and 4 ports that frames enter by, 5 the port that they leave by. Each second frame is seen at the bridge too.
    const flaps = async (portOf: (id: number) => number) => {
      const sightings = [];
      for (let id = 1; id <= 5; id++) {
        if (id % 2 === 1) sightings.push(sighting(id, 0, 2, HERE));
        sightings.push(sighting(id, 0, portOf(id), HERE), sighting(id, 9, 5, OUTGOING));
      }
      return (await findingsOf(Buffer.concat([SLL2_HEADER, ...sightings]))).map(({ rule }) => rule);
    };
    expect(await flaps(() => 3)).not.toContain(RULE);
    expect(await flaps((id) => (id % 2 === 1 ? 3 : 4))).toContain(RULE);
  });

  it('only hints where it stays at each port for seconds, as a guest that is migrated there and back', async () => {
    // By port 3 until 7 s, by 4 until 14 s, by 3 again: 6.5 s at each. In turns at each second: 1 s.
    const told = async (portOf: (id: number) => number) => {
      const sightings = [];
      for (let id = 1; id <= 20; id++) sightings.push(sighting(id, 0, portOf(id), HERE), sighting(id, 9, 5, OUTGOING));
      const findings = await findingsOf(Buffer.concat([SLL2_HEADER, ...sightings]), { select: [RULE] });
      return findings.map(({ confidence, count }) => `${confidence} ${count}`);
    };
    expect(await told((id) => (id > 7 && id <= 14 ? 4 : 3))).toEqual(['hint 2']);
    expect(await told((id) => 3 + (id % 2))).toEqual(['likely 19']);
  });

  it('has nothing to say of a capture of one port', async () => {
    const one = new Capture();
    for (let i = 0; i < 6; i++) one.at(i).ask('02:00:00:00:00:01', `10.0.0.${i % 2}`, '10.0.0.9');
    expect((await one.findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
