import { formatMac, ipv6At, macAt } from '../../wire/address.js';
import { etherType } from '../../wire/ethernet.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { bytesOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import type { Rule } from '../rule.js';

/** Configuration testing protocol (loopback frames of switches), which is sent to its own sender on purpose. */
const LOOPBACK_TYPE = 0x9000;
const HANDSHAKE_FLAGS = TcpFlag.Syn | TcpFlag.Rst | TcpFlag.Ack;
const MAX_SUBJECTS = 1000;
const MAX_FRAMES = 64;
/** Source and destination addresses of packets remembered for a MAC, to see whether talk goes both ways. */
const MAX_TALKS = 64;

interface Sighting {
  readonly mac: string;
  copies: number;
  readonly talks: Set<string>;
  bothWays: boolean;
  /** An answer to self came just before its request: the order on the wire. */
  isWire: boolean;
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
    const seen = new Observations<Sighting>(MAX_SUBJECTS, MAX_FRAMES);

    function tell(sighting: Observed<Sighting>): void {
      const { count } = sighting;
      const { mac, copies, bothWays } = sighting.what;
      const isWire = sighting.what.isWire || copies > 0;
      // The copy of the latest may be still to come.
      const works = bothWays || (copies > 0 && copies * 2 + 1 >= count);
      report({
        ...wholeOf(sighting),
        confidence: isWire ? 'certain' : 'hint',
        // With a relay, or where it is not the wire that carries them, such frames are how the set-up works.
        ...(works || !isWire ? { severity: 'info' as const } : {}),
        title: `${count} frames go from ${mac} to ${mac}${works ? ', and the exchange works' : ''}`,
        summary:
          `${count} unicast frames have ${mac} as source and as destination. Two network stacks share this MAC and talk over the wire: ` +
          `ipvlan children in VEPA mode do, and hosts that reach themselves through a translated address. ${
            works ? 'The frames come back or are answered, so something delivers them.' : 'No copy of them comes back.'
          }`,
        subject: { mac },
        cause: 'ipvlan l2 in VEPA mode, address translation back to the sender, or a middlebox that rewrites MACs.',
        remedy: [
          { text: 'See which devices share the MAC', commands: ['ip -d link show type ipvlan'] },
          {
            text: 'ipvlan: let siblings talk inside the host instead',
            commands: ['ip link set <child> type ipvlan bridge'],
          },
        ],
        caveats: [
          'many switches discard frames whose source is their destination',
          ...(isWire
            ? []
            : [
                'inside the namespace of an ipvlan child, or behind address translation on a bridge, such frames are everyday',
              ]),
        ],
        wouldRaise: network.context ? [] : ['`ip -d link` of the host (--context): ipvlan mode and flag'],
      });
    }

    return {
      events: {
        unanswered(row) {
          const { resolutions } = network;
          if (resolutions.earlySelfReplies(row) === 0) return;
          const mac = formatMac(resolutions.hi(row), resolutions.lo(row));
          const sighting = seen.get(`${resolutions.segment(row)} ${mac}`);
          if (sighting) sighting.what.isWire = true;
        },
        sameMac(frame, layer, segment, isCopy) {
          // Between ipvlan siblings every frame carries their one MAC, also inside the host; in l3 mode it is a mere form.
          if (network.vantage?.kind === 'ipvlan') return;
          const at = frame.offsets[layer];
          if (etherType(frame.view, at) === LOOPBACK_TYPE) return;
          const mac = macAt(frame.view, at);
          const facts = () => ({ mac, copies: 0, talks: new Set<string>(), bothWays: false, isWire: false });
          const sighting = seen.at(`${segment} ${mac}`, segment, frame, facts);
          if (!sighting) return;
          if (isCopy) sighting.what.copies++;
          noteTalk(sighting.what, frame);
          if (seen.count(sighting, frame))
            sighting.evidence.push(bytesOf(frame, 'ethernet', at, 12, 'source and destination MAC are the same'));
          if (sighting.count === 1) tell(sighting);
        },
      },
      captureEnd(capture) {
        for (const sighting of seen.of(capture)) tell(sighting);
      },
    };
  },
};

function noteTalk(sighting: Sighting, { view, kinds, offsets, readable }: Frame): void {
  if (sighting.bothWays || sighting.talks.size === MAX_TALKS) return;
  const seen = kinds.subarray(0, readable);
  let layer = seen.indexOf(Protocol.Ipv4);
  const isIpv4 = layer >= 0;
  if (!isIpv4) layer = seen.indexOf(Protocol.Ipv6);
  if (layer < 0) return;
  const at = offsets[layer];
  const tcp = seen.indexOf(Protocol.Tcp, layer);
  if (tcp > 0) {
    // Address translation may hide that a connection goes both ways; what follows its handshake shows it.
    sighting.bothWays = (tcpFlags(view, offsets[tcp]) & HANDSHAKE_FLAGS) === TcpFlag.Ack;
    if (sighting.bothWays) return;
  }
  const source = isIpv4 ? String(ipv4Source(view, at)) : ipv6At(view, at + IPV6_SOURCE);
  const destination = isIpv4 ? String(ipv4Destination(view, at)) : ipv6At(view, at + IPV6_DESTINATION);
  sighting.talks.add(`${source} ${destination}`);
  sighting.bothWays = source !== destination && sighting.talks.has(`${destination} ${source}`);
}
