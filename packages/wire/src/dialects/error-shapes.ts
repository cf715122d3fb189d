import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';

/** Reads an error in one of the shapes in which servers tell it, or finds nothing. */
type ErrorShape = (event: JsonObject) => ErrorValue | undefined;

/** An error as it was told: in it or, where it does not say, beside it. */
interface ErrorValue {
  readonly message: string | undefined;
  readonly type: unknown;
  readonly param: unknown;
  readonly code: unknown;
  readonly status: unknown;
  /** The server's id of the request. */
  readonly requestId: unknown;
}

/**
 * Errors where an event or an answer was due, on any wire, by the order in which they are looked for (docs/contract.md 3.8).
 * Who sends them: `seen/sources.ts`.
 */
export const errorShapes = {
  anthropic: ({ type, error, request_id: id, ...beside }) =>
    type === 'error' && isObject(error) && !('code' in error) && Object.keys(beside).length === 0
      ? { ...joined(error, {}), code: error['type'], requestId: id }
      : undefined,
  error: ({ error, ...beside }) => (isTruthy(error) || error === '' ? joined(error, beside) : undefined),
  base_resp: ({ base_resp: base }) => (isObject(base) && isBad(base['status_code']) ? joined(base, {}) : undefined),
  errors: ({ errors, ...beside }) =>
    Array.isArray(errors) && errors.length > 0 ? joined(errors[0], beside) : undefined,
  success: (event) => (event['success'] === false ? joined(event, {}) : undefined),
  flat: (event) =>
    messageIn(event) !== undefined && FAULTS.some((key) => isBad(event[key])) ? joined(event, {}) : undefined,
  object: (event) => (event['object'] === 'error' ? joined(event, {}) : undefined),
  type: (event) => (event['type'] === 'error' ? joined(event, {}) : undefined),
  detail: (event) => ('detail' in event && Object.keys(event).length === 1 ? joined(event, {}) : undefined),
} as const satisfies Readonly<Record<string, ErrorShape>>;

const readers: readonly ErrorShape[] = Object.values(errorShapes);

/** The error in an event or a body that is no answer; `undefined` for one that tells of none. */
export function errorInEvent(event: JsonObject): ErrorValue | undefined {
  for (const read of readers) {
    const error = read(event);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The error in the body of a refusal, where any object is one; alone in a list, as Gemini sends it, too. */
export function errorInRefusal(body: unknown): ErrorValue | undefined {
  const whole: unknown = Array.isArray(body) ? body[0] : body;
  return isObject(whole) ? (errorInEvent(whole) ?? joined(whole, {})) : undefined;
}

/** The error beside the choices of an event, or in one of them: an object or a text. */
export function errorBesideChoices(holder: JsonObject): ErrorValue | undefined {
  const error = holder['error'];
  if (error === undefined || !(isObject(error) || nonEmpty(error) !== undefined)) return undefined;
  const { code, status, message } = holder;
  return joined(error, { code, status, message: isObject(message) ? undefined : message });
}

const MESSAGES = ['message', 'msg', 'detail', 'status_msg', 'error_msg', 'error_message'];
const FAULTS = ['code', 'status', 'status_code', 'error_code'];

/** What a status or a code may be where nothing is wrong. */
const GOOD_WORDS: ReadonlySet<string> = new Set([
  '',
  '0',
  'ok',
  'success',
  'queued',
  'pending',
  'processing',
  'running',
  'in_progress',
]);

/** What a status says of any failure. */
const BARE_WORDS: ReadonlySet<string> = new Set(['error', 'fail', 'failed', 'failure']);

/** The type of an event that is an error, which is none of an error. */
const NO_TYPE: ReadonlySet<unknown> = new Set(['error', 'response.failed']);

function isBad(code: unknown): boolean {
  if (typeof code === 'string') return !GOOD_WORDS.has(code.toLowerCase());
  return typeof code === 'number' && code !== 0 && !(code >= 100 && code < 400);
}

function isTruthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

/** One error value of what stands in the error and, where that does not have it, beside it. */
function joined(error: unknown, beside: JsonObject): ErrorValue {
  const inside = isObject(error) ? error : {};
  const field = (name: string): unknown => inside[name] ?? beside[name];
  const number = typeof error === 'number' ? error : undefined;
  const type = field('type');
  return {
    message: nonEmpty(error) ?? messageIn(inside) ?? messageIn(beside),
    type: NO_TYPE.has(type) ? undefined : type,
    param: field('param'),
    code: codeOf(number ?? FAULTS.map(field).find(isBad)),
    status: field('status') ?? field('status_code'),
    requestId: field('request_id'),
  };
}

/** A number that is no HTTP status is the server's own code; a word that only says that something failed is none. */
function codeOf(code: unknown): unknown {
  if (typeof code === 'string' && BARE_WORDS.has(code.toLowerCase())) return undefined;
  return typeof code === 'number' && (code < 400 || code > 599) ? String(code) : code;
}

function messageIn(fields: JsonObject): string | undefined {
  for (const key of MESSAGES) {
    const text = messageText(fields[key]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A text, or FastAPI's list of complaints: `[{"loc": ["body", "model"], "msg": "Field required"}]`. */
function messageText(value: unknown): string | undefined {
  if (!Array.isArray(value)) return nonEmpty(value);
  const complaints = value.filter(isObject).flatMap(({ loc, msg }) => {
    const where = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return typeof msg === 'string' ? [`${where}${msg}`] : [];
  });
  return nonEmpty(complaints.join('; '));
}
