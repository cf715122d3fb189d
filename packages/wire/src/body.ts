import { isObject, isTooDeep, MAX_JSON_DEPTH, parseJson, type JsonObject } from './base/json.ts';
import { TextBuffer } from './base/text-buffer.ts';
import { ModelError } from './model/errors.ts';

/** What came instead of a stream. */
export type WholeBody =
  | { readonly type: 'json'; readonly value: JsonObject }
  /** Lines of JSON, each of its own, and the first of them. */
  | { readonly type: 'lines'; readonly first: JsonObject }
  | { readonly type: 'too_deep' }
  | { readonly type: 'html' }
  | { readonly type: 'other' };

const HTML = /^\s*(?:<!--[\s\S]*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i;
const HTML_HEAD = 1024;

/**
 * Keeps the text of a body that may turn out to be a finished JSON answer or an HTML page, as long as no event of a
 * stream was seen in it. Anything that begins otherwise is let go at its first character.
 */
export class BodySniffer {
  readonly #text = new TextBuffer();
  readonly #limit: number;
  #kind: 'unknown' | 'json' | 'html' | 'other' = 'unknown';

  /** @param limit UTF-16 code units of a JSON body, at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  observe(text: string): void {
    if (this.#kind === 'other') return;
    if (this.#kind === 'unknown') this.#kind = detectKind(text);
    if (this.#kind === 'html' && this.#text.length > HTML_HEAD) return;
    this.#text.append(text);
    if (this.#text.length > this.#limit) this.stop();
  }

  /** A stream it is, or too much of it came. */
  stop(): void {
    this.#kind = 'other';
    this.#text.clear();
  }

  /** What the whole text was. */
  result(): WholeBody {
    if (this.#kind === 'html') return { type: HTML.test(this.#text.toString().slice(0, HTML_HEAD)) ? 'html' : 'other' };
    if (this.#kind !== 'json') return { type: 'other' };
    const text = this.#text.toString().replace(/^\uFEFF/, '');
    const value = parseJson(text);
    if (isObject(value)) return { type: 'json', value };
    const first = parseJson(text.slice(0, text.search(/[\r\n]|$/)));
    if (isObject(first)) return { type: 'lines', first };
    return { type: value === undefined && isTooDeep(text) ? 'too_deep' : 'other' };
  }
}

function detectKind(text: string): 'unknown' | 'json' | 'html' | 'other' {
  const first = /[^\s\uFEFF]/.exec(text)?.[0];
  if (first === undefined) return 'unknown';
  return first === '{' ? 'json' : first === '<' ? 'html' : 'other';
}

/** What an HTML page where a model was due is told as. */
export function htmlError(): ModelError {
  return new ModelError({
    kind: 'protocol',
    message: 'the server answered with an HTML page instead of a model stream: check the base URL and the path',
  });
}

/** What an event, a body or a frame with more levels than {@link MAX_JSON_DEPTH} is told as: nobody can tell what follows it. */
export function tooDeepError(): ModelError {
  return new ModelError({
    kind: 'protocol',
    message: `the server sent JSON that is nested more than ${MAX_JSON_DEPTH} levels deep`,
  });
}
