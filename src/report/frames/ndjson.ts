import { isoTime } from '../../findings/time.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { printableJson } from '../../wire/printable.js';
import { layerFields } from './fields.js';

/** `direction` as the contract spells it; null where nobody said. */
function directionName(direction: Direction): string | null {
  return direction === Direction.Unknown ? null : direction === Direction.Out ? 'out' : 'in';
}

/** A decoded frame as one JSON object and a newline, as `netdiag frames --format ndjson` prints it. */
export function ndjsonLine(frame: Frame): string {
  const object = {
    number: frame.number,
    time: isoTime(frame.seconds, frame.nanoseconds),
    interface: frame.interface,
    direction: directionName(frame.direction),
    capturedLength: frame.end - frame.start,
    wireLength: frame.wireLength,
    layers: Array.from({ length: frame.layerCount }, (_, layer) => layerFields(frame, layer)),
  };
  return `${printableJson(object)}\n`;
}
