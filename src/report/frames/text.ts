import { isoTime } from '../../findings/time.js';
import { Direction, type Frame, Status } from '../../wire/frame.js';
import { linkTypeName } from '../../wire/link-types.js';
import { printable } from '../../wire/printable.js';
import { Protocol } from '../../wire/protocol.js';
import type { Fields } from './describe.js';
import { layerFields } from './fields.js';
import { layerWords } from './words.js';

const DIRECTION_WORDS: Readonly<Record<Direction, string>> = {
  [Direction.Unknown]: '',
  [Direction.In]: 'In  ',
  [Direction.Out]: 'Out ',
};

/** Characters of an ISO time from the hour to the nanoseconds. */
const TIME_OF_DAY = [-19, -1] as const;

/** A decoded frame as one line in the manner of `tcpdump -e`, with its number; times in UTC. */
export function textLine(frame: Frame): string {
  const time = isoTime(frame.seconds, frame.nanoseconds).slice(...TIME_OF_DAY);
  let told = '';
  for (let i = 0; i < frame.layerCount; i++) {
    if (isToldBefore(frame, i)) continue;
    if (i > 0) told += i === frame.quotedFrom ? ', quoting ' : ': ';
    told += words(frame, i);
  }
  const lead = `${String(frame.number).padStart(5)} ${time} ${DIRECTION_WORDS[frame.direction]}`;
  return `${lead}${printable(told)}\n`;
}

/** Protocols whose words give the length of what they carry. */
const TELLS_LENGTH: readonly number[] = [Protocol.Udp, Protocol.Tcp, Protocol.Icmp, Protocol.Icmpv6];

/** Whether a layer is data whose length stands in the words of the layer before. */
function isToldBefore(frame: Frame, layer: number): boolean {
  return layer > 0 && frame.kinds[layer] === Protocol.Data && TELLS_LENGTH.includes(frame.kinds[layer - 1]);
}

function words(frame: Frame, layer: number): string {
  const fields = layerFields(frame, layer);
  const status = frame.statuses[layer];
  if (status !== Status.Ok) return cutWords(fields);
  const payload = frame.limits[layer] - frame.ends[layer];
  const text = layerWords(frame.kinds[layer], fields, payload, portsBehind(frame, layer));
  if (layer > 0) return text;
  return frame.kinds[0] === Protocol.Data
    ? `${linkTypeName(frame.linkType)}, not decoded, length ${frame.wireLength}`
    : `${text}, length ${frame.wireLength}`;
}

/** A header that is not whole: what there is of it, and what is wrong. */
function cutWords({ protocol, status, quoted: _, ...fields }: Fields): string {
  const there = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return `${[protocol, ...there].join(', ')} [${status}]`;
}

/** Fields of the TCP or UDP header that layer `layer` carries, whose ports are written at the addresses. */
function portsBehind(frame: Frame, layer: number): Fields | null {
  const kind = frame.kinds[layer + 1];
  if (layer + 1 >= frame.layerCount || (kind !== Protocol.Udp && kind !== Protocol.Tcp)) return null;
  return layerFields(frame, layer + 1);
}
