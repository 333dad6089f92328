import { Claim } from '../../network/neighbors/bindings.js';
import { KEY_WORDS, KeyTable } from '../../network/rows/key-table.js';
import { formatIpv4, formatMac } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { headerOf } from '../parts/evidence.js';
import { Observations, wholeOf } from '../parts/observations.js';
import { inNamespace, label } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { Rule } from '../rule.js';

const MAX_PAIRS = 256;
/** SYNs that are remembered, the latest ones: segment, client, server, ports. */
const MAX_SYNS = 1 << 12;
const MAX_FRAMES = 32;

interface Pair {
  readonly source: number;
  readonly destination: number;
  readonly mac: string;
  readonly gateway: string;
}

/** An ipvlan child answers its own host by way of the gateway (catalogue C8). */
export const hostReplyAsymmetric: Rule = {
  meta: {
    id: 'ipvlan/host-reply-asymmetric',
    severity: 'warning',
    summary: 'An ipvlan child answers its own host by way of the gateway: a route to the host is missing',
    catalogue: 'C8',
    thresholds: {
      answers: {
        value: 2,
        unit: 'answers of a child that go to the gateway',
        source: 'one SYN-ACK may be the end of something that began before the capture',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { addresses, bindings, claims } = network;
    const pairs = new Observations<Pair>(MAX_PAIRS, MAX_FRAMES);
    const syns = new KeyTable(KEY_WORDS, MAX_SYNS);

    function noteSyn(frame: Frame, layer: number): void {
      const ip = frame.offsets[layer - 1];
      const ports = frame.view.getInt32(frame.offsets[layer]);
      const segment = segmentAt(network, frame, layer);
      syns.add(segment, ipv4Source(frame.view, ip), ipv4Destination(frame.view, ip), ports);
    }

    /** Whether the SYN came by here too: then the question did not reach the child inside the machine. */
    function hasSyn(segment: number, client: number, server: number, { view, offsets }: Frame, layer: number): boolean {
      const ports = view.getInt32(offsets[layer]);
      return syns.find(segment, client, server, (ports << 16) | (ports >>> 16)) >= 0;
    }

    function note(frame: Frame, layer: number): void {
      const { view } = frame;
      const ip = frame.offsets[layer - 1];
      const destination = ipv4Destination(view, ip);
      const source = ipv4Source(view, ip);
      const at = frame.offsets[0];
      const hi = view.getUint16(at + 6);
      const lo = view.getInt32(at + 8);
      if (source === destination || (hi === view.getUint16(at) && lo === view.getInt32(at + 2))) return;
      const segment = segmentAt(network, frame, layer);
      const host = addresses.ipv4(destination);
      const binding = bindings.find(segment, hi, lo, host);
      if (binding < 0 || (bindings.claims(binding) & Claim.Own) === 0) return;
      // A router that answers ARP for others hands on what is for them, and an address that was moved is its former holder's no more.
      const isAnother = bindings
        .of(segment, host)
        .some((each) => each !== binding && (bindings.claims(each) & Claim.Own) !== 0);
      if (isAnother || claims.holder(segment, host) !== binding || hasSyn(segment, destination, source, frame, layer))
        return;
      const key = `${segment} ${source} ${destination}`;
      const pair = pairs.at(key, segment, frame, () => ({
        source,
        destination,
        mac: formatMac(hi, lo),
        gateway: formatMac(view.getUint16(at), view.getInt32(at + 2)),
      }));
      if (!pair || !pairs.count(pair, frame)) return;
      const note = `SYN-ACK for ${formatIpv4(destination)} leaves for ${pair.what.gateway}`;
      pair.evidence.push(headerOf(frame, layer, 'tcp', note));
    }

    return {
      layers: {
        Tcp(frame, layer) {
          const flags = tcpFlags(frame.view, frame.offsets[layer]) & (TcpFlag.Syn | TcpFlag.Ack);
          if ((flags & TcpFlag.Syn) === 0) return;
          // Cooked headers do not say whom a frame goes to.
          if (layer < 2 || frame.kinds[layer - 1] !== Protocol.Ipv4 || frame.kinds[0] !== Protocol.Ethernet) return;
          if (flags === TcpFlag.Syn) noteSyn(frame, layer);
          else note(frame, layer);
        },
      },
      captureEnd(capture) {
        for (const pair of pairs.of(capture)) {
          const { segment, count } = pair;
          if (count < thresholds.answers) continue;
          const { mac, gateway, ...ends } = pair.what;
          const source = formatIpv4(ends.source);
          const host = formatIpv4(ends.destination);
          const child = network.context?.devicesByIp([ends.source]).find(({ kind }) => kind === 'ipvlan') ?? null;
          const parent = network.context?.devicesByIp([ends.destination])[0] ?? null;
          const isKnown =
            child !== null && parent !== null && network.context?.parents(child).includes(parent) === true;
          report({
            ...wholeOf(pair),
            confidence: isKnown ? 'certain' : 'likely',
            title: `${source} answers its own host ${host} by way of the gateway`,
            summary:
              `${count} SYN-ACKs from ${source} to ${host} leave from ${mac} for ${gateway}, though ${host} is behind ${mac} itself. The connection came to ${source} inside the machine; ` +
              'the answer goes by the default route out to the gateway, which drops it or sends it back on another way than the question took.',
            subject: { source, destination: host, mac },
            cause:
              'The child of an ipvlan (or another namespace behind the same MAC) has no route to its host except the default route.',
            remedy: [
              {
                text: 'In the child: a route to the host that does not go by the gateway, and the MAC that both share as its neighbour',
                commands: child
                  ? [
                      inNamespace(child, `ip route add ${host}/32 dev ${child.name}`),
                      inNamespace(child, `ip neigh replace ${host} lladdr ${mac} dev ${child.name}`),
                    ]
                  : [`ip route add ${host}/32 dev <child>`, `ip neigh replace ${host} lladdr ${mac} dev <child>`],
              },
            ],
            wouldRaise: isKnown
              ? []
              : ['`ip -d link` and `ip addr` of the host (--network.context): which device holds which address'],
            context: isKnown && child && parent ? [`${label(child)} is a child of ${label(parent)}`] : [],
            explains: stuckConnections(segment, source, host),
          });
        }
      },
    };
  },
};
