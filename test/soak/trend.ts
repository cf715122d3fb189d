/** How a quantity went over time, by linear regression. */
export interface Trend {
  readonly mean: number;
  /** Growth over the whole time. */
  readonly growth: number;
  /** Standard error of that. */
  readonly error: number;
}

/** @param values - measured at even times; at least three */
export function trendOf(values: readonly number[]): Trend {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const middle = (n - 1) / 2;
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread;
  const rest = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0);
  return { mean, growth: slope * (n - 1), error: Math.sqrt(rest / Math.max(1, n - 2) / spread) * (n - 1) };
}

/** Grows by more than noise explains (three standard errors), and by more than `slack`. */
export function grows({ growth, error }: Trend, slack: number): boolean {
  return growth - 3 * error > slack;
}
