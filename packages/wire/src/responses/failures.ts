import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { errorFromWire, readError } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import { ceilMs } from '../model/retry-after.ts';
import type { Usage } from '../model/usage.ts';

/** `response.failed`: the error of its response, else of the event, or a generic one where neither has one. */
export function failedError(response: JsonObject, event: JsonObject): ModelError {
  // The status is how the response ended, not a code of its error.
  const context = { fallbackMessage: 'response.failed event received' };
  return (
    readError({ ...response, status: undefined }, context) ??
    readError(event, context) ??
    errorFromWire(undefined, context)
  );
}

/** `response.incomplete`: its reason is the code. */
export function incompleteError(response: JsonObject, usage: Usage | undefined): ModelError {
  const reason = reasonIn(response);
  return new ModelError({
    kind: reason === 'content_filter' ? 'content_filter' : 'incomplete',
    code: reason,
    message: `the server ended the response early: ${reason ?? 'no reason given'}`,
    usage,
  });
}

/** A response that somebody cancelled at the server. */
export function cancelledError(usage: Usage | undefined): ModelError {
  return new ModelError({
    kind: 'incomplete',
    code: 'cancelled',
    message: 'the response was cancelled at the server',
    usage,
  });
}

/** How a response ended, from the best to the worst. */
const endings = ['completed', 'incomplete', 'cancelled', 'failed'] as const;
export type Ending = (typeof endings)[number];

/** True for a status that a response has when it is over. */
export function isFinal(status: unknown): status is Ending {
  return endings.some((ending) => ending === status);
}

/**
 * How a response ended: what its end event is called or what its payload says, whichever is worse. Servers send
 * `response.completed` for everything (vLLM up to 0.29, vllm-project/vllm#45386).
 */
export function endingOf(response: JsonObject, called: Ending): Ending {
  const told = [called, statusIn(response), carries(response['error']) ? 'failed' : 'completed'];
  return endings.findLast((ending) => told.includes(ending)) ?? called;
}

function statusIn(response: JsonObject): unknown {
  return response['status'] ?? (reasonIn(response) === undefined ? undefined : 'incomplete');
}

function reasonIn(response: JsonObject): string | undefined {
  const details = response['incomplete_details'];
  return isObject(details) ? nonEmpty(details['reason']) : undefined;
}

/** True for an error that says something; servers fill in `{}` and `""` for none. */
function carries(error: unknown): boolean {
  return isObject(error) ? Object.keys(error).length > 0 : Boolean(error);
}

/**
 * The error that an event, a frame or a body is, in any shape of the table; `undefined` for one that is none. An event
 * of the wire, whose type is a name with a dot, is one only where it is called so.
 */
export function errorOfEvent(event: JsonObject): ModelError | undefined {
  const type = nonEmpty(event['type']);
  return type?.includes('.') === true ? undefined : readError(event, { afterMs: findDelay(event['headers']) });
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
