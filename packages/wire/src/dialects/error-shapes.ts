import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';

/** A shape in which servers tell an error: its value as `errorFromWire` reads one, or nothing. */
interface ErrorShape {
  readonly name: string;
  /** Who was seen to send it: public reports. */
  readonly source: string;
  read(event: JsonObject): unknown;
}

/** Errors where a chunk or an answer was due, by the order in which they are looked for (docs/contract.md 3.8). */
export const errorShapes: readonly ErrorShape[] = [
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
    name: 'detail',
    source: 'servers built on FastAPI: {"detail": …} and nothing else',
    read: (event) => ('detail' in event && Object.keys(event).length === 1 ? joined(event, {}) : undefined),
  },
];

/** The error in an object that has no choices; `undefined` for one that tells of none. */
export function errorInEvent(event: JsonObject): unknown {
  for (const shape of errorShapes) {
    const error = shape.read(event);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The error beside the choices of an event, or in one of them: an object or a text. */
export function errorBesideChoices(holder: JsonObject): unknown {
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

function isBad(code: unknown): boolean {
  if (typeof code === 'string') return !GOOD_WORDS.has(code.toLowerCase());
  return typeof code === 'number' && code !== 0 && !(code >= 100 && code < 400);
}

function isTruthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

/** One error value of what stands in the error and, where that does not have it, beside it. */
function joined(error: unknown, beside: JsonObject): JsonObject {
  const inside = isObject(error) ? error : {};
  const fields = { ...beside, ...inside };
  const number = typeof error === 'number' ? error : undefined;
  return {
    message: nonEmpty(error) ?? messageIn(inside) ?? messageIn(beside),
    type: fields['type'],
    param: fields['param'],
    code: codeOf(number ?? FAULTS.map((key) => fields[key]).find(isBad)),
    status: fields['status'],
  };
}

/** A number that is no HTTP status is the server's own code. */
function codeOf(code: unknown): unknown {
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
export function messageText(value: unknown): string | undefined {
  if (!Array.isArray(value)) return nonEmpty(value);
  const complaints = value.filter(isObject).flatMap(({ loc, msg }) => {
    const where = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return typeof msg === 'string' ? [`${where}${msg}`] : [];
  });
  return nonEmpty(complaints.join('; '));
}
