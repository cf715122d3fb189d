/** A time in milliseconds, to a tenth: what is written to logs, traces and reports. */
export function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
