import { describe, expect, it } from 'vitest';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

/** A TCP segment, or a packet of another protocol, in a frame of `length` bytes. */
function sized(length: number, protocol = 6, way: Way = {}) {
  const header = [...u16(40000), ...u16(80), 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0];
  const payload = [...header, ...new Array(length - 14 - 20 - header.length).fill(7)];
  return new Capture().ipv4(
    {
      from: '02:00:00:00:00:01',
      to: '02:00:00:00:00:02',
      source: '10.0.0.1',
      destination: '10.0.0.2',
      protocol,
      payload,
    },
    way,
  );
}

describe('capture/offload-superframes', () => {
  it.each([
    [1514, []],
    [1522, []],
    [1523, ['likely']],
    [9234, ['likely']],
    [9235, ['certain']],
  ])('judges TCP in a frame of %i bytes as %j', async (length, confidence) => {
    expect(inShort(await sized(length).findings()).map(([, each]) => each)).toEqual(confidence);
  });

  it('tells one size of one frame', async () => {
    const [{ title }] = await sized(2066).findings();
    expect(title).toBe('1 frame is larger than a wire carries: 2066 bytes');
  });

  it('takes the headers of a tunnel for what they are', async () => {
    const told = async (inner: number) =>
      (await sized(inner, 6, { vni: 5 }).findings({ select: ['capture/offload-superframes'] })).length;
    expect(await told(1514)).toBe(0);
    expect(await told(1523)).toBe(1);
  });

  it('knows large pieces of UDP by a size that no wire has', async () => {
    const told = async (length: number, more: Partial<{ from: string; way: Way }> = {}) => {
      const payload = [...u16(40000), ...u16(443), ...u16(length - 34), 0, 0, ...new Array(length - 42).fill(7)];
      const capture = new Capture().ipv4(
        {
          from: more.from ?? '02:00:00:00:00:01',
          to: '02:00:00:00:00:02',
          source: '10.0.0.1',
          destination: '10.0.0.2',
          protocol: 17,
          payload,
        },
        more.way ?? {},
      );
      const findings = await capture.findings({ select: ['capture/offload-superframes'] });
      return findings.map(({ confidence, evidence }) => [confidence, evidence.length]);
    };
    expect(await told(9234)).toEqual([]);
    expect(await told(9235)).toEqual([['certain', 1]]);
    expect(await told(9235, { way: { vni: 5 } })).toEqual([['certain', 1]]);
    expect(await told(9234, { way: { vni: 5 } })).toEqual([]);
    expect(await told(60_000, { from: '00:00:00:00:00:00' })).toEqual([]);
  });

  it('keeps still about large frames without TCP', async () => {
    expect(await sized(3000, 253).findings()).toEqual([]);
  });
});
