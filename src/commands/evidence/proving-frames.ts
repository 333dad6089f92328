import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { AnalyzeOptions } from '../../analyze.js';
import { isReadableAgain, openCapture } from '../../capture/open.js';
import type { CaptureSource } from '../../capture/source.js';
import type { Analysis } from '../../findings/finding.js';
import { textLine } from '../../report/frames/text.js';
import type { ProvingFrame } from '../../report/options.js';
import { decode, udpPortTable } from '../../wire/decode.js';
import { Frame } from '../../wire/frame.js';

/** Bytes of a record in front of the packet: pcap; pcapng enhanced (and obsolete) and simple packet block. */
const PCAP_RECORD = 16;
const ENHANCED_PACKET = 28;
const SIMPLE_PACKET = 12;
const SIMPLE_PACKET_TYPE = 3;

/**
 * The frames that the findings name, read from the captures once more. Standard input and pipes cannot be read twice: their
 * frames are not there.
 * @param inMemory the only capture, if it lies in memory and not yet in a file
 */
export async function provingFrames(
  { captures, findings }: Analysis,
  { vxlanPorts }: AnalyzeOptions,
  inMemory?: Uint8Array,
): Promise<Map<string, ProvingFrame>> {
  const wanted = new Set(findings.flatMap(({ evidence }) => evidence.map((each) => `${each.capture} ${each.frame}`)));
  const found = new Map<string, ProvingFrame>();
  const frame = new Frame();
  frame.udpPorts = udpPortTable(vxlanPorts);
  for (const [capture, { name }] of captures.entries()) {
    if (![...wanted].some((key) => key.startsWith(`${capture} `))) continue;
    if (inMemory === undefined && !isReadableAgain(name)) continue;
    const source = await (inMemory === undefined
      ? openCapture(name)
      : openCapture('-', { stdin: Readable.from([inMemory]) }));
    const headOf = inMemory === undefined ? recordHead(source, name) : () => 0;
    await source.run(frame, () => {
      const key = `${capture} ${frame.number}`;
      if (!wanted.has(key)) return;
      decode(frame);
      found.set(key, {
        line: textLine(frame),
        byteOffset:
          source.info.compression === null && frame.position >= 0 ? frame.position + headOf(frame.position) : null,
        byteLength: frame.end - frame.start,
      });
    });
  }
  return found;
}

/** What lies between the beginning of a record and its packet, in bytes. */
function recordHead({ info }: CaptureSource, file: string): (position: number) => number {
  if (info.format === 'pcap') return () => PCAP_RECORD;
  return (position) => {
    const type = new Uint8Array(4);
    const fd = openSync(file, 'r');
    readSync(fd, type, 0, 4, position);
    closeSync(fd);
    const isSimple = type[0] === SIMPLE_PACKET_TYPE || type[3] === SIMPLE_PACKET_TYPE;
    return isSimple ? SIMPLE_PACKET : ENHANCED_PACKET;
  };
}
