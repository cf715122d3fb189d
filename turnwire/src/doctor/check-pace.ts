/** A gap this long between most events is a slow model, or a slow way, in milliseconds. */
export const SLOW_GAP = 8;

/** The best of all answers counts: one that is slow by chance says nothing. In milliseconds. */
export const SLOW_START = 250;

/** The gap between two events that half of all gaps do not exceed. */
export function medianGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 0;
}
