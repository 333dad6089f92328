import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../../bench/measure.js';
import { CORPORA, type CorpusName, generate } from '../../bench/traffic/generate.js';
import { openCapture } from '../../src/capture/open.js';
import { Network } from '../../src/network/network.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { Protocol } from '../../src/wire/protocol.js';
import { countsOf, Pairs, Told } from './counts.js';

const canCompile = isInstalled('cc') && existsSync('/usr/include/pcap/pcap.h');
const folder = mkdtempSync(join(tmpdir(), 'netdiag-loop-'));
const program = join(folder, 'loop');
const NAMES = new Map(Object.entries(Protocol).map(([protocol, kind]) => [kind as number, protocol.toLowerCase()]));
/** To compile it, in milliseconds, on a machine that does much else. */
const TIMEOUT = 60_000;
/** Enough that hosts of the first corpus ask by unicast, and that tables for the second are full and give rows up. */
const PACKETS: Record<CorpusName, number> = { small: 160_000, imix: 100_000, vxlan: 30_000 };

afterAll(() => rmSync(folder, { recursive: true }));

/** Name and number of each line that the loop prints. */
function toldBy(path: string): Record<string, number> {
  const lines = execFileSync(program, [path], { encoding: 'utf8' }).trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
}

/** The C loop is a fair measure only while it does what the pipeline does. */
describe.runIf(canCompile)(canCompile ? 'the C loop' : 'the C loop: no cc, or no headers of libpcap', () => {
  beforeAll(() => {
    execFileSync('cc', ['-O1', '-o', program, 'bench/reference/loop.c', '-lpcap']);
  }, TIMEOUT);

  it.each(Object.keys(CORPORA) as CorpusName[])('holds on %s what the pipeline holds', async (name) => {
    const path = join(folder, `${name}.pcap`);
    generate(name, path, { packets: PACKETS[name] });
    const theirs = toldBy(path);
    const told = new Told();
    const network = new Network({ context: null, vantage: null, listener: told.listener });
    const pairs = new Pairs();
    const layers = new Map<string, number>();
    const frame = new Frame();
    frame.udpPorts = udpPortTable();
    await (await openCapture(path)).run(frame, () => {
      decode(frame);
      network.observe(frame);
      pairs.add(frame);
      for (const kind of frame.kinds.subarray(0, frame.layerCount)) {
        const layer = NAMES.get(kind) as string;
        layers.set(layer, (layers.get(layer) ?? 0) + 1);
      }
    });
    network.endCapture(0);

    const ours = { frames: frame.number, ...Object.fromEntries(layers), ...countsOf(network, told) };
    if (name === 'small') Object.assign(ours, { 'flows.delivered': pairs.delivered(network) });
    expect(Object.fromEntries(Object.keys(ours).map((count) => [count, theirs[count]]))).toEqual(ours);
  });
});
