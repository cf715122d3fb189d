import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { tellsFullContext } from '@turnwire/wire/internal/dialects/full-context';
import { healFor, type HealName } from '@turnwire/wire/internal/dialects/heals';
import { readError, readRefusal } from '@turnwire/wire/internal/model/classify';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import { wantsKey } from './read-answer.ts';
import { when, type Finding } from './finding.ts';
import type { RawAnswer } from './raw-exchange.ts';
import { bodyText, errorMessage, type Sample } from './sample.ts';

const HTML = /^\s*(<!--[\s\S]*?-->\s*)?<(!doctype|html|head|body)\b/i;

/** What is wrong with the heads of all answers to one question, and with bodies that are no stream. */
export function checkHead(sample: Sample): readonly Finding[] {
  return [
    ...sample.earlier.flatMap((answer) => checkImage(answer, sample) ?? checkRefusal(answer)),
    ...(checkImage(sample.answer, sample) ?? checkRefusal(sample.answer, sample.body)),
    ...checkBody(sample),
  ];
}

/** A model that takes no images is refused with many statuses, llama.cpp's 500 among them; undefined for anything else. */
function checkImage(answer: RawAnswer, { body }: Sample): readonly Finding[] | undefined {
  const { status } = answer;
  if (status < 400) return undefined;
  const message = errorMessage(bodyText(answer).text);
  if (healFor({ status, message }, body, new Set())?.name !== 'images_refused') return undefined;
  return [{ quirk: 'image-refused', seen: `HTTP ${status}: ${message}` }];
}

/** Answers that are no 200; `body` is what was asked, where that is known. */
function checkRefusal(answer: RawAnswer, body: JsonObject = {}): readonly Finding[] {
  const { status, headers, end } = answer;
  if (end === 'refused') return [{ quirk: 'refuse-connection', seen: answer.error ?? 'no answer' }];
  if (status === 0) return [{ quirk: 'no-answer', seen: `no head within ${Math.round(answer.endMs)} ms` }];
  if (status < 300) return [];
  if (status < 400) return [{ quirk: 'redirect', seen: `${status} to ${(headers.location ?? '').slice(0, 80)}` }];
  const { text } = bodyText(answer);
  const seen = `HTTP ${status}: ${errorMessage(text)}`;
  return [{ quirk: refusalOf(status, headers, text) ?? refusalOfRequest(text, body), seen }];
}

/** A field that the server does not take, in the words of OpenAI, or of Anthropic and FastAPI. */
const REFUSES_FIELD =
  /\b(unsupported|unrecognized|unknown|unexpected) (request )?(parameter|argument|field)|extra (inputs|fields) (are )?not permitted/i;

/** What a status says, and a text whatever was asked; undefined for a 400 that says more of its request. */
function refusalOf(status: number, headers: Readonly<Record<string, string>>, text: string): string | undefined {
  if (readRefusal(parseJson(text), { status }).kind === 'quota_exceeded') return 'quota-wording';
  if (wantsKey(status)) return 'unauthorized';
  if (SYSTEM_REFUSED.test(text)) return 'system-between-turns';
  if (HTML.test(text)) return status >= 500 ? 'html-502' : 'status';
  if (status === 429 && headers['retry-after'] !== undefined) return 'retry-after';
  if (status === 429 && /try again in/i.test(text)) return 'rate-limit-text';
  return status === 400 ? undefined : 'status';
}

/** Templates refuse it with 400 or 500. */
const SYSTEM_REFUSED = /system message must be|roles must alternate|role ['"`]?system['"`]? (is )?not supported/i;

/** What a bad request is blamed for, by the words of its refusal. */
function refusalOfRequest(text: string, body: JsonObject): string {
  if (/thought_signature|encrypted reasoning/.test(text)) return 'thought-signature';
  if (/tool call id was/i.test(text)) return 'call-ids-checked';
  if (text.includes('reasoning_content')) return 'reasoning-wanted';
  if (tellsFullContext(errorMessage(text))) return 'context-wording';
  if (text.includes('image')) return 'image-refused';
  if (/stream_options|include_usage/.test(text)) return 'usage-refused';
  if (text.includes('max_tokens')) return 'max-tokens-refused';
  if (text.includes('invalid_prompt')) return 'invalid-prompt';
  if (REFUSES_FIELD.test(text)) return 'param-refused';
  const heal = healFor({ status: 400, message: errorMessage(text) }, body, new Set());
  if (VALUE_REFUSED.test(text) || (heal !== undefined && valueHeals.has(heal.name))) return 'value-refused';
  return /pars(e|ing)|(not|no|invalid) (valid )?json|json decode/i.test(text) ? 'bad-json-request' : 'status';
}

/** OpenAI's words for what turnwire never sends there: a tool without an object schema, the ids and the thoughts of others. */
const VALUE_REFUSED = /schema must be a json schema|expected an id that begins with|array too long/i;

/** What is taken, but not with this value or in this form. */
const valueHeals: ReadonlySet<HealName> = new Set([
  'effort_value_refused',
  'developer_role_refused',
  'json_schema_refused',
  'text_parts_refused',
]);

function checkBody(sample: Sample): readonly Finding[] {
  const { answer, text } = sample;
  const { headers, status } = answer;
  if (status !== 200) return [];
  const type = headers['content-type'] ?? '';
  const value = parseJson(text);
  const error = isObject(value) && !Array.isArray(value.choices) ? readError(value) : undefined;
  const streamed = sample.reading.events.length > 0;
  const asked = sample.body.stream === true;
  return [
    ...when(HTML.test(text), 'html-200', `200 with ${type}: ${errorMessage(text).slice(0, 60)}`),
    ...when(error !== undefined, nameOf(error), `200 with ${error?.message ?? ''}`),
    ...when(isObject(value) && error === undefined && asked, 'json-instead-of-sse', `one JSON body, ${type}`),
    ...when(streamed && !asked, 'stream-instead-of-json', `a stream, ${type}`),
    ...when(streamed && asked && !/^text\/event-stream/i.test(type), 'wrong-content-type', type || 'no content type'),
    ...when(!sample.plain, 'gzip', `content-encoding: ${headers['content-encoding'] ?? ''}`),
    ...when(headers['x-codex-turn-state'] !== undefined, 'turn-state', 'x-codex-turn-state in the head'),
    ...checkLimits(headers),
  ];
}

function checkLimits(headers: Readonly<Record<string, string>>): readonly Finding[] {
  const names = Object.keys(headers).filter((name) => /^(x-ratelimit-|x-codex-(primary|secondary)-)/.test(name));
  return when(names.length > 0, 'rate-limit-headers', names.slice(0, 4).join(', '));
}

function nameOf(error: ModelError | undefined): string {
  return error?.kind === 'quota_exceeded' ? 'quota-wording' : 'error-200';
}
