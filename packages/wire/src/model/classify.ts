import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { errorBesideChoices, errorInEvent, errorInRefusal } from '../dialects/error-shapes.ts';
import { kindByCode, kindByType, NO_WORD } from '../dialects/error-codes.ts';
import { isOverAnyRate, tellsNoMoney } from '../dialects/money.ts';
import { tellsFullContext } from '../dialects/full-context.ts';
import { ModelError, type ErrorKind } from './errors.ts';
import { retryAfterFromMessage } from './retry-after.ts';

const codes: ReadonlyMap<string, ErrorKind> = new Map(Object.entries(kindByCode));
const types: ReadonlyMap<string, ErrorKind> = new Map(Object.entries(kindByType));

const kindByStatus: Readonly<Record<number, ErrorKind>> = {
  401: 'unauthorized',
  402: 'quota_exceeded',
  403: 'unauthorized',
  408: 'timeout',
  409: 'server_error',
  425: 'server_error',
  429: 'rate_limited',
  503: 'server_overloaded',
  508: 'protocol', // Loop Detected: a bridge that is its own upstream; asking again asks everybody in the loop again
  529: 'server_overloaded',
};

/** The kind that an HTTP status alone stands for. Below 400 it is not a model server's answer: `protocol`. */
export function kindOfStatus(status: number): ErrorKind {
  const known = kindByStatus[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'invalid_request' : 'protocol';
}

export interface ErrorContext {
  /** HTTP status of the response, when it was not a good one. */
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** Milliseconds from `Retry-After` or `retry-after-ms`. */
  readonly afterMs?: number | undefined;
  /** `x-should-retry`. */
  readonly shouldRetry?: boolean | undefined;
  readonly replaySafe?: boolean;
  /** The message where the server gave none. */
  readonly fallbackMessage?: string;
}

/**
 * A typed error from an error value of any wire: an object with its code, type, message and status, or a text. What
 * finds one in an event or a body is `dialects/error-shapes.ts`.
 */
export function errorFromWire(error: unknown, context: ErrorContext = {}): ModelError {
  const fields = isObject(error) ? error : {};
  const { code, type } = { code: wordOf(fields['code']), type: wordOf(fields['type']) };
  const status = context.status ?? statusIn(fields);
  const message = nonEmpty(error) ?? nonEmpty(fields['message']) ?? context.fallbackMessage ?? defaultMessage(status);
  const kind = findKind({ code, type, status, message });
  return new ModelError({
    kind,
    message,
    status,
    code: [code, type].find((word) => word !== undefined && kindOfCode(word) !== undefined) ?? code,
    errorType: type,
    param: wordOf(fields['param']),
    requestId: context.requestId ?? nonEmpty(fields['requestId']),
    afterMs: context.afterMs ?? (kind === 'rate_limited' ? retryAfterFromMessage(message) : undefined),
    shouldRetry: context.shouldRetry,
    replaySafe: context.replaySafe ?? true,
  });
}

/** The error that an event or a body without choices tells of, in any shape of the table; `undefined` for one that tells of none. */
export function readError(event: JsonObject, context?: ErrorContext): ModelError | undefined {
  const value = errorInEvent(event);
  return value === undefined ? undefined : errorFromWire(value, context);
}

/** The same beside choices, or in one of them. */
export function readErrorBesideChoices(holder: JsonObject): ModelError | undefined {
  const value = errorBesideChoices(holder);
  return value === undefined ? undefined : errorFromWire(value);
}

/** The error of an answer whose status says that it is one, whatever is in its body. */
export function readRefusal(body: unknown, context: ErrorContext): ModelError {
  return errorFromWire(errorInRefusal(body), context);
}

/** The kind that the server's own code stands for, where it is a known one. */
export function kindOfCode(code: string): ErrorKind | undefined {
  return codes.get(code.toLowerCase());
}

interface Told {
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly status: number | undefined;
  readonly message: string;
}

/** A known code, then the words of the message, then the status, then the type. */
function findKind({ code, type, status, message }: Told): ErrorKind {
  const known =
    (code === undefined ? undefined : kindOfCode(code)) ?? (type === undefined ? undefined : kindOfCode(type));
  if (known === 'rate_limited' && isOverAnyRate(message, status)) return 'quota_exceeded';
  if (known !== undefined && known !== 'invalid_request') return known;
  if (tellsFullContext(message)) return 'context_window_exceeded';
  if (tellsNoMoney(message)) return 'quota_exceeded';
  if (known !== undefined) return known;
  if (status !== undefined) return kindOfStatus(status);
  return (
    (type === undefined ? undefined : types.get(type)) ??
    (code === undefined ? undefined : types.get(code)) ??
    'server_error'
  );
}

/** A code or type as text. One that is a status is none. */
function wordOf(value: unknown): string | undefined {
  if (statusOf(value) !== undefined) return undefined;
  const word = typeof value === 'number' && codes.has(String(value)) ? String(value) : nonEmpty(value);
  return word === undefined || NO_WORD.has(word.toLowerCase()) ? undefined : word;
}

/** A `code` or `status` inside an error that is a number, or three digits, from 400 on is an HTTP status (docs/contract.md 3.8). */
function statusIn(fields: JsonObject): number | undefined {
  for (const key of ['code', 'status', 'status_code']) {
    const status = statusOf(fields[key]);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** The value as the HTTP status of a failure, where it is one. */
export function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined;
}

function defaultMessage(status: number | undefined): string {
  return status === undefined ? 'the server reported an error without a message' : `the server answered ${status}`;
}
