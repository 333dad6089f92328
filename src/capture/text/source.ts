import type { CaptureInfo } from '../../wire/capture-info.js';
import type { Frame } from '../../wire/frame.js';
import type { ByteInput } from '../input.js';
import type { CaptureSource, OnFrame, Progress } from '../source.js';
import { type PastedPacket, pastedPackets } from './pasted.js';

/** Bytes of text that are read at most. */
const MOST_TEXT = 8 * 1024 * 1024;

/**
 * Reads what is no capture as text that somebody pasted. The number of a frame is the number of its line.
 * @returns null if no packets are in it
 */
export async function pastedSource(
  info: CaptureInfo,
  head: Uint8Array,
  input: ByteInput,
): Promise<CaptureSource | null> {
  if (head.includes(0)) return null;
  const chunks = [head.slice()];
  let size = head.length;
  let isAtEnd = false;
  while (size < MOST_TEXT && !isAtEnd) {
    const chunk = new Uint8Array(65536);
    const count = await input.read(chunk, 0, chunk.length);
    isAtEnd = count === 0;
    chunks.push(chunk.subarray(0, count));
    size += count;
  }
  isAtEnd ||= (await input.read(new Uint8Array(1), 0, 1)) === 0;
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  const { packets, isWhole } = pastedPackets(isAtEnd ? text : text.slice(0, text.lastIndexOf('\n') + 1), info);
  if (packets.length === 0) return null;
  if (!isAtEnd)
    info.problems.unshift({ offset: size, message: `of a text no more than ${MOST_TEXT / 2 ** 20} MiB are read` });
  input.close();
  info.format = 'text';
  return new PastedSource(info, packets, size, isAtEnd && isWhole);
}

class PastedSource implements CaptureSource {
  readonly progress: Progress;

  constructor(
    readonly info: CaptureInfo,
    readonly packets: readonly PastedPacket[],
    size: number,
    private readonly isWhole: boolean,
  ) {
    this.progress = { read: size, total: size };
  }

  async run(frame: Frame, onFrame: OnFrame, signal?: AbortSignal): Promise<void> {
    frame.deviceIndex = 0;
    for (const packet of this.packets) {
      if (signal?.aborted) return;
      frame.useBuffer(packet.bytes);
      frame.start = 0;
      frame.end = packet.bytes.length;
      frame.wireLength = packet.wireLength;
      frame.number = packet.line;
      frame.interface = packet.interface;
      frame.linkType = packet.linkType;
      frame.position = -1;
      frame.direction = packet.direction;
      frame.setTime(packet.seconds, packet.nanoseconds);
      onFrame(frame);
    }
    this.info.complete = this.isWhole;
  }
}
