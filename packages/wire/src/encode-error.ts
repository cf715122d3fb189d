import type { JsonObject } from './base/json.ts';
import { kindOfCode } from './model/classify.ts';
import type { ErrorKind, ModelError } from './model/errors.ts';
import { retryAfterFromMessage } from './model/retry-after.ts';

/** The code that clients know for each kind, where the error carries none that says the same. */
const codeOfKind: Readonly<Record<ErrorKind, string>> = {
  invalid_request: 'invalid_prompt',
  context_window_exceeded: 'context_length_exceeded',
  quota_exceeded: 'insufficient_quota',
  usage_not_included: 'usage_not_included',
  policy: 'cyber_policy',
  content_filter: 'content_filter',
  unauthorized: 'authentication_error',
  rate_limited: 'rate_limit_exceeded',
  server_overloaded: 'server_is_overloaded',
  server_error: 'server_error',
  connection_failed: 'server_error',
  timeout: 'server_error',
  stream_idle: 'server_error',
  stream_truncated: 'server_error',
  incomplete: 'incomplete',
  protocol: 'server_error',
  aborted: 'server_error',
};

const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid_request: 400,
  context_window_exceeded: 400,
  quota_exceeded: 402,
  usage_not_included: 403,
  policy: 400,
  content_filter: 400,
  unauthorized: 401,
  rate_limited: 429,
  server_overloaded: 503,
  server_error: 500,
  connection_failed: 502,
  timeout: 504,
  stream_idle: 504,
  stream_truncated: 502,
  incomplete: 500,
  protocol: 502,
  aborted: 499,
};

const typeOfKind: Readonly<Partial<Record<ErrorKind, string>>> = {
  invalid_request: 'invalid_request_error',
  context_window_exceeded: 'invalid_request_error',
  policy: 'invalid_request_error',
  content_filter: 'invalid_request_error',
  unauthorized: 'authentication_error',
  rate_limited: 'rate_limit_error',
  quota_exceeded: 'insufficient_quota',
};

/** An error's fields as Chat Completions and the Responses API carry them. */
export interface WireError {
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** The field of the request that is wrong, where the server named it. */
  readonly param: string | null;
}

/** Kinds that clients know by their code alone, and act on: they make room, stop, or wait. */
const actedOn: ReadonlySet<ErrorKind> = new Set([
  'context_window_exceeded',
  'quota_exceeded',
  'usage_not_included',
  'policy',
  'content_filter',
  'rate_limited',
  'server_overloaded',
]);

/**
 * The error as the server told it, so far as a client can classify that: its own type, code and param; the code that
 * clients know for the kind where there is none, or where theirs would mean another kind. A server's delay goes into the
 * message, where clients look for it.
 */
export function wireErrorOf(error: ModelError): WireError {
  return {
    type: error.errorType ?? typeOfKind[error.kind] ?? 'server_error',
    code: codeOf(error),
    message: messageOf(error),
    param: error.param ?? null,
  };
}

/** An error that is written for a client, whoever found it. */
export interface ErrorFields {
  readonly message: string;
  /** The HTTP status, by which some wires name the error. Default: 400. */
  readonly status?: number | undefined;
  /** Default: `invalid_request_error`. */
  readonly type?: string | undefined;
  /** Default: none. */
  readonly code?: string | null | undefined;
  /** The field of the request that is wrong. Default: none. */
  readonly param?: string | null | undefined;
  /** The request's id at the server, where the wire has a place for it. Default: none. */
  readonly requestId?: string | undefined;
}

/** An answer that is an error, for everything that goes wrong before the first byte. */
export interface ErrorAnswer {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  /** The request's field that is wrong. */
  readonly param?: string;
  /** The request's id at the server. */
  readonly requestId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a model server's failure is told as by Chat Completions and by the Responses API. */
export function errorAnswerOf(error: ModelError): ErrorAnswer {
  const { param, ...wire } = wireErrorOf(error);
  const status = httpStatusOf(error);
  return {
    status: status >= 400 ? status : 502,
    ...wire,
    ...(param === null ? {} : { param }),
    headers: retryHeadersOf(error),
  };
}

/** The delay that a server asked for, or that nothing helps: OpenAI's SDKs ask again upon any 5xx that does not say so. */
export function retryHeadersOf(error: ModelError): Record<string, string> {
  const { class: retryClass, afterMs } = error.retry;
  if (retryClass === 'never' && httpStatusOf(error) >= 500) return { 'x-should-retry': 'false' };
  if (afterMs === undefined) return {};
  return { 'retry-after': String(Math.ceil(afterMs / 1000)), 'retry-after-ms': String(afterMs) };
}

/** The body of a response that is an error, as Chat Completions and the Responses API have it: every field there. */
export function errorBodyOf({ message, type = 'invalid_request_error', code = null, param = null }: ErrorFields): {
  readonly error: JsonObject;
} {
  return { error: { message, type, param, code } };
}

/** The frame of an error on a WebSocket, with the HTTP status that it would have: the nested form, which every client knows. */
export function errorFrameOf(status: number, error: ErrorFields): JsonObject {
  return { type: 'error', status, ...errorBodyOf(error) };
}

/** The HTTP status for an error that comes before any byte of the answer. */
export function httpStatusOf(error: ModelError): number {
  return error.status ?? statusOfKind[error.kind];
}

function codeOf(error: ModelError): string {
  const own = error.code;
  if (own === undefined) return codeOfKind[error.kind];
  const known = kindOfCode(own);
  const isRight = known === undefined ? !actedOn.has(error.kind) : known === error.kind;
  return isRight ? own : codeOfKind[error.kind];
}

function messageOf(error: ModelError): string {
  const afterMs = error.kind === 'rate_limited' ? error.retry.afterMs : undefined;
  if (afterMs === undefined || retryAfterFromMessage(error.message) !== undefined) return error.message;
  return `${error.message} Please try again in ${afterMs / 1000}s.`;
}
