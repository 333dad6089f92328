import type { Frame } from '../../wire/frame.js';
import { icmpCode, icmpType, isFragmentationNeeded } from '../../wire/icmp.js';
import { Icmpv6Type, icmpv6Type } from '../../wire/icmpv6.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { type Merged, MergedSegments } from './parts/merged-segments.js';
import { causeOf, noteOf, remedyOf, summaryOf, type TooBig, titleOf } from './parts/too-big-words.js';

/** Messages about merged segments that are remembered. */
const MAX_MERGED = 256;

/** A router tells that packets are too big for the path (catalogue G1). */
export const fragmentationNeeded: Rule = {
  meta: {
    id: 'mtu/fragmentation-needed',
    severity: 'warning',
    summary: 'A router says that packets are too big for the path',
    catalogue: 'G1',
    thresholds: {
      packets: {
        value: 3,
        unit: 'packets as big as before, after which the sender does not take the message',
        source: 'catalogue G1; one or two may have been on their way already',
      },
      patience: setting('tooBigHeard'),
    },
  },
  create({ network, report, thresholds }) {
    const { pathMtus, segments, addresses, tunnelErrors } = network;
    const segmentsOf = new MergedSegments(network);
    /** What was refused though its sender made it of segments that fit, by row of `pathMtus`. */
    const merged = new Map<number, Merged>();

    function tell(row: number): void {
      const segment = pathMtus.segment(row);
      const capture = segments.captureOf(segment);
      const [source, destination, reporter] = [pathMtus.source(row), pathMtus.destination(row), pathMtus.reporter(row)];
      const ignoring = pathMtus.ignoring(row);
      const message: TooBig = {
        from: addresses.format(source),
        to: addresses.format(destination),
        reporter: addresses.format(reporter),
        isIpv4: addresses.isIpv4(source),
        isInItsName: reporter === destination,
        mtu: pathMtus.mtu(row),
        size: pathMtus.quotedLength(row),
        isTunnel: tunnelErrors.concerns(segment, source, destination),
        merged: merged.get(row) ?? null,
        ignoring: ignoring >= thresholds.packets ? ignoring : 0,
      };
      const { from, to, isIpv4, mtu } = message;
      report({
        key: String(row),
        segment,
        capture,
        confidence: 'certain',
        // Path MTU discovery at work is healthy: it costs one packet.
        severity: message.ignoring > 0 || message.isTunnel || message.merged ? 'warning' : 'info',
        title: titleOf(message),
        summary: summaryOf(message),
        subject: { sender: from, receiver: to, router: message.reporter, ...(mtu > 0 ? { mtu } : {}) },
        count: pathMtus.errors(row),
        first: pathMtus.first(row),
        last: pathMtus.last(row),
        evidence: [
          ...pathMtus
            .places(row)
            .map((place) => ({ capture, layer: isIpv4 ? 'icmp' : 'icmpv6', note: noteOf(message), ...place })),
          ...(message.ignoring > 0 ? pathMtus.ignoringPlaces(row) : []).map((place) => ({
            capture,
            layer: isIpv4 ? 'ipv4' : 'ipv6',
            note: `from ${from}, as big as before`,
            ...place,
          })),
        ],
        cause: causeOf(message),
        remedy: remedyOf(network, message),
      });
    }

    function refused(frame: Frame, layer: number): void {
      const found = segmentsOf.refused(frame, layer);
      if (!found || (merged.size === MAX_MERGED && !merged.has(found.row))) return;
      merged.set(found.row, found.merged);
      tell(found.row);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          if ((tcpFlags(frame.view, frame.offsets[layer]) & TcpFlag.Syn) !== 0) segmentsOf.syn(frame, layer);
        },
        Icmp(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          if (isFragmentationNeeded(icmpType(view, at), icmpCode(view, at))) refused(frame, layer);
        },
        Icmpv6(frame, layer) {
          if (icmpv6Type(frame.view, frame.offsets[layer]) === Icmpv6Type.PacketTooBig) refused(frame, layer);
        },
      },
      events: { tooBig: tell },
      captureEnd(capture) {
        for (let row = 0; row < pathMtus.count; row++)
          if (segments.captureOf(pathMtus.segment(row)) === capture) tell(row);
      },
    };
  },
};
