/** The time of day. It may jump: to measure how long something took, use a `Clock`. */

export { unixMs, unixSeconds } from '@turnwire/wire/internal/runtime/wall-time';

/**
 * The time in UTC as ISO 8601 writes it, to the millisecond: `2026-11-20T23:53:01.250Z`.
 *
 * @param laterMs - milliseconds from now; default 0
 */
export function timestamp(laterMs = 0): string {
  return new Date(Date.now() + laterMs).toISOString();
}
