import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { cdpNativeVlan } from '../../../wire/cdp.js';
import { Direction, type Frame } from '../../../wire/frame.js';
import { lldpPortVlan } from '../../../wire/lldp.js';
import { Protocol } from '../../../wire/protocol.js';
import { headerOf } from '../../parts/evidence.js';
import { segmentAt } from '../../parts/segment.js';
import type { EvidenceRef } from '../../rule.js';

const MAX_SEGMENTS = 1024;
const MAX_FRAMES = 16;
/** Ends that a link has. More speakers in one segment are no ends of one link. */
const ENDS = 2;
/** Ids of VLANs (IEEE 802.1Q clause 9.6); LLDP tells 0 where a port has none. */
const FIRST_VLAN = 1;
const LAST_VLAN = 4094;

/** One port that says which VLAN it sends without tag. */
export interface Speaker {
  readonly mac: string;
  vlan: number;
  count: number;
  /** Its frames were seen going out, and coming in. */
  wentOut: boolean;
  cameIn: boolean;
  readonly first: number;
  last: number;
  frames: EvidenceRef[];
}

/** What the ports in a segment say of their native VLAN, by CDP (native VLAN) and LLDP (port VLAN id). */
export class NativeTold {
  /** By segment and protocol: a port may say one thing by CDP and another by LLDP. */
  private readonly links = new Map<string, { segment: number; capture: number; speakers: Map<string, Speaker> }>();

  constructor(private readonly network: Network) {}

  /** A message of CDP or LLDP in `layer`. */
  look(frame: Frame, layer: number): void {
    const { view, kinds, offsets, ends } = frame;
    // The sender is in the Ethernet header; a cooked one has it elsewhere, and no tags.
    if (kinds[0] !== Protocol.Ethernet) return;
    const isCdp = kinds[layer] === Protocol.Cdp;
    const vlan = (isCdp ? cdpNativeVlan : lldpPortVlan)(view, offsets[layer], ends[layer]);
    if (vlan < FIRST_VLAN || vlan > LAST_VLAN) return;
    const segment = segmentAt(this.network, frame, layer);
    const key = `${segment} ${isCdp}`;
    const { capture, time, direction } = frame;
    let told = this.links.get(key);
    if (!told) {
      if (this.links.size === MAX_SEGMENTS) return;
      told = { segment, capture, speakers: new Map() };
      this.links.set(key, told);
    }
    const sender = offsets[0] + 6;
    const mac = formatMac(view.getUint16(sender), view.getInt32(sender + 2));
    let speaker = told.speakers.get(mac);
    if (!speaker) {
      // One more than a link has ends tells enough.
      if (told.speakers.size > ENDS) return;
      speaker = { mac, vlan, count: 0, wentOut: false, cameIn: false, first: time, last: time, frames: [] };
      told.speakers.set(mac, speaker);
    }
    if (speaker.vlan !== vlan) {
      // It was set to another meanwhile.
      speaker.vlan = vlan;
      speaker.count = 0;
      speaker.frames = [];
    }
    speaker.count++;
    speaker.last = time;
    if (direction === Direction.Out) speaker.wentOut = true;
    if (direction === Direction.In) speaker.cameIn = true;
    if (speaker.frames.length < MAX_FRAMES)
      speaker.frames.push(
        headerOf(frame, layer, isCdp ? 'cdp' : 'lldp', `${mac} says that its native VLAN is ${vlan}`),
      );
  }

  /** The two ends of each link of a capture that say different things. */
  *mismatches(capture: number): Generator<{ segment: number; ends: readonly [Speaker, Speaker] }> {
    for (const { segment, capture: of, speakers } of this.links.values()) {
      if (of !== capture || speakers.size !== ENDS) continue;
      const [one, two] = speakers.values();
      if (one.vlan !== two.vlan) yield { segment, ends: [one, two] };
    }
  }
}
