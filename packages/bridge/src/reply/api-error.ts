import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { errorFrameOf, type ErrorAnswer } from '@turnwire/wire/internal/encode-error';
import type { Protocol } from '@turnwire/wire/internal/protocol';
import { protocols } from '@turnwire/wire/internal/protocols';

/** An answer in the API's own error shape, for everything that goes wrong before the first byte. */
export type ApiError = ErrorAnswer;

/** How a client is told of errors: as its wire does. */
export type ErrorForm = Pick<Protocol, 'errorBody' | 'errorAnswer'>;

/** For clients that do not say which wire they speak. */
export const usualForm: ErrorForm = protocols.responses;

/** The body of an error answer. */
export function errorBody(error: ApiError, form: ErrorForm): string {
  return JSON.stringify(form.errorBody(error));
}

/** The frame of an error on a socket. */
export function errorFrame(error: ApiError): JsonObject {
  return errorFrameOf(error.status, error);
}

/** An `invalid_request_error`. */
export function badRequest(message: string, more: Partial<ApiError> = {}): ApiError {
  return { status: 400, type: 'invalid_request_error', code: null, message, ...more };
}

/** A request that this bridge has sent itself: RFC 5842, section 7.2. */
export function loopDetected(): ApiError {
  return {
    status: 508,
    type: 'server_error',
    code: 'loop_detected',
    message: 'an upstream of this bridge leads back to the bridge itself: name the model server with --upstream',
  };
}

/** More streams than the bridge is allowed. */
export function tooMany(): ApiError {
  return {
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: 'too many open streams (--max-streams, or max_streams of the caller): try again in 1s',
    headers: { 'retry-after': '1' },
  };
}

/** What a request is about was on a worker of the bridge that has ended. */
export function workerGone(): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'worker_gone',
    message:
      'the worker of the bridge that ran this response has ended: ask again, to see whether the response was kept',
    headers: { 'retry-after': '1' },
  };
}

/** For requests that come while the streams under way are let finish. */
export function shuttingDown(): ApiError {
  return {
    status: 503,
    type: 'server_error',
    code: 'server_is_overloaded',
    message: 'the bridge is shutting down',
    headers: { 'retry-after': '1', connection: 'close' },
  };
}
