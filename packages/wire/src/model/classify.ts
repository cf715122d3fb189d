import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';
import { ModelError, type ErrorKind } from './errors.ts';
import { retryAfterFromMessage } from './retry-after.ts';

/** Kinds by the server's own code: a known code beats any status (docs/contract.md section 6). */
const kindByCode: Readonly<Record<string, ErrorKind>> = {
  context_length_exceeded: 'context_window_exceeded',
  exceed_context_size_error: 'context_window_exceeded', // llama.cpp, as `type`
  insufficient_quota: 'quota_exceeded',
  usage_limit_reached: 'quota_exceeded',
  usage_not_included: 'usage_not_included',
  cyber_policy: 'policy',
  content_filter: 'content_filter',
  invalid_prompt: 'invalid_request',
  bio_policy: 'invalid_request',
  rate_limit_exceeded: 'rate_limited',
  server_is_overloaded: 'server_overloaded',
  slow_down: 'server_overloaded',
};

/** Kinds by the API's general error types: only where neither a code nor a status said more. */
const kindByType: Readonly<Record<string, ErrorKind>> = {
  invalid_request_error: 'invalid_request',
  authentication_error: 'unauthorized',
  permission_error: 'unauthorized',
  rate_limit_error: 'rate_limited',
  overloaded_error: 'server_overloaded',
};

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
  readonly replaySafe?: boolean;
  /** The message where the server gave none. */
  readonly fallbackMessage?: string;
}

/**
 * A typed error from an error value of any wire: the value of `error` in a body or chunk (object or string),
 * or `response.error`.
 */
export function errorFromWire(error: unknown, context: ErrorContext = {}): ModelError {
  const fields = isObject(error) ? error : {};
  const codes = [nonEmpty(fields['code']), nonEmpty(fields['type'])];
  const status = context.status ?? statusIn(fields);
  const message = nonEmpty(error) ?? nonEmpty(fields['message']) ?? context.fallbackMessage ?? defaultMessage(status);
  const kind = findKind(codes, status);
  return new ModelError({
    kind,
    message,
    status,
    code: codes.find((code) => code !== undefined && Object.hasOwn(kindByCode, code)) ?? codes[0],
    requestId: context.requestId,
    afterMs: context.afterMs ?? (kind === 'rate_limited' ? retryAfterFromMessage(message) : undefined),
    replaySafe: context.replaySafe ?? true,
  });
}

function findKind(codes: readonly (string | undefined)[], status: number | undefined): ErrorKind {
  for (const code of codes) {
    if (code !== undefined && Object.hasOwn(kindByCode, code)) return kindByCode[code] ?? 'server_error';
  }
  if (status !== undefined) return kindOfStatus(status);
  for (const code of codes) {
    if (code !== undefined && Object.hasOwn(kindByType, code)) return kindByType[code] ?? 'server_error';
  }
  return 'server_error';
}

/** A numeric `code` or `status` inside an error is an HTTP status (docs/contract.md 3.8). */
function statusIn(fields: JsonObject): number | undefined {
  for (const key of ['code', 'status', 'status_code']) {
    const value = fields[key];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599) return value;
  }
  return undefined;
}

function defaultMessage(status: number | undefined): string {
  return status === undefined ? 'the server reported an error without a message' : `the server answered ${status}`;
}

/** The value of `error`; a code, status or message that stands beside it instead of inside it is told with it. */
export function errorValueOf({ error, code, status, message }: JsonObject): unknown {
  if (code === undefined && status === undefined) return error;
  return isObject(error) ? { code, status, message, ...error } : { message: nonEmpty(error) ?? message, code, status };
}

/**
 * The error value inside a whole body: `{"error": …}`, `{"detail": …}` (a text, or FastAPI's list of complaints), or the
 * body's own fields; any of them alone in a list, as Gemini sends it.
 */
export function errorValueOfBody(body: unknown): unknown {
  const whole: unknown = Array.isArray(body) ? body[0] : body;
  if (!isObject(whole)) return undefined;
  const inner = whole['error'];
  if (isObject(inner) || nonEmpty(inner) !== undefined) return errorValueOf(whole);
  return textOfDetail(whole['detail']) ?? whole;
}

/** `[{"loc": ["body", "model"], "msg": "Field required"}]` reads `body.model: Field required`. */
function textOfDetail(detail: unknown): string | undefined {
  if (!Array.isArray(detail)) return nonEmpty(detail);
  const complaints = detail.filter(isObject).flatMap(({ loc, msg }) => {
    const where = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return typeof msg === 'string' ? [`${where}${msg}`] : [];
  });
  return nonEmpty(complaints.join('; '));
}
