import type { CaptureSource } from '../source.js';
import { BpfProgram } from './bpf.js';
import { FilterError, libpcap } from './libpcap.js';

/** LINKTYPE_ values for which an expression is tried: Ethernet, bare IP, Linux cooked, 802.11. */
const COMMON = [1, 101, 113, 105];

/**
 * Looks whether an expression makes sense at all, before anything is read.
 * @throws FilterError with what libpcap says of it for Ethernet
 */
export function checkFilter(expression: string): void {
  let first: unknown = null;
  for (const linkType of COMMON) {
    try {
      libpcap(expression).compile(linkType, expression);
      return;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/**
 * The source with only the frames that a filter of pcap-filter(7) lets through; they keep their numbers. If it makes no
 * sense for the link type of the first frame, `run` throws FilterError; frames of other interfaces for which it makes
 * none are left out, which is noted as a problem.
 */
export function filtered(source: CaptureSource, expression: string): CaptureSource {
  const programs = new Map<number, BpfProgram | null>();
  const compile = (linkType: number, position: number): BpfProgram | null => {
    try {
      return new BpfProgram(libpcap(expression).compile(linkType, expression));
    } catch (error) {
      if (!(error instanceof FilterError) || programs.size === 0) throw error;
      const message = `${error.input} cannot be used on link type ${linkType} (${error.message}): its frames are left out`;
      source.info.problems.push({ offset: Math.max(0, position), message });
      return null;
    }
  };
  let linkType = -1;
  let program: BpfProgram | null = null;
  const run = source.run.bind(source);
  source.run = (frame, onFrame, signal) =>
    run(
      frame,
      (frame) => {
        if (frame.linkType !== linkType) {
          const known = programs.get(frame.linkType);
          program = known === undefined ? compile(frame.linkType, frame.position) : known;
          linkType = frame.linkType;
          programs.set(linkType, program);
        }
        if (program?.matches(frame.view, frame.start, frame.end, frame.wireLength)) onFrame(frame);
      },
      signal,
    );
  return source;
}
