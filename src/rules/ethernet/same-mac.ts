import { macAt } from '../../wire/address.js';
import { etherType } from '../../wire/ethernet.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** Configuration testing protocol (loopback frames of switches), which is sent to its own sender on purpose. */
const LOOPBACK_TYPE = 0x9000;
const MAX_SUBJECTS = 1000;
const MAX_FRAMES = 64;
/** Source and destination addresses of packets remembered for a MAC, to see whether talk goes both ways. */
const MAX_TALKS = 64;

interface Sighting {
  segment: number;
  capture: number;
  mac: string;
  count: number;
  copies: number;
  first: number;
  last: number;
  frames: EvidenceRef[];
  talks: Set<string>;
  bothWays: boolean;
}

/** Unicast frames whose source is their destination (catalogue C2). */
export const sameMac: Rule = {
  meta: {
    id: 'ethernet/same-mac',
    severity: 'warning',
    summary: 'Unicast frames have the same source and destination MAC: two stacks behind one MAC talk over the wire',
    catalogue: 'C2',
  },
  create({ network, report }) {
    const seen = new Map<string, Sighting>();

    function tell(key: string, sighting: Sighting): void {
      const { segment, capture, mac, count, copies, first, last, frames, bothWays } = sighting;
      const works = bothWays || copies * 2 >= count;
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence: 'certain',
        // With a relay, or inside a bridge that lets it pass, such frames are how the set-up works.
        ...(works ? { severity: 'info' as const } : {}),
        title: `${count} frames go from ${mac} to ${mac}${works ? ', and the exchange works' : ''}`,
        summary:
          `${count} unicast frames have ${mac} as source and as destination. Two network stacks share this MAC and talk over the wire: ` +
          `ipvlan children in VEPA mode do, and hosts that reach themselves through a translated address. ${
            works
              ? 'The frames come back or are answered, so something delivers them.'
              : 'No copy of them comes back: nothing delivers them.'
          }`,
        subject: { mac },
        evidence: frames,
        cause: 'ipvlan l2 in VEPA mode, address translation back to the sender, or a middlebox that rewrites MACs.',
        remedy: [
          { text: 'See which devices share the MAC', commands: ['ip -d link show type ipvlan'] },
          {
            text: 'ipvlan: let siblings talk inside the host instead',
            commands: ['ip link set <child> type ipvlan bridge'],
          },
        ],
        caveats: ['many switches discard frames whose source is their destination'],
        wouldRaise: network.context ? [] : ['`ip -d link` of the host (--context): ipvlan mode and flag'],
      });
    }

    return {
      events: {
        sameMac(frame, layer, segment, isCopy) {
          const at = frame.offsets[layer];
          if (etherType(frame.view, at) === LOOPBACK_TYPE) return;
          const mac = macAt(frame.view, at);
          const key = `${segment} ${mac}`;
          let sighting = seen.get(key);
          if (!sighting) {
            if (seen.size === MAX_SUBJECTS) return;
            const { capture, time } = frame;
            sighting = {
              segment,
              capture,
              mac,
              count: 0,
              copies: 0,
              first: time,
              last: time,
              frames: [],
              talks: new Set(),
              bothWays: false,
            };
            seen.set(key, sighting);
          }
          sighting.count++;
          if (isCopy) sighting.copies++;
          sighting.last = frame.time;
          noteTalk(sighting, frame);
          if (sighting.frames.length < MAX_FRAMES)
            sighting.frames.push({
              capture: frame.capture,
              frame: frame.number,
              layer: 'ethernet',
              offset: at - frame.start,
              length: 12,
              note: 'source and destination MAC are the same',
            });
          if (sighting.count === 1) tell(key, sighting);
        },
      },
      captureEnd(capture) {
        for (const [key, sighting] of seen) if (sighting.capture === capture) tell(key, sighting);
      },
    };
  },
};

function noteTalk(sighting: Sighting, { view, kinds, offsets, layerCount }: Frame): void {
  if (sighting.bothWays || sighting.talks.size === MAX_TALKS) return;
  const layer = kinds.subarray(0, layerCount).indexOf(Protocol.Ipv4);
  if (layer < 0) return;
  const source = ipv4Source(view, offsets[layer]);
  const destination = ipv4Destination(view, offsets[layer]);
  sighting.talks.add(`${source} ${destination}`);
  sighting.bothWays = source !== destination && sighting.talks.has(`${destination} ${source}`);
}
