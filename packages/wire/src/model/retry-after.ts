const MS_PER_UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

const UNIT = 'milliseconds?|ms|hours?|h|minutes?|mins?|m|seconds?|secs?|s';
const SENTENCE = new RegExp(String.raw`try again in\s+((?:\d+(?:\.\d+)?\s*(?:${UNIT})(?![a-z])\s*)+)`, 'i');
const PART = new RegExp(String.raw`(\d+(?:\.\d+)?)\s*(${UNIT})(?![a-z])`, 'gi');

/** Milliseconds from the sentence `try again in …` (`11.054s`, `28ms`, `2 minutes`, `6m0s`), rounded up. */
export function retryAfterFromMessage(message: string): number | undefined {
  const duration = SENTENCE.exec(message)?.[1];
  if (duration === undefined) return undefined;
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(PART)) {
    total += Number(amount) * (MS_PER_UNIT[canonicalUnit(unit ?? 's')] ?? 1000);
  }
  return ceilMs(total);
}

function canonicalUnit(unit: string): string {
  const lower = unit.toLowerCase();
  return lower === 'ms' || lower.startsWith('milli') ? 'ms' : lower.charAt(0);
}

/** Whole milliseconds, rounded up; 11.054 * 1000 is a hair over 11054 in binary and still means 11054. */
export function ceilMs(ms: number): number {
  return Math.ceil(Math.round(ms * 1000) / 1000);
}
