/** TTL or hop limit as systems send it; what comes with another was routed. */
export const INITIAL_HOPS: readonly number[] = [32, 64, 128, 255];
