import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { errorFromWire, errorValueOf } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import { ceilMs } from '../model/retry-after.ts';
import { usageFromResponses } from './usage.ts';

/** `response.failed`: the error of its response, or a generic one where it has none. */
export function failedError(response: JsonObject): ModelError {
  return errorFromWire(response['error'], { fallbackMessage: 'response.failed event received' });
}

/** `response.incomplete`: its reason is the code. */
export function incompleteError(response: JsonObject): ModelError {
  const details = response['incomplete_details'];
  const reason = isObject(details) ? nonEmpty(details['reason']) : undefined;
  return new ModelError({
    kind: reason === 'content_filter' ? 'content_filter' : 'incomplete',
    code: reason,
    message: `the server ended the response early: ${reason ?? 'no reason given'}`,
    usage: usageFromResponses(response['usage']),
  });
}

/** An `error` event or frame in either shape: nested (`error: {…}`), or flat with `code` and `message` beside `type`. */
export function eventError(event: JsonObject): ModelError {
  const nested = event['error'];
  const value =
    isObject(nested) || nonEmpty(nested) !== undefined
      ? errorValueOf(event)
      : { code: event['code'], message: event['message'] };
  return errorFromWire(value, { status: statusOf(event), afterMs: findDelay(event['headers']) });
}

function statusOf(event: JsonObject): number | undefined {
  for (const key of ['status', 'status_code']) {
    const value = event[key];
    if (typeof value === 'number' && value >= 400 && value <= 599) return value;
  }
  return undefined;
}

/** The delay in the `headers` of a WebSocket error frame: seconds as a string or a number. */
function findDelay(headers: unknown): number | undefined {
  if (!isObject(headers)) return undefined;
  for (const [name, value] of Object.entries(headers)) {
    const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof amount !== 'number' || !(amount >= 0)) continue;
    if (name.toLowerCase() === 'retry-after-ms') return ceilMs(amount);
    if (name.toLowerCase() === 'retry-after') return ceilMs(amount * 1000);
  }
  return undefined;
}
