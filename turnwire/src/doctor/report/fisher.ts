/** `k` of `n`. */
interface Count {
  readonly k: number;
  readonly n: number;
}

/** A difference that chance alone makes less often than this counts. */
const SIGNIFICANT = 0.05;

/**
 * True when something happened more often than before, by more than chance explains: Fisher's exact test, one-sided. Few
 * tries prove little: 1 of 3 against 0 of 3 is no difference.
 */
export function moreOften(now: Count, before: Count): boolean {
  if (now.n === 0 || before.n === 0 || now.k * before.n <= before.k * now.n) return false;
  const [k, n] = [now.k + before.k, now.n + before.n];
  let chance = 0;
  for (let more = now.k; more <= Math.min(now.n, k); more++) {
    chance += Math.exp(logChoose(now.n, more) + logChoose(before.n, k - more) - logChoose(n, k));
  }
  return chance < SIGNIFICANT;
}

function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i++) sum += Math.log(i);
  return sum;
}
