/** Where a finding happened: the contract's form of a segment. */
export interface SegmentRef {
  capture: number;
  /** Interface name where known, else its number as text. */
  interface: string | null;
  vlans: number[];
  vnis: number[];
}
