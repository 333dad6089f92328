/**
 * Sightings of one request closer than this are one request: reflected, looped, replicated, seen at two hops (catalogue 3.4;
 * retries come ≥ 0.5 s apart).
 */
export const SAME_REQUEST_NS = 200e6;
