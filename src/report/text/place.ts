import type { CaptureReport } from '../../findings/finding.js';
import type { SegmentRef } from '../../findings/segment-ref.js';

/** Where something was seen: `uplink.pcap`, `ens34`, `VLAN 100`, `VNI 5`; no more of it than tells places apart. */
export function placeOf(segment: SegmentRef, captures: readonly CaptureReport[]): string[] {
  return [
    ...(captures.length > 1 ? [captures[segment.capture]?.name ?? ''] : []),
    ...interfaceOf(segment, captures),
    ...segment.vlans.map((id) => `VLAN ${id}`),
    ...segment.vnis.map((vni) => `VNI ${vni}`),
  ];
}

/** A number that stands in for a name is worth saying only where there are several. */
function interfaceOf({ capture, interface: name }: SegmentRef, captures: readonly CaptureReport[]): string[] {
  if (name === null) return [];
  const named = captures[capture]?.interfaces.some((each) => each.name === name) ?? false;
  if (named || !/^\d+$/.test(name)) return [name];
  return (captures[capture]?.interfaces.length ?? 0) > 1 ? [`interface ${name}`] : [];
}
