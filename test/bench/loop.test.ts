import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../../bench/measure.js';
import { CORPORA, type CorpusName, generate } from '../../bench/traffic/generate.js';
import { openCapture } from '../../src/capture/open.js';
import { EVENT_NAMES, type NetworkEvents } from '../../src/network/events.js';
import { Network } from '../../src/network/network.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { Protocol } from '../../src/wire/protocol.js';

const canCompile = isInstalled('cc') && existsSync('/usr/include/pcap/pcap.h');

/** The C loop is a fair measure only while it does what the pipeline does. */
describe.runIf(canCompile).each(Object.keys(CORPORA) as CorpusName[])('the C loop on %s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'netdiag-loop-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('meets the same layers and keeps as many rows as the pipeline', async () => {
    const capture = join(folder, 'corpus.pcap');
    const program = join(folder, 'loop');
    generate(name, capture, { packets: 30_000 });
    execFileSync('cc', ['-O1', '-o', program, 'bench/reference/loop.c', '-lpcap']);
    const told = execFileSync(program, [capture], { encoding: 'utf8' }).trim().split('\n').slice(1);
    const theirs = new Map(told.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));

    const listener = Object.fromEntries(EVENT_NAMES.map((event) => [event, () => {}])) as unknown as NetworkEvents;
    const network = new Network({ context: null, vantage: null, listener });
    const layers = new Map<string, number>();
    const frame = new Frame();
    frame.udpPorts = udpPortTable();
    const names = new Map(Object.entries(Protocol).map(([protocol, kind]) => [kind as number, protocol.toLowerCase()]));
    const source = await openCapture(capture);
    await source.run(frame, () => {
      decode(frame);
      network.observe(frame);
      for (const kind of frame.kinds.subarray(0, frame.layerCount)) {
        const layer = names.get(kind) as string;
        layers.set(layer, (layers.get(layer) ?? 0) + 1);
      }
    });

    for (const [layer, count] of layers) expect([layer, theirs.get(layer)]).toEqual([layer, count]);
    const { segments, stations, bindings, resolutions, copies } = network;
    expect(theirs.get('segments')).toBe(segments.count);
    expect(theirs.get('stations')).toBe(stations.count);
    expect(theirs.get('bindings')).toBe(bindings.count);
    expect(theirs.get('resolutions')).toBe(resolutions.count);
    expect(theirs.get('copies')).toBe(copies.reflected + copies.others);
  });
});
