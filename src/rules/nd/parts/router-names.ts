import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import type { Frame } from '../../../wire/frame.js';
import { Icmpv6Type, icmpv6Flags, icmpv6Type, routerLifetime, TARGET } from '../../../wire/icmpv6.js';
import { SOURCE } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { routerKey } from '../../ip/not-forwarded.js';
import { at, onlyOf } from '../../parts/device-argument.js';
import { headerOf } from '../../parts/evidence.js';
import { learnedAt } from '../../parts/learned-at.js';
import { linkBelow, sourceAt } from '../../parts/link.js';
import { label } from '../../parts/question.js';
import { segmentAt } from '../../parts/segment.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis, EvidenceRef } from '../../rule.js';

const MAX_NAMES = 256;
const MAX_FRAMES = 8;
/** Flags of a neighbor advertisement (RFC 4861 section 4.4). */
const ROUTER = 0x80;

/** A station that says that it is the router at an address. */
interface Speaker {
  readonly hi: number;
  readonly lo: number;
  /** Whether hosts take it for their default router by what it says: a lifetime above 0. */
  routes: boolean;
  /** Whether it had them drop it: a lifetime of 0. */
  withdraws: boolean;
  readonly frames: EvidenceRef[];
}

/** Who speaks as the router of one link-local address. */
interface Name {
  readonly segment: number;
  readonly address: number;
  readonly capture: number;
  readonly speakers: [Speaker, Speaker | null];
  latest: Speaker;
  /** How often the one spoke after the other. */
  turns: number;
  first: number;
  last: number;
}

/** Two stations that speak as one router by turns: one of them takes the traffic of hosts away from the other, or takes their router from them. */
export class RouterNames {
  private readonly names = new Map<string, Name>();

  constructor(
    private readonly network: Network,
    private readonly enough: () => number,
  ) {}

  /** An ICMPv6 message; gives the finding where it makes one, or changes it. */
  note(frame: Frame, layer: number): Diagnosis | null {
    const { view, offsets, kinds } = frame;
    const header = offsets[layer];
    const type = icmpv6Type(view, header);
    const isRouter = type === Icmpv6Type.RouterAdvertisement;
    const isNeighbor = type === Icmpv6Type.NeighborAdvertisement && (icmpv6Flags(view, header) & ROUTER) !== 0;
    const link = isRouter || isNeighbor ? linkBelow(frame, layer - 1) : -1;
    if (link < 0 || kinds[layer - 1] !== Protocol.Ipv6) return null;
    const [hi, lo] = sourceAt(frame, link);
    const { addresses } = this.network;
    const address = addresses.ipv6(view, isRouter ? offsets[layer - 1] + SOURCE : header + TARGET);
    const segment = segmentAt(this.network, frame, layer);
    if (segment < 0 || isVirtualRouter(hi, lo)) return null;
    const key = `${segment} ${address}`;
    const known = this.names.get(key);
    if (!known) {
      // Only router advertisements make a name: what has one is a router for hosts.
      if (!isRouter || this.names.size === MAX_NAMES) return null;
      const speaker = this.speaks(newSpeaker(hi, lo), frame, layer, isRouter);
      const { capture, time } = frame;
      const speakers: Name['speakers'] = [speaker, null];
      this.names.set(key, { segment, address, capture, speakers, latest: speaker, turns: 0, first: time, last: time });
      return null;
    }
    const [one, other] = known.speakers;
    const isOf = (each: Speaker | null) => each !== null && each.hi === hi && each.lo === lo;
    const speaker = [one, other].find(isOf) ?? (other === null ? newSpeaker(hi, lo) : null);
    if (!speaker) return null;
    if (speaker !== one) known.speakers[1] = speaker;
    this.speaks(speaker, frame, layer, isRouter);
    if (speaker === known.latest) return null;
    known.latest = speaker;
    known.turns++;
    known.last = frame.time;
    return known.turns >= this.enough() ? this.diagnosisOf(known) : null;
  }

  private speaks(speaker: Speaker, frame: Frame, layer: number, isRouter: boolean): Speaker {
    const lifetime = isRouter ? routerLifetime(frame.view, frame.offsets[layer]) : 0;
    if (lifetime > 0) speaker.routes = true;
    else if (isRouter) speaker.withdraws = true;
    const what = isRouter ? `router advertisement, lifetime ${lifetime} s,` : 'neighbor advertisement as router';
    const note = `${what} from ${formatMac(speaker.hi, speaker.lo)}`;
    if (speaker.frames.length < MAX_FRAMES) speaker.frames.push(headerOf(frame, layer, 'icmpv6', note));
    return speaker;
  }

  private diagnosisOf({ segment, address, capture, speakers, turns, first, last }: Name): Diagnosis | null {
    const { addresses, context } = this.network;
    const [one, other] = speakers;
    if (!other) return null;
    // Who offers itself as default router is the router; of two that do it is not known.
    const [owner, rival] = other.routes && !one.routes ? [other, one] : [one, other];
    const isKnown = owner.routes && !rival.routes;
    const [mac, rivalMac] = [owner, rival].map(({ hi, lo }) => formatMac(hi, lo));
    const devices = [owner, rival].map(({ hi, lo }) => context?.devicesByMac(hi, lo) ?? []);
    const places = devices.map((each) => new Set(each.map(({ namespace }) => namespace)));
    // Two devices of one machine, bridged or bonded.
    if ([...places[0]].some((name) => places[1].has(name))) return null;
    const ip = addresses.format(address);
    const device = onlyOf(devices[1]);
    const port = learnedAt(context, rival.hi, rival.lo);
    return {
      key: `${segment} ${ip} two`,
      segment,
      capture,
      count: turns,
      first,
      last,
      confidence: 'likely',
      title: isKnown
        ? `${rivalMac} speaks in the name of the IPv6 router ${ip}, which is ${mac}`
        : `Two machines are the IPv6 router ${ip}: ${mac} and ${rivalMac}`,
      summary:
        `${mac} advertises itself as router ${ip}. ${rivalMac} speaks under the same address, by turns with it, ${turns} times. ` +
        (rival.withdraws
          ? 'It says a lifetime of 0: hosts that hear it drop their default router, and have none until the other speaks again.'
          : 'Hosts that believe it send it what is for other networks.'),
      subject: { ip, mac, rivalMac },
      evidence: [...owner.frames, ...rival.frames].sort((a, b) => a.frame - b.frame),
      cause:
        'A machine draws the traffic of hosts to itself or cuts them off (spoofing of neighbor discovery), or two routers were given the same link-local address by hand.',
      remedy: [
        {
          text: 'See at which port of the bridge each of the two is',
          commands: [mac, rivalMac].map((each) => at(port, `bridge fdb show | grep -i ${each}`)),
        },
        {
          text: `If ${rivalMac} is not meant: drop what it sends under that name at the switch, here on a Linux bridge, until the next restart`,
          commands: [
            'nft add table bridge raguard',
            "nft add chain bridge raguard guard '{ type filter hook forward priority 0; }'",
            `nft add rule bridge raguard guard ether saddr ${rivalMac} ip6 saddr ${ip} drop`,
          ].map((command) => at(port, command)),
        },
      ],
      caveats: ['two routers that hand a virtual address to and fro without a virtual MAC look alike'],
      wouldRaise: ['which MAC the router is meant to have'],
      context: device ? [label(device)] : [],
      explains: device
        ? [{ rule: 'ip/not-forwarded', key: routerKey({ capture, isIpv4: false }, device.namespace) }]
        : [],
    };
  }
}

function newSpeaker(hi: number, lo: number): Speaker {
  return { hi, lo, routes: false, withdraws: false, frames: [] };
}
