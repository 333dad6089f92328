/** TTLs and hop limits that hosts send with; a router would have taken one off. */
export const FRESH_TTLS: readonly number[] = [64, 128, 255];
