import type { Frame } from '../../../wire/frame.js';
import { GROUP, IgmpType, igmpType } from '../../../wire/igmp.js';
import { ipv4Source } from '../../../wire/ipv4.js';
import { Protocol } from '../../../wire/protocol.js';

const MAX_MEMBERS = 4096;
/** Number of records in a version 3 report, the first of them, and in each its type, lengths and group (RFC 3376 section 4.2). */
const RECORDS = 6;
const FIRST_RECORD = 8;
const RECORD_LENGTH = 8;
const RECORD_GROUP = 4;
const SOURCES = 2;
const AUXILIARY = 1;
/** Record types that leave a group: it includes no source. */
const LEAVES: readonly number[] = [3, 6];

/** Who said by IGMP that it wants a multicast group. */
export class GroupMembers {
  private readonly members = new Set<string>();

  observe({ view, offsets, kinds, ends }: Frame, layer: number): void {
    if (layer === 0 || kinds[layer - 1] !== Protocol.Ipv4) return;
    const source = ipv4Source(view, offsets[layer - 1]);
    // A device that has no address yet is nobody in particular.
    if (source === 0) return;
    const at = offsets[layer];
    const type = igmpType(view, at);
    if (type === IgmpType.ReportV1 || type === IgmpType.ReportV2) this.add(view.getInt32(at + GROUP), source);
    if (type !== IgmpType.ReportV3) return;
    let record = at + FIRST_RECORD;
    for (let left = view.getUint16(at + RECORDS); left > 0 && record + RECORD_LENGTH <= ends[layer]; left--) {
      const sources = view.getUint16(record + SOURCES);
      if (sources > 0 || !LEAVES.includes(view.getUint8(record)))
        this.add(view.getInt32(record + RECORD_GROUP), source);
      record += RECORD_LENGTH + sources * 4 + view.getUint8(record + AUXILIARY) * 4;
    }
  }

  private add(group: number, source: number): void {
    if (this.members.size < MAX_MEMBERS) this.members.add(`${group} ${source}`);
  }

  /** Whether a host wants a group; addresses in signed words. */
  wants(group: number, source: number): boolean {
    return this.members.has(`${group} ${source}`);
  }

  /** Whether anybody else than `source` wants it. */
  isWantedByOthers(group: number, source: number): boolean {
    const own = `${group} ${source}`;
    for (const each of this.members) if (each !== own && each.startsWith(`${group} `)) return true;
    return false;
  }
}
