import type { Analysis, CaptureReport } from '../findings/finding.js';

/**
 * What to say where no finding is shown: that nothing is wrong, that it was not asked for, and that nothing could be read
 * are not the same, and a tired reader takes "nothing found" for good news.
 */
export function nothingFound({ captures, hidden, suppressed }: Analysis): string {
  if (hidden + suppressed.length > 0) return 'No finding to show';
  return couldExamine(captures) ? 'Nothing found' : 'Nothing could be examined';
}

/** Whether any header of any frame was understood. */
export function couldExamine(captures: readonly CaptureReport[]): boolean {
  return captures.some(({ protocols }) => Object.keys(protocols).length > 0);
}
