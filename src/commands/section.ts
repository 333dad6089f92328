import { release } from 'node:os';
import { contextComments } from '../capture/live/stored-context.js';
import type { SectionToWrite } from '../capture/pcapng/writer.js';
import { version } from '../package/version.js';

/** The section of what is captured here, with what the machine says of itself; null if it says nothing. */
export function sectionWith(context: object | null): SectionToWrite {
  return {
    application: `netdiag ${version()}`,
    system: `Linux ${release()}`,
    comments: context === null ? [] : contextComments(context),
  };
}
