import type { Frame } from '../wire/frame.js';

/**
 * The rare events that rules live on. Arguments are rows of the network's tables and, where a frame is at
 * hand, the frame; a handler reads what it needs and keeps nothing of the frame.
 */
export interface NetworkEvents {
  /**
   * A resolution run has waited in vain: at least two requests, each but the last followed by silence. Raised
   * when the run ripens, when it grows, when it ends, and at the end of the capture. Row of `resolutions`.
   */
  unanswered(resolution: number): void;
  /** An answer came for a resolution that was reported unanswered. Row of `resolutions`. */
  answered(resolution: number): void;
  /** A station announced an address for the second or a later time within ten seconds. Row of `announcements`. */
  announced(announcement: number): void;
  /** A probe (ARP with spa 0) was answered or contested. Row of `probes`. */
  probeAnswered(probe: number): void;
  /** A second station claims an address that another one claimed. Rows of `bindings`: the new one, the old one. */
  contested(binding: number, rival: number): void;
  /** Two answers with different sha to one request within two seconds. Rows of `bindings`. */
  doublyAnswered(binding: number, rival: number, frame: Frame): void;
  /** A frame was seen before, byte for byte, on this interface. Row of `copies`. */
  copied(copy: number, frame: Frame): void;
  /** A unicast Ethernet header names one address as source and destination. `layer` is the header's. */
  sameMac(frame: Frame, layer: number, segment: number): void;
}

export const EVENT_NAMES = [
  'unanswered',
  'answered',
  'announced',
  'probeAnswered',
  'contested',
  'doublyAnswered',
  'copied',
  'sameMac',
] as const satisfies readonly (keyof NetworkEvents)[];
