import { endOfString } from '../base/json-excess.ts';
import { unescape } from './unescaped.ts';

/** A field that may differ between events of one shape: its path from the root of the event. */
export interface FieldPath {
  readonly path: readonly (string | number)[];
  readonly kind: 'string' | 'number';
  /** Most servers repeat it: it counts as literal text until it was seen to change. */
  readonly steady?: boolean;
  /** The same in an answer, or in an item of it, and another in the next: it is always literal text but in what is kept between answers. */
  readonly ofAnswer?: boolean;
  /** The decoder never looks at it: it is checked for being what JSON allows, and left as it was. */
  readonly unread?: boolean;
}

/** Where a field stands in the text of an event; of a string the inside. */
export interface Span {
  readonly field: FieldPath;
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

const [QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE, SPACE] = [34, 44, 91, 93, 123, 125, 32];

/** Walks valid JSON text and notes where the wanted fields stand: once for each template, so that it counts in a short answer. */
export class FieldScanner {
  readonly #text: string;
  readonly #fields: readonly FieldPath[];
  #at: number;
  readonly #spans: Span[] = [];
  readonly #path: (string | number)[] = [];

  constructor(text: string, start: number, fields: readonly FieldPath[]) {
    this.#text = text;
    this.#at = start;
    this.#fields = fields;
  }

  /** The spans in the order of the text; `undefined` if a field stands there twice. */
  scan(): Span[] | undefined {
    this.#value();
    const once = new Set(this.#spans.map(({ field }) => field));
    return once.size === this.#spans.length ? this.#spans : undefined;
  }

  #value(): void {
    switch (this.#next()) {
      case OPEN:
        this.#members(CLOSE);
        return;
      case OPEN_LIST:
        this.#members(CLOSE_LIST);
        return;
      case QUOTE:
        this.#string();
        return;
      default:
        this.#scalar();
    }
  }

  /** The members of an object or an array, whichever bracket closes it. */
  #members(close: number): void {
    this.#at++;
    for (let index = 0; this.#next() !== close; index++) {
      this.#path.push(close === CLOSE ? this.#key() : index);
      this.#value();
      this.#path.pop();
      if (this.#next() !== COMMA) break;
      this.#at++;
    }
    this.#at++;
  }

  #key(): string {
    const start = this.#at + 1;
    this.#skipString();
    const key = this.#text.slice(start, this.#at - 1);
    this.#next();
    this.#at++; // the colon
    return key;
  }

  #string(): void {
    const start = this.#at;
    this.#skipString();
    const field = this.#fieldOf('string');
    if (field === undefined) return;
    const value = unescape(this.#text.slice(start, this.#at));
    this.#spans.push({ field, start: start + 1, end: this.#at - 1, value });
  }

  #skipString(): void {
    this.#at = endOfString(this.#text, this.#at) + 1;
  }

  #scalar(): void {
    const start = this.#at;
    while (!isBehindScalar(this.#text.charCodeAt(this.#at))) this.#at++;
    const field = this.#fieldOf('number');
    if (field === undefined) return;
    const raw = this.#text.slice(start, this.#at);
    if (/^(?:0|[1-9]\d{0,14})$/.test(raw)) this.#spans.push({ field, start, end: this.#at, value: Number(raw) });
    // Of two members of one name the last counts, also where both are equal (0, and then 0.0): the first stands there twice, too.
    else this.#spans.push(...this.#spans.filter((span) => span.field === field));
  }

  /** The field that stands at the path, if one is wanted there. */
  #fieldOf(kind: FieldPath['kind']): FieldPath | undefined {
    return this.#fields.find((one) => one.kind === kind && samePath(one.path, this.#path));
  }

  /** The next character that is no space. */
  #next(): number {
    while (this.#text.charCodeAt(this.#at) <= SPACE) this.#at++;
    return this.#text.charCodeAt(this.#at);
  }
}

/** A space, a comma, a bracket, or (no number at all) the end of the text. */
function isBehindScalar(code: number): boolean {
  return !(code > SPACE) || code === COMMA || code === CLOSE_LIST || code === CLOSE;
}

/** Paths differ in their last part most often. */
function samePath(one: readonly (string | number)[], other: readonly (string | number)[]): boolean {
  if (one.length !== other.length) return false;
  for (let n = one.length - 1; n >= 0; n--) if (one[n] !== other[n]) return false;
  return true;
}
