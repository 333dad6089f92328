/** TTLs and hop limits as systems send them; what comes with another was routed. */
export const INITIAL_HOPS: readonly number[] = [32, 64, 128, 255];
/** Those that the systems of today send with: 32, of Windows 95, is rather what is left of 64 or more. */
export const FRESH_TTLS: readonly number[] = [64, 128, 255];
