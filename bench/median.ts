export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** A median, and between which figures it lies 19 times of 20, by the ranks of the values: nothing is supposed of their noise. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const half = 0.98 * Math.sqrt(values.length); // 1.96 standard deviations of a binomial rank
  const low = Math.max(0, Math.floor(values.length / 2 - half));
  const high = Math.min(values.length - 1, Math.ceil(values.length / 2 + half));
  return { value: median(values), low: sorted[low] ?? NaN, high: sorted[high] ?? NaN };
}
