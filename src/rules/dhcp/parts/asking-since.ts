import { CHADDR, DhcpMessage, dhcpMessageType, dhcpSeconds } from '../../../wire/dhcp.js';
import type { Frame } from '../../../wire/frame.js';

const MAX_CLIENTS = 1024;
/** Clients round, and count from when they began to wait. */
const EXACT_S = 1.5;

interface Count {
  firstSecs: number;
  first: number;
  lastSecs: number;
  last: number;
}

/**
 * What clients say in their discovers of how long they have been asking (`secs`, RFC 2131 section 2). Some send 0, or what is no
 * time: it counts if it goes on as the clock does from one discover to another.
 */
export class AskingSince {
  private readonly counts = new Map<string, Count>();

  /** A DHCP message at `layer`. */
  note(frame: Frame, layer: number): void {
    const { view, time, capture } = frame;
    const at = frame.offsets[layer];
    if (dhcpMessageType(view, at, frame.ends[layer]) !== DhcpMessage.Discover) return;
    const secs = dhcpSeconds(view, at);
    const key = keyOf(capture, view.getUint16(at + CHADDR), view.getInt32(at + CHADDR + 2));
    const count = this.counts.get(key);
    // It began anew.
    if (count && secs >= count.lastSecs) {
      count.lastSecs = secs;
      count.last = time;
    } else if (count || this.counts.size < MAX_CLIENTS)
      this.counts.set(key, { firstSecs: secs, first: time, lastSecs: secs, last: time });
  }

  /** Seconds that a client had been asking before its first discover of the capture; 0 if it does not tell. */
  before(capture: number, hi: number, lo: number): number {
    const count = this.counts.get(keyOf(capture, hi, lo));
    if (!count || count.lastSecs === count.firstSecs) return 0;
    const elapsed = (count.last - count.first) / 1e9;
    return Math.abs(count.lastSecs - count.firstSecs - elapsed) <= EXACT_S ? count.firstSecs : 0;
  }
}

function keyOf(capture: number, hi: number, lo: number): string {
  return `${capture} ${hi} ${lo}`;
}
