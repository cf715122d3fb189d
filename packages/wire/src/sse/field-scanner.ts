import { unescape } from './unescaped.ts';

/** A field that may differ between events of one shape: its path from the root of the event. */
export interface FieldPath {
  readonly path: readonly (string | number)[];
  readonly kind: 'string' | 'number';
  /** Most servers repeat it: it counts as literal text until it was seen to change. */
  readonly steady?: boolean;
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

/** Walks valid JSON text and notes where the wanted fields stand. */
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
    this.#space();
    const char = this.#text.charAt(this.#at);
    if (char === '{') this.#members('}');
    else if (char === '[') this.#members(']');
    else if (char === '"') this.#string();
    else this.#scalar();
  }

  /** The members of an object or an array, whichever bracket closes it. */
  #members(close: '}' | ']'): void {
    this.#at++;
    for (let index = 0; ; index++) {
      this.#space();
      if (this.#text.charAt(this.#at) === close) break;
      this.#path.push(close === '}' ? this.#key() : index);
      this.#value();
      this.#path.pop();
      this.#space();
      if (this.#text.charAt(this.#at) !== ',') break;
      this.#at++;
    }
    this.#at++;
  }

  #key(): string {
    const start = this.#at + 1;
    this.#skipString();
    const key = this.#text.slice(start, this.#at - 1);
    this.#space();
    this.#at++; // the colon
    return key;
  }

  #string(): void {
    const start = this.#at;
    this.#skipString();
    const value = unescape(this.#text.slice(start, this.#at));
    this.#note('string', start + 1, this.#at - 1, value);
  }

  #skipString(): void {
    for (this.#at++; ; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === '\\') this.#at++;
      else if (char === '"' || char === '') break;
    }
    this.#at++;
  }

  #scalar(): void {
    const start = this.#at;
    while (/[^,\]}\s]/.test(this.#text.charAt(this.#at))) this.#at++;
    const raw = this.#text.slice(start, this.#at);
    if (/^(?:0|[1-9]\d{0,14})$/.test(raw)) this.#note('number', start, this.#at, Number(raw));
  }

  #note(kind: FieldPath['kind'], start: number, end: number, value: unknown): void {
    const field = this.#fields.find((one) => one.kind === kind && samePath(one.path, this.#path));
    if (field !== undefined) this.#spans.push({ field, start, end, value });
  }

  #space(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at++;
  }
}

function samePath(one: readonly (string | number)[], other: readonly (string | number)[]): boolean {
  return one.length === other.length && one.every((key, n) => key === other[n]);
}
