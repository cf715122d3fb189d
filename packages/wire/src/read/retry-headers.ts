import { parseDate, unixMs } from '../runtime/wall-time.ts';
import { ceilMs } from '../model/retry-after.ts';

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
  const date = value === undefined || !/[a-z]{3}/i.test(value) ? NaN : parseDate(value);
  return Number.isNaN(date) ? undefined : Math.max(0, ceilMs(date - wallNow()));
}

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens'];

/**
 * Milliseconds until the first of the limits is renewed of which nothing remains, as Anthropic's servers tell it in
 * `anthropic-ratelimit-…-remaining` and `-reset`, a date of RFC 3339.
 *
 * @param wallNow - now in Unix milliseconds
 */
export function limitResetOf(
  header: (name: string) => string | undefined,
  wallNow: () => number = unixMs,
): number | undefined {
  const resets = LIMITS.filter((name) => parseNumber(header(`anthropic-ratelimit-${name}-remaining`)) === 0)
    .map((name) => parseDate(header(`anthropic-ratelimit-${name}-reset`) ?? ''))
    .filter((date) => !Number.isNaN(date));
  return resets.length === 0 ? undefined : Math.max(0, ceilMs(Math.min(...resets) - wallNow()));
}

/** What a server says of a retry, whatever its status is: SDKs of OpenAI and Anthropic obey it. */
export function shouldRetryOf(header: (name: string) => string | undefined): boolean | undefined {
  const value = header('x-should-retry')?.trim();
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** A plain number of at least 0, spelled in digits. */
function parseNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
