import type { Network } from '../../../network/network.js';
import type { EvidenceRef } from '../../rule.js';
import { routedSilence } from './routed-silence.js';
import { address, evidence, PORT_UNREACHABLE, questionsBehind, symptomsOf } from './tunnel.js';

/** ICMP errors about VXLAN packets, in words. */
export interface Refusal {
  /** The same in every rule that speaks of it. */
  readonly key: string;
  readonly row: number;
  readonly segment: number;
  readonly capture: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** Rows of `addresses`: who sent the refused packets, to whom, and who refuses. */
  readonly sender: number;
  readonly target: number;
  readonly port: number;
  readonly from: string;
  readonly to: string;
  readonly reporter: string;
  /** The target says itself that nothing listens on the port. */
  readonly isPort: boolean;
  readonly evidence: EvidenceRef[];
}

export function refusalOf(network: Network, row: number): Refusal {
  const { tunnelErrors: errors, segments } = network;
  const segment = errors.segment(row);
  const capture = segments.captureOf(segment);
  const port = errors.port(row);
  const from = address(network, errors.source(row));
  const to = address(network, errors.destination(row));
  const reporter = address(network, errors.reporter(row));
  const isPort = PORT_UNREACHABLE.includes(errors.kind(row)) && errors.reporter(row) === errors.destination(row);
  const kind = errors.kind(row);
  const layer = kind >> 16 === 4 ? 'icmp' : 'icmpv6';
  const words = isPort ? `UDP port ${port} unreachable` : `ICMP type ${(kind >> 8) & 255} code ${kind & 255}`;
  return {
    key: `${segment} ${port} ${from} ${to} ${kind}`,
    row,
    segment,
    capture,
    count: errors.errors(row),
    first: errors.first(row),
    last: errors.last(row),
    sender: errors.source(row),
    target: errors.destination(row),
    port,
    from,
    to,
    reporter,
    isPort,
    evidence: evidence(capture, layer, errors.places(row), `${reporter} tells ${from}: ${words}, of VXLAN to ${to}`),
  };
}

/** Refusals of one capture. */
export function refusalsOf(network: Network, capture: number): Refusal[] {
  const { tunnelErrors, segments } = network;
  const refusals: Refusal[] = [];
  for (let row = 0; row < tunnelErrors.count; row++)
    if (segments.captureOf(tunnelErrors.segment(row)) === capture) refusals.push(refusalOf(network, row));
  return refusals;
}

/** Unanswered questions, and pings and connections of overlays that ask none, inside the tunnels whose packets are refused: they never arrived. */
export function innerSymptoms(network: Network, { segment, sender, target, port }: Refusal) {
  const { tunnels } = network;
  return tunnels
    .between(segment, sender, target)
    .filter((row) => tunnels.source(row) === sender && tunnels.destination(row) === target)
    .filter((row) => tunnels.port(row) === port && tunnels.inner(row) >= 0)
    .flatMap((row) => [
      ...symptomsOf(network, questionsBehind(network, tunnels.inner(row), sender)),
      ...(routedSilence(network, tunnels.inner(row), target, 1, Number.POSITIVE_INFINITY)?.explains ?? []),
    ]);
}
