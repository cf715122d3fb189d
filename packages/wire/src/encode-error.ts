import { errorFromWire } from './model/classify.ts';
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

/** An error's fields as both wires carry them. */
export interface WireError {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/**
 * The error as a client can classify it: the server's own code when it stands for the same kind, else the code that
 * clients know for the kind; a server's delay goes into the message, where clients look for it.
 */
export function wireErrorOf(error: ModelError): WireError {
  return {
    type: typeOfKind[error.kind] ?? 'server_error',
    code: codeOf(error),
    message: messageOf(error),
  };
}

/** The HTTP status for an error that comes before any byte of the answer. */
export function httpStatusOf(error: ModelError): number {
  return error.status ?? statusOfKind[error.kind];
}

function codeOf(error: ModelError): string {
  if (error.code !== undefined && errorFromWire({ code: error.code }).kind === error.kind) return error.code;
  return codeOfKind[error.kind];
}

function messageOf(error: ModelError): string {
  const afterMs = error.kind === 'rate_limited' ? error.retry.afterMs : undefined;
  if (afterMs === undefined || retryAfterFromMessage(error.message) !== undefined) return error.message;
  return `${error.message} Please try again in ${afterMs / 1000}s.`;
}
