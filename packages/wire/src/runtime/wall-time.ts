/** The time of day. It may jump: to measure how long something took, use a `Clock`. */

/** Milliseconds since 1970-01-01 in UTC. */
export function unixMs(): number {
  return Date.now();
}

/** Whole seconds since 1970-01-01 in UTC, as `created_at` and `created` of the wires have it. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A date as headers write it, in milliseconds since 1970-01-01 in UTC; NaN for what is none. */
export function parseDate(date: string): number {
  return Date.parse(date);
}
