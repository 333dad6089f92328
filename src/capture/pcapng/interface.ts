import type { InterfaceInfo } from '../../wire/capture-info.js';
import { Clock } from './clock.js';
import { Option, type OptionReader } from './options.js';

/** First byte of if_filter: an expression of libpcap follows, rather than compiled code. */
const FILTER_EXPRESSION = 0;

/** Bytes of a name, a description or a filter that are kept: they are held for every interface of the file. */
const MOST_TEXT = 1024;

const MICROSECONDS = 6;

/** What the packets of one interface need to be read. */
export interface PacketInterface {
  info: InterfaceInfo;
  clock: Clock;
  /** Bytes of frame check sequence at the end of each packet. */
  fcs: number;
}

/** Reads the options of an interface description block. */
export function readInterface(linkType: number, snapLength: number, options: OptionReader): PacketInterface {
  const info: InterfaceInfo = { name: null, description: null, linkType, snapLength, dropped: null };
  let resolution = MICROSECONDS;
  let offset = 0n;
  let fcs = 0;
  while (options.next()) {
    const { code, length } = options;
    if (code === Option.InterfaceName) info.name = options.text(0, MOST_TEXT);
    else if (code === Option.InterfaceDescription) info.description = options.text(0, MOST_TEXT);
    else if (code === Option.InterfaceFilter && length > 1 && options.uint8() === FILTER_EXPRESSION)
      info.filter = options.text(1, MOST_TEXT);
    else if (code === Option.InterfaceResolution && length === 1) resolution = options.uint8();
    else if (code === Option.InterfaceOffset && length === 8) offset = options.int64();
    else if (code === Option.InterfaceFcsLength && length === 1) fcs = options.uint8() >>> 3;
  }
  return { info, clock: new Clock(resolution, offset), fcs };
}

/** Reads the options of an interface statistics block: packets dropped since the capture began, null if not said. */
export function readDropped(options: OptionReader): number | null {
  let dropped: number | null = null;
  while (options.next()) {
    const { code, length } = options;
    const isDrops = code === Option.StatisticsDropped || code === Option.StatisticsSystemDropped;
    if (isDrops && length === 8) dropped = (dropped ?? 0) + options.uint64();
  }
  return dropped;
}
