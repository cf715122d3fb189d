import { unixMs } from '../platform/wall-time.ts';
import { ceilMs } from '@turnwire/wire/internal/model/retry-after';

/**
 * Milliseconds that a server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date.
 *
 * @param wallNow - now in Unix milliseconds, for a date
 */
export function retryAfterOf(
  header: (name: string) => string | undefined,
  wallNow: () => number = unixMs,
): number | undefined {
  const ms = parseNumber(header('retry-after-ms'));
  if (ms !== undefined) return ceilMs(ms);
  const value = header('retry-after');
  const seconds = parseNumber(value);
  if (seconds !== undefined) return ceilMs(seconds * 1000);
  // A date has the name of its month; `Date.parse` alone would make a year of any number.
  const date = value === undefined || !/[a-z]{3}/i.test(value) ? NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, ceilMs(date - wallNow()));
}

/** A plain number of at least 0, spelled in digits. */
function parseNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
