import type { Capture } from '../../support/wire.js';
import { ip, mac, u16 } from '../../support/wire.js';

export const A = '02:00:00:00:00:01';
export const B = '02:00:00:00:00:02';

/** A (or `from`) asks who has 10.0.0.2, with these tags, outermost first: identifier and VLAN id. */
export function askTagged(capture: Capture, ...tags: readonly [tpid: number, id: number][]): Capture {
  return askTaggedFrom(capture, A, ...tags);
}

export function askTaggedFrom(capture: Capture, from: string, ...tags: readonly [tpid: number, id: number][]): Capture {
  return capture.raw([
    ...mac('ff:ff:ff:ff:ff:ff'),
    ...mac(from),
    ...tags.flatMap(([tpid, id]) => [...u16(tpid), ...u16(id)]),
    ...[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
    ...mac(from),
    ...ip(from === A ? '10.0.0.1' : '10.0.0.2'),
    ...[0, 0, 0, 0, 0, 0],
    ...ip(from === A ? '10.0.0.2' : '10.0.0.1'),
  ]);
}
