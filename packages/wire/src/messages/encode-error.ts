import { nonEmpty, type JsonObject } from '../base/json.ts';
import { retryHeadersOf, type ErrorAnswer, type ErrorFields } from '../encode-error.ts';
import type { ErrorKind, ModelError } from '../model/errors.ts';
import { withoutUndefined } from '../request-body.ts';

/** The status by which clients of this wire know each kind, whatever status the model server gave. */
const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid_request: 400,
  context_window_exceeded: 400,
  quota_exceeded: 402,
  usage_not_included: 403,
  policy: 400,
  content_filter: 400,
  unauthorized: 401,
  rate_limited: 429,
  server_overloaded: 529,
  server_error: 500,
  connection_failed: 502,
  timeout: 504,
  stream_idle: 504,
  stream_truncated: 502,
  incomplete: 500,
  protocol: 502,
  aborted: 499,
};

/** Statuses of an invalid request that tell clients more than 400 does: Claude Code names the model at a 404. */
const TELLING: ReadonlySet<number | undefined> = new Set([404, 413]);

/** The wire's type for each status: the API's error page, and `@anthropic-ai/sdk` 1.11.0. */
const typeOfStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Errors of this wire have a type; where it is all that a server told, it is the code, too (docs/contract.md 8.17). */
const TYPES: ReadonlySet<unknown> = new Set([...Object.values(typeOfStatus), 'invalid_request_error', 'api_error']);

/** Kinds that clients would ask again for in vain: Claude Code repeats a 401 for three minutes. */
const HOPELESS: ReadonlySet<ErrorKind> = new Set(['unauthorized', 'protocol']);

/** Refuses a thread of messages: the SDK's tool runner then sends the whole conversation with each request. */
export const THREAD_UNSUPPORTED = 'thread_unsupported_request';

/** What an error is told as on this wire, as long as no byte of the answer has gone out. */
export function messagesErrorOf(error: ModelError): ErrorAnswer {
  const { kind } = error;
  const own = kind === 'invalid_request' && TELLING.has(error.status) ? error.status : undefined;
  const status = own ?? statusOfKind[kind];
  return {
    status,
    type: typeFor(status),
    code: error.code ?? null,
    message: kind === 'context_window_exceeded' ? tooLongMessage(error.message) : error.message,
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    headers: { ...retryHeadersOf(error), ...(HOPELESS.has(kind) ? { 'x-should-retry': 'false' } : {}) },
  };
}

/** The body of a response that is an error, or the data of an `error` event. */
export function messagesErrorBody({ message, status = 400, code, param, requestId }: ErrorFields): JsonObject {
  const details = withoutUndefined({
    error_code: TYPES.has(code) ? undefined : nonEmpty(code),
    unsupported: code === THREAD_UNSUPPORTED ? [param] : undefined,
  });
  const error = { type: typeFor(status), message, ...(Object.keys(details).length === 0 ? {} : { details }) };
  return { type: 'error', error, request_id: requestId ?? null };
}

function typeFor(status: number): string {
  return typeOfStatus[status] ?? (status >= 500 || status === 499 ? 'api_error' : 'invalid_request_error');
}

/** Where servers say how much fits: see `dialects/full-context.ts`. */
const LIMIT =
  /(?:context (?:length|size|window)(?: is| of|:)?|prompt length is|maximum(?: number of tokens allowed)?|token limit:?|cannot exceed)\s*\(?(\d+)/i;

/** The API's own sentence, by which Claude Code knows that it has to make room; its numbers where the server told them. */
function tooLongMessage(message: string): string {
  if (/prompt is too long/i.test(message)) return message;
  const limit = Number(LIMIT.exec(message)?.[1]);
  const asked = Math.max(0, ...(message.match(/\d+/g) ?? []).map(Number));
  return asked > limit ? `prompt is too long: ${asked} tokens > ${limit} maximum` : `prompt is too long: ${message}`;
}
