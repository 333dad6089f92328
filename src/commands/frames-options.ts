import { checkFilter } from '../capture/filter/filtered.js';
import { oneOf, portOption } from './arguments.js';
import { UserError } from './errors.js';
import type { FramesOptions } from './frames.js';

/** The options of `frames` as they were written. */
export interface FramesFlags {
  format?: string;
  filter?: string;
  count?: string;
  vxlanPort?: string[];
}

/** @throws UserError or FilterError for the first option that makes no sense */
export function framesOptions({ format = 'text', filter, count, vxlanPort }: FramesFlags): FramesOptions {
  if (filter !== undefined) checkFilter(filter);
  return {
    format: oneOf('--format', format, ['text', 'ndjson'] as const),
    vxlanPorts: portOption('--vxlan-port', vxlanPort),
    ...(filter !== undefined && { filter }),
    ...(count !== undefined && { count: frameCount(count) }),
  };
}

function frameCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count > 0) return count;
  throw new UserError('--count', `"${text}" is not a number of frames`, 'give 1 or more');
}
