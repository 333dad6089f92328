import { isoTime } from '../../findings/time.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { printableJson } from '../../wire/printable.js';
import { layerFields } from './fields.js';

/** `direction` as the contract spells it; null where nobody said. */
const DIRECTION_NAMES: Readonly<Record<Direction, string | null>> = {
  [Direction.Unknown]: null,
  [Direction.In]: 'in',
  [Direction.Out]: 'out',
};

/** A decoded frame as one JSON object and a newline, as `netdiag frames --format ndjson` prints it. */
export function ndjsonLine(frame: Frame): string {
  const object = {
    number: frame.number,
    time: isoTime(frame.seconds, frame.nanoseconds),
    interface: frame.interface,
    direction: DIRECTION_NAMES[frame.direction],
    capturedLength: frame.end - frame.start,
    wireLength: frame.wireLength,
    layers: Array.from({ length: frame.layerCount }, (_, layer) => layerFields(frame, layer)),
  };
  return `${printableJson(object)}\n`;
}
