import { Capture, mac, u16, type Way } from './wire.js';

const PORT = '02:00:00:00:0c:01';
export const BRIDGE = '02:00:00:00:0c:00';
const H1 = '02:00:00:00:00:21';
const H2 = '02:00:00:00:00:22';

export type Step = readonly [second: number, step: (capture: Capture) => void];

/** A BPDU of the port with flags; rapid spanning tree if `rapid`. Forward delay 15 s. */
function bpdu(capture: Capture, flags: number, rapid: boolean, way: Way = {}): void {
  const id = [0x80, 0, ...mac(BRIDGE)];
  const times = [...u16(0), ...u16(20 * 256), ...u16(2 * 256), ...u16(15 * 256)];
  const body = [0, 0, rapid ? 2 : 0, rapid ? 2 : 0, flags, ...id, 0, 0, 0, 0, ...id, 0x80, 3, ...times];
  const llc = [0x42, 0x42, 3, ...body, ...(rapid ? [0] : [])];
  capture.raw([...mac('01:80:c2:00:00:00'), ...mac(PORT), ...u16(llc.length), ...llc], way);
}

/** BPDUs each two seconds, from second `from` to `to`; `flags` by second. */
export function bpdus(
  flags: (second: number) => number,
  { from = 1, to = 40, rapid = false, way = {} as Way } = {},
): Step[] {
  const steps: Step[] = [];
  for (let at = from; at <= to; at += 2) steps.push([at, (capture) => bpdu(capture, flags(at), rapid, way)]);
  return steps;
}

/** H1 asks for H2 from second 0.2 on, a kernel's second apart, and is answered at the first request after `served`. */
export function asking(served: number, { until = served + 2, way = {} as Way, from = 0.2 } = {}): Step[] {
  const steps: Step[] = [];
  for (let at = from; at < until; at += 1.02) {
    steps.push([at, (capture) => capture.ask(H1, '10.0.0.1', '10.0.0.2', way)]);
    if (at <= served) continue;
    steps.push([at + 0.0001, (capture) => capture.answer(H2, '10.0.0.2', H1, '10.0.0.1', way)]);
    break;
  }
  return steps;
}

export function played(...steps: readonly Step[][]): Capture {
  const capture = new Capture();
  for (const [second, step] of steps.flat().sort(([a], [b]) => a - b)) step(capture.at(second));
  return capture;
}
