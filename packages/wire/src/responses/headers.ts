import { firstHeaderValue, type HeaderValues } from '../base/http-headers.ts';
import type { ModelEvent, RateLimitSnapshot, RateLimitWindow } from '../model/events.ts';

/** The name of the header that keeps a turn at one replica (docs/contract.md section 7). */
export const TURN_STATE_HEADER = 'x-codex-turn-state';

/** A turn state as it came, unless it holds anything but visible ASCII. */
export function turnStateOf(value: string | undefined): string | undefined {
  return value !== undefined && /^[\x20-\x7e]+$/.test(value) ? value : undefined;
}

/** The events that a response's headers stand for, before any event of its body; none for absent headers. */
export function headerEvents(headers: HeaderValues): ModelEvent[] {
  const events: ModelEvent[] = [];
  const model = textOf(headers, 'openai-model');
  if (model !== undefined) events.push({ type: 'server_model', model });
  for (const snapshot of parseRateLimits(headers)) events.push({ type: 'rate_limits', snapshot });
  const etag = textOf(headers, 'x-models-etag');
  if (etag !== undefined) events.push({ type: 'models_etag', etag });
  return events;
}

const FAMILY = /^x-(.+)-(?:primary|secondary)-used-percent$/;

/** One snapshot per family `x-<id>-primary-…`: `codex` first, the others by name. */
function parseRateLimits(headers: HeaderValues): RateLimitSnapshot[] {
  const families = new Set<string>();
  for (const name of Object.keys(headers)) {
    const family = FAMILY.exec(name)?.[1];
    if (family !== undefined) families.add(family);
  }
  if (parseCredits(headers) !== undefined) families.add('codex');
  const sorted = [...families].sort((left, right) => rank(left) - rank(right) || (left < right ? -1 : 1));
  return sorted.flatMap((family) => parseSnapshot(headers, family));
}

function rank(family: string): number {
  return family === 'codex' ? 0 : 1;
}

function parseSnapshot(headers: HeaderValues, family: string): RateLimitSnapshot[] {
  const primary = parseWindow(headers, `x-${family}-primary`);
  const secondary = parseWindow(headers, `x-${family}-secondary`);
  const credits = family === 'codex' ? parseCredits(headers) : undefined;
  if (primary === undefined && secondary === undefined && credits === undefined) return [];
  const name = textOf(headers, `x-${family}-limit-name`);
  return [
    {
      limit_id: family.replaceAll('-', '_'),
      ...(name === undefined ? {} : { limit_name: name }),
      ...(primary === undefined ? {} : { primary }),
      ...(secondary === undefined ? {} : { secondary }),
      ...(credits === undefined ? {} : { credits }),
    },
  ];
}

/** A window that says nothing (0 %, no length, no reset) is none. */
function parseWindow(headers: HeaderValues, prefix: string): RateLimitWindow | undefined {
  const used = parseNumber(headers, `${prefix}-used-percent`);
  if (used === undefined) return undefined;
  const minutes = parseNumber(headers, `${prefix}-window-minutes`);
  const reset = parseNumber(headers, `${prefix}-reset-at`);
  if (used === 0 && (minutes ?? 0) === 0 && reset === undefined) return undefined;
  return {
    used_percent: used,
    ...(minutes === undefined ? {} : { window_minutes: minutes }),
    ...(reset === undefined ? {} : { reset_at: reset }),
  };
}

function parseCredits(headers: HeaderValues): RateLimitSnapshot['credits'] {
  const has = parseBoolean(headers, 'x-codex-credits-has-credits');
  const unlimited = parseBoolean(headers, 'x-codex-credits-unlimited');
  if (has === undefined || unlimited === undefined) return undefined;
  const balance = textOf(headers, 'x-codex-credits-balance')?.trim() ?? '';
  return { has_credits: has, unlimited, ...(balance === '' ? {} : { balance }) };
}

function parseBoolean(headers: HeaderValues, name: string): boolean | undefined {
  switch (textOf(headers, name)?.toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      return undefined;
  }
}

function parseNumber(headers: HeaderValues, name: string): number | undefined {
  const text = textOf(headers, name);
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function textOf(headers: HeaderValues, name: string): string | undefined {
  const text = firstHeaderValue(headers[name]);
  return text === undefined || text === '' ? undefined : text;
}
