import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import type { RateLimitSnapshot, RateLimitsEvent, RateLimitWindow } from '../model/events.ts';
import { TURN_STATE_HEADER, turnStateOf } from './headers.ts';

/** The model that the server says it used: a header inside the event, never the body's own `model`. */
export function modelNamedIn(event: JsonObject): string | undefined {
  const response = event['response'];
  const inner = isObject(response) ? headerIn(response['headers'], ['openai-model', 'x-openai-model']) : undefined;
  return inner ?? headerIn(event['headers'], ['openai-model', 'x-openai-model']);
}

/** The turn state of a `response.metadata` event (docs/contract.md section 7). */
export function turnStateIn(event: JsonObject): string | undefined {
  if (event['type'] !== 'response.metadata') return undefined;
  return turnStateOf(headerIn(event['headers'], [TURN_STATE_HEADER]));
}

/** The event without its turn state, so that it may be logged. */
export function withoutTurnState(event: JsonObject): JsonObject {
  const headers = event['headers'];
  if (event['type'] !== 'response.metadata' || !isObject(headers)) return event;
  const shown = Object.entries(headers).filter(([name]) => name.toLowerCase() !== TURN_STATE_HEADER);
  return { ...event, headers: Object.fromEntries(shown) };
}

/** Names are case-insensitive; a value is a string or the first of an array. */
function headerIn(headers: unknown, names: readonly string[]): string | undefined {
  if (!isObject(headers)) return undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (!names.includes(name.toLowerCase())) continue;
    const text = nonEmpty(Array.isArray(value) ? (value as unknown[])[0] : value);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** `codex.rate_limits` -> `rate_limits`. */
export function rateLimitsEvent(event: JsonObject): RateLimitsEvent {
  const limits = isObject(event['rate_limits']) ? event['rate_limits'] : {};
  const primary = parseWindow(limits['primary']);
  const secondary = parseWindow(limits['secondary']);
  const credits = parseCredits(event['credits']);
  const plan = nonEmpty(event['plan_type']);
  return {
    type: 'rate_limits',
    snapshot: {
      limit_id: nonEmpty(event['metered_limit_name']) ?? nonEmpty(event['limit_name']) ?? 'codex',
      ...(primary === undefined ? {} : { primary }),
      ...(secondary === undefined ? {} : { secondary }),
      ...(credits === undefined ? {} : { credits }),
      ...(plan === undefined ? {} : { plan_type: plan }),
    },
  };
}

function parseWindow(value: unknown): RateLimitWindow | undefined {
  if (!isObject(value) || typeof value['used_percent'] !== 'number') return undefined;
  const minutes = value['window_minutes'];
  const reset = value['reset_at'];
  return {
    used_percent: value['used_percent'],
    ...(typeof minutes === 'number' ? { window_minutes: minutes } : {}),
    ...(typeof reset === 'number' ? { reset_at: reset } : {}),
  };
}

function parseCredits(value: unknown): RateLimitSnapshot['credits'] {
  if (!isObject(value) || typeof value['has_credits'] !== 'boolean' || typeof value['unlimited'] !== 'boolean')
    return undefined;
  const balance = nonEmpty(value['balance']);
  return {
    has_credits: value['has_credits'],
    unlimited: value['unlimited'],
    ...(balance === undefined ? {} : { balance }),
  };
}
