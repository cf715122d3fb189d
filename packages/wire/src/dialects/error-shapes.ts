import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';

/** A shape in which servers tell an error: its value as `errorFromWire` reads one, or nothing. */
interface ErrorShape {
  readonly name: string;
  /** Who was seen to send it: public reports. */
  readonly source: string;
  read(event: JsonObject): ErrorValue | undefined;
}

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

/** Errors where an event or an answer was due, on any wire, by the order in which they are looked for (docs/contract.md 3.8). */
export const errorShapes: readonly ErrorShape[] = [
  {
    name: 'anthropic',
    source: 'the Messages API: {"type": "error", "error": {"type", "message"}, "request_id"}; its type is its code',
    read: ({ type, error, request_id: id, ...beside }) =>
      type === 'error' && isObject(error) && !('code' in error) && Object.keys(beside).length === 0
        ? { ...joined(error, {}), code: error['type'], requestId: id }
        : undefined,
  },
  {
    name: 'error',
    source: 'every server: an object or a text; true or a number beside a message (ragflow#17292)',
    read: ({ error, ...beside }) => (isTruthy(error) || error === '' ? joined(error, beside) : undefined),
  },
  {
    name: 'base_resp',
    source: 'MiniMax (ragflow#17292, OpenMausBot#1200)',
    read: ({ base_resp: base }) => (isObject(base) && isBad(base['status_code']) ? joined(base, {}) : undefined),
  },
  {
    name: 'errors',
    source: 'Cloudflare: a list of errors beside success: false',
    read: ({ errors, ...beside }) =>
      Array.isArray(errors) && errors.length > 0 ? joined(errors[0], beside) : undefined,
  },
  {
    name: 'success',
    source: 'gateways: success is false',
    read: (event) => (event['success'] === false ? joined(event, {}) : undefined),
  },
  {
    name: 'flat',
    source: 'DashScope, GLM, vLLM up to 0.9 (crush#1237): a message beside a code or a status',
    read: (event) =>
      messageIn(event) !== undefined && FAULTS.some((key) => isBad(event[key])) ? joined(event, {}) : undefined,
  },
  {
    name: 'object',
    source: 'vLLM up to 0.9: {"object": "error"}',
    read: (event) => (event['object'] === 'error' ? joined(event, {}) : undefined),
  },
  {
    name: 'type',
    source: 'the Responses API: {"type": "error"} with its fields beside it',
    read: (event) => (event['type'] === 'error' ? joined(event, {}) : undefined),
  },
  {
    name: 'detail',
    source: 'servers built on FastAPI: {"detail": …} and nothing else',
    read: (event) => ('detail' in event && Object.keys(event).length === 1 ? joined(event, {}) : undefined),
  },
];

/** The error in an event or a body that is no answer; `undefined` for one that tells of none. */
export function errorInEvent(event: JsonObject): ErrorValue | undefined {
  for (const shape of errorShapes) {
    const error = shape.read(event);
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
