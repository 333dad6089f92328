import { listOf, oneOf, portsOf } from './arguments.js';
import { UserError } from './errors.js';
import type { FramesOptions } from './frames.js';

/** The options of `frames` as they were written. */
export interface FramesFlags {
  format?: string;
  count?: string;
  vxlanPort?: string[];
}

/** @throws UserError for the first option that makes no sense */
export function framesOptions({ format = 'text', count, vxlanPort }: FramesFlags): FramesOptions {
  return {
    format: oneOf('--format', format, ['text', 'ndjson'] as const),
    vxlanPorts: portsOf('--vxlan-port', listOf(vxlanPort)),
    ...(count !== undefined && { count: frameCount(count) }),
  };
}

function frameCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count > 0) return count;
  throw new UserError('--count', `"${text}" is not a number of frames`, 'give 1 or more');
}
