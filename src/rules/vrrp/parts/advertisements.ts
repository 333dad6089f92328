import type { Network } from '../../../network/network.js';
import type { EvidenceRef, RuleId } from '../../rule.js';

/** Intervals for which both are master that are more than an election (catalogue D8). */
export const INTERVALS = 3;
/** Part of the advertisements due that a router sends while it is master throughout. */
const STEADY = 0.8;

/** Whether a router sent its advertisements without a gap from its first to its last. */
export function isSteady(routers: Network['virtualRouters'], row: number): boolean {
  const due = (routers.last(row) - routers.first(row)) / (routers.interval(row) * 1e6);
  return routers.times(row) >= STEADY * due;
}

/** Whether the two may be in different VLANs whose tags the capture lost: cooked captures do, and some network devices. */
export function mayBeTwoVlans({ virtualRouters: routers, addresses }: Network, a: number, b: number, isOther: boolean) {
  const isBlind = routers.isCooked(a) || routers.isIpv6(a);
  // Link-local addresses may be the same in every VLAN, those of the routers and the virtual one.
  if (!isOther && !isBlind) return 'none';
  if (!isOther) return routers.isCooked(a) && routers.isIpv6(a) ? 'much' : 'some';
  const [one, two] = [a, b].map((row) => addresses.words(routers.source(row))[0] >>> 8);
  return isBlind || one !== two ? 'much' : 'some';
}

/** Advertisements of a router as evidence. */
export function framesOf(network: Network, row: number, places = network.virtualRouters.places(row)): EvidenceRef[] {
  const { virtualRouters: routers, segments, addresses } = network;
  const capture = segments.captureOf(routers.segment(row));
  const note = `VRRP advertisement of ${addresses.format(routers.source(row))}, id ${routers.id(row)}, priority ${routers.priority(row)}`;
  return places.map((place) => ({ capture, layer: 'vrrp', note, ...place }));
}

/** Findings about the virtual address of a router that two masters bring about, wherever in the capture it is seen: keys of the rules about contests. */
export function contestsOf(network: Network, row: number, ip: string): { rule: RuleId; key: string }[] {
  const { virtualRouters: routers, segments, bindings } = network;
  const here = segments.describe(routers.segment(row));
  const seen = new Set(bindings.ofAddress(routers.firstAddress(row)).map((binding) => bindings.segment(binding)));
  const isSame = (segment: number) => {
    const { capture, vlans, vnis } = segments.describe(segment);
    return capture === here.capture && `${vlans} ${vnis}` === `${here.vlans} ${here.vnis}`;
  };
  return [...seen].filter(isSame).flatMap((segment) => [
    { rule: 'arp/duplicate-address', key: `${segment} ${ip}` },
    { rule: 'arp/vip-flip', key: `${segment} ${ip}` },
  ]);
}
