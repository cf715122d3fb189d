import { isObject, parseJson } from '../base/json.ts';
import { TextBuffer } from '../base/text-buffer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Where the reader stands in `{"input": "…"}`:
 * - `head`: before the value; what has come so far may still become something else;
 * - `value`: inside the string, its text is streamed;
 * - `closed`: the string ended; the rest means nothing;
 * - `other`: some other JSON, or no JSON: nothing can be streamed.
 */
type Mode = 'head' | 'value' | 'closed' | 'other';

/**
 * Takes the JSON arguments of a function that stands for a freeform tool, piece by piece, and gives the raw
 * text of its `input` as it arrives. Work per character is constant however the arguments are cut.
 */
export class InputExtractor {
  /** UTF-16 code units taken so far. */
  taken = 0;
  #mode: Mode = 'head';
  #head = '';
  /** An escape sequence whose end has not arrived. */
  #escape = '';
  /** A high surrogate that waits for its other half: half a character cannot be sent. */
  #surrogate = '';
  readonly #text = new TextBuffer();

  /** True once the text of `input` has begun. */
  get streaming(): boolean {
    return this.#mode === 'value' || this.#mode === 'closed';
  }

  /** Everything given out so far. */
  get text(): string {
    return this.#text.toString();
  }

  /** The text that this fragment adds; often the empty string. */
  push(fragment: string): string {
    this.taken += fragment.length;
    if (this.#mode === 'head') return this.#pushHead(fragment);
    return this.#mode === 'value' ? this.#pushValue(fragment, 0) : '';
  }

  /** No more will come: a half character is given out as it is. */
  flush(): string {
    const rest = this.#surrogate;
    this.#surrogate = '';
    this.#text.append(rest);
    return rest;
  }

  #pushHead(fragment: string): string {
    this.#head += fragment;
    const match = /^\s*\{\s*"input"\s*:\s*"/.exec(this.#head);
    if (match) {
      this.#mode = 'value';
      const value = this.#head.slice(match[0].length);
      this.#head = '';
      return this.#pushValue(value, 0);
    }
    if (!couldBecomeHead(this.#head)) {
      this.#mode = 'other';
      this.#head = '';
    }
    return '';
  }

  #pushValue(fragment: string, start: number): string {
    let out = this.#surrogate;
    this.#surrogate = '';
    let index = start;
    while (index < fragment.length && this.#mode === 'value') {
      if (this.#escape !== '') {
        out += this.#continueEscape(fragment.charAt(index++));
        continue;
      }
      const stop = nextSpecial(fragment, index);
      if (stop > index) out += fragment.slice(index, stop);
      if (stop < fragment.length) this.#special(fragment.charCodeAt(stop));
      index = stop + 1;
    }
    return this.#give(out);
  }

  #special(code: number): void {
    if (code === QUOTE) this.#mode = 'closed';
    else this.#escape = '\\';
  }

  #continueEscape(char: string): string {
    this.#escape += char;
    if (this.#escape.charAt(1) !== 'u') {
      this.#escape = '';
      return SIMPLE_ESCAPES[char] ?? char;
    }
    if (this.#escape.length < 6) return '';
    const code = Number.parseInt(this.#escape.slice(2), 16);
    this.#escape = '';
    return Number.isNaN(code) ? '\ufffd' : String.fromCharCode(code);
  }

  #give(out: string): string {
    const last = out.charCodeAt(out.length - 1);
    const half = this.#mode === 'value' && last >= 0xd800 && last <= 0xdbff;
    const text = half ? out.slice(0, -1) : out;
    if (half) this.#surrogate = out.slice(-1);
    this.#text.append(text);
    return text;
  }
}

/**
 * The raw input that complete arguments stand for: the string `input`; else the only string of the object
 * (models like to call it `patch` or `code`); else a JSON string's text; else the arguments as they are,
 * since a model that forgot the JSON wrote the input itself.
 */
export function inputOfArguments(args: string): string {
  const extractor = new InputExtractor();
  extractor.push(args);
  extractor.flush();
  if (extractor.streaming) return extractor.text;
  const value = parseJson(args);
  if (typeof value === 'string') return value;
  if (!isObject(value)) return args;
  if (typeof value.input === 'string') return value.input;
  const values = Object.values(value);
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : args;
}

/** True as long as `{"input": "` may still come of it; bounded, since whitespace could go on for ever. */
function couldBecomeHead(head: string): boolean {
  if (head.length > 256) return false;
  const compact = head.replace(/\s+/g, '');
  return '{"input":"'.startsWith(compact);
}

function nextSpecial(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE || code === BACKSLASH) return index;
  }
  return text.length;
}
