/** The last second that ECMAScript's calendar knows. */
const LAST_SECOND = 8.64e12;

/** ISO 8601 in UTC with nanoseconds, `2026-01-02T03:04:05.678901234Z`. Beyond the calendar's end: its end. */
export function isoTime(seconds: number, nanoseconds: number): string {
  const known = Math.max(-LAST_SECOND, Math.min(LAST_SECOND, seconds));
  const calendar = new Date(known * 1000).toISOString().slice(0, -5);
  return `${calendar}.${String(nanoseconds).padStart(9, '0')}Z`;
}

/** The same for a `Frame.time`: nanoseconds since the second `epoch`. */
export function isoFrameTime(time: number, epoch: number): string {
  const seconds = Math.floor(time / 1e9);
  return isoTime(epoch + seconds, time - seconds * 1e9);
}
