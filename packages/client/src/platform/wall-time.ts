/** The time of day. It may jump: to measure how long something took, use a `Clock`. */

/** Milliseconds since 1970-01-01 in UTC. */
export function unixMs(): number {
  return Date.now();
}

/** Whole seconds since 1970-01-01 in UTC, as `created_at` and `created` of the wires have it. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * The time in UTC as ISO 8601 writes it, to the millisecond: `2026-11-20T23:53:01.250Z`.
 *
 * @param laterMs - milliseconds from now; default 0
 */
export function timestamp(laterMs = 0): string {
  return new Date(Date.now() + laterMs).toISOString();
}
