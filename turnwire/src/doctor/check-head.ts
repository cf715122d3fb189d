import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { tellsFullContext } from '@turnwire/wire/internal/dialects/full-context';
import { wantsKey } from './examination.ts';
import { when, type Finding } from './finding.ts';
import type { RawAnswer } from './raw-exchange.ts';
import { bodyText, errorMessage, type Sample } from './sample.ts';

const HTML = /^\s*(<!--[\s\S]*?-->\s*)?<(!doctype|html|head|body)\b/i;

/** What is wrong with the heads of all answers to one question, and with bodies that are no stream. */
export function checkHead(sample: Sample): readonly Finding[] {
  return [...sample.earlier.flatMap(checkRefusal), ...checkRefusal(sample.answer), ...checkBody(sample)];
}

/** Answers that are no 200. */
function checkRefusal(answer: RawAnswer): readonly Finding[] {
  const { status, headers, end } = answer;
  if (end === 'refused') return [{ quirk: 'refuse-connection', seen: answer.error ?? 'no answer' }];
  if (status === 0) return [{ quirk: 'no-answer', seen: `no head within ${Math.round(answer.endMs)} ms` }];
  if (status < 300) return [];
  if (status < 400) return [{ quirk: 'redirect', seen: `${status} to ${(headers.location ?? '').slice(0, 80)}` }];
  const { text } = bodyText(answer);
  const seen = `HTTP ${status}: ${errorMessage(text)}`;
  return [{ quirk: refusalOf(status, headers, text), seen }];
}

function refusalOf(status: number, headers: Readonly<Record<string, string>>, text: string): string {
  if (wantsKey(status)) return 'unauthorized';
  if (HTML.test(text)) return status >= 500 ? 'html-502' : 'status';
  if (status === 429 && headers['retry-after'] !== undefined) return 'retry-after';
  if (status === 429 && /try again in/i.test(text)) return 'rate-limit-text';
  if (status !== 400) return 'status';
  if (text.includes('thought_signature')) return 'thought-signature';
  if (tellsFullContext(errorMessage(text))) return 'context-wording';
  if (text.includes('image')) return 'image-refused';
  if (/stream_options|include_usage/.test(text)) return 'usage-refused';
  if (text.includes('max_tokens')) return 'max-tokens-refused';
  if (text.includes('invalid_prompt')) return 'invalid-prompt';
  if (/\b(unsupported|unrecognized|unknown|unexpected) (request )?(parameter|argument|field)/i.test(text))
    return 'param-refused';
  return /pars(e|ing)|(not|no|invalid) (valid )?json|json decode/i.test(text) ? 'bad-json-request' : 'status';
}

function checkBody(sample: Sample): readonly Finding[] {
  const { answer, text } = sample;
  const { headers, status } = answer;
  if (status !== 200) return [];
  const type = headers['content-type'] ?? '';
  const value = parseJson(text);
  const streamed = sample.reading.events.length > 0;
  const asked = sample.body.stream === true;
  return [
    ...when(HTML.test(text), 'html-200', `200 with ${type}: ${errorMessage(text).slice(0, 60)}`),
    ...when(isError(value), 'error-200', `200 with ${errorMessage(text)}`),
    ...when(isObject(value) && !isError(value) && asked, 'json-instead-of-sse', `one JSON body, ${type}`),
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

function isError(value: unknown): boolean {
  if (!isObject(value)) return false;
  const error = value.error as JsonObject | string | null | undefined;
  return (isObject(error) && stringOf(error.message) !== undefined) || (typeof error === 'string' && error !== '');
}
