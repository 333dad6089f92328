import { formatIpv4 } from '../../wire/address.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { misplacedSource } from '../parts/translators.js';
import type { Rule } from '../rule.js';
import { type HairpinCase, HairpinCases } from './parts/hairpin-cases.js';
import { hasMasquerade, placeOfClient } from './parts/hairpin-nat.js';
import { askingItself, pastNat } from './parts/hairpin-words.js';

const HANDSHAKE = TcpFlag.Syn | TcpFlag.Ack | TcpFlag.Rst;

/** A client cannot reach a service on its own bridge through the address that NAT publishes (catalogue B11). */
export const hairpinMissing: Rule = {
  meta: {
    id: 'bridge/hairpin-missing',
    severity: 'error',
    summary: 'A client cannot reach a service beside it, or itself, through the published address: NAT lacks hairpin',
    catalogue: 'B11',
    thresholds: {
      rounds: { value: 2, unit: 'rounds of a SYN sent again', source: 'one may be a packet that went astray' },
    },
  },
  create({ network, report, thresholds }) {
    const cases = new HairpinCases(network);

    function tell(each: HairpinCase): void {
      const { key, segment, capture, rounds, first, last, frames: evidence } = each;
      if (each.isAnswered || rounds < thresholds.rounds) return;
      if ((each.seenAt === 'server' && each.again === 0) || (each.seenAt === 'nat' && !areNeighbors(each))) return;
      // The router that hands the SYNs on gave them a source that another machine has: `tcp/synack-repeated` tells.
      if (
        each.seenAt === 'server' &&
        misplacedSource(network.context, Int32Array.of(each.client), Int32Array.of(each.server))
      )
        return;
      const [client, service, server] = [each.client, each.service, each.server].map(formatIpv4);
      const place = each.server === each.client ? placeOfClient(network.context, each.client) : null;
      // Nothing that it could name is missing there: something else drops the SYN.
      const isSetUp = place !== null && (place.routed !== null || place.port?.hairpin === true);
      if (isSetUp && hasMasquerade(network, place.port ?? place.routed, each.client)) return;
      report({
        ...(place ? askingItself(network, each, place) : pastNat(network, each)),
        key,
        segment,
        capture,
        count: rounds,
        // The translated answer, of which a bridge shows both, is not here.
        silence: true,
        first,
        last,
        subject: { client, service: each.service === 0 ? server : service, server },
        evidence,
        explains: [
          ...[...new Set([segment, each.askedIn])].flatMap((place) =>
            [service, server].flatMap((address) => stuckConnections(place, client, address)),
          ),
          ...refusedResets(each),
        ],
      });
    }

    /** Errors about what the client sends to the server, which is its resets: it knows no connection there. */
    function refusedResets({ segment, client, server }: HairpinCase) {
      const { icmpErrors, addresses } = network;
      const [from, to] = [client, server].map((each) => addresses.ipv4(each));
      const found: { rule: 'icmp/unreachable'; key: string }[] = [];
      for (let row = 0; row < icmpErrors.count; row++) {
        if (icmpErrors.segment(row) !== segment || icmpErrors.protocol(row) !== IpProtocol.Tcp) continue;
        if (icmpErrors.source(row) === from && icmpErrors.destination(row) === to)
          found.push({ rule: 'icmp/unreachable', key: String(row) });
      }
      return found;
    }

    /** Whether client and server both speak ARP in the segment: the server answers the client directly. */
    function areNeighbors({ segment, client, server }: HairpinCase): boolean {
      const { claims, addresses } = network;
      return [client, server].every((each) => claims.holder(segment, addresses.ipv4(each)) >= 0);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          const flags = tcpFlags(frame.view, frame.offsets[layer]) & HANDSHAKE;
          if ((flags & (TcpFlag.Syn | TcpFlag.Rst)) !== 0) cases.look(frame, layer, flags);
        },
      },
      captureEnd(capture) {
        for (const each of cases.values()) if (each.capture === capture) tell(each);
      },
    };
  },
};
