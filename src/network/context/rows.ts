/** Reading JSON of unknown make: every reader answers null where the value is not of its kind. */
export type Row = Readonly<Record<string, unknown>>;

export function record(value: unknown): Row | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : null;
}

/** The objects in a list; everything else is left out. */
export function* rows(value: unknown): Generator<Row> {
  if (!Array.isArray(value)) return;
  for (const item of value) {
    const row = record(item);
    if (row) yield row;
  }
}

export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** An integer from 0 to 2^32 - 1, as the kernel's attributes are. */
export function count(value: unknown): number | null {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32 ? (value as number) : null;
}

export function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** Whether lists and objects lie deeper inside each other than `limit`; looks at it level by level, as it may be deep. */
export function isDeeper(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
