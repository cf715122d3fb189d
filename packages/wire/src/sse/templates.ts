import type { JsonObject } from '../base/json.ts';

/**
 * The fast path. Consecutive events of one stream share their bytes but for a few fields, so an event that was parsed
 * once becomes a template: the literal text around those fields. The next event is compared with the text and only its
 * fields are read; whatever differs in the least goes to `JSON.parse`. A matched event yields the template's own value
 * with the fields filled in: exactly what `JSON.parse` would have given.
 */

/** A field that may differ between events of one shape: its path from the root of the event. */
export interface FieldPath {
  readonly path: readonly (string | number)[];
  readonly kind: 'string' | 'number';
  /** Most servers repeat it: it counts as literal text until it was seen to change. */
  readonly steady?: boolean;
  /** The decoder never looks at it: it is checked for being what JSON allows, and left as it was. */
  readonly unread?: boolean;
}

/** Takes the values of the events that matched; a value is valid until the call returns. */
export interface ValueSink {
  onObject(value: JsonObject): void;
  readonly phase: string;
}

/** What a protocol lets the fast path do. */
export interface TemplateRules {
  readonly fields: readonly FieldPath[];
  /** False for events whose value (or a part of it) is kept or handed on: a template's value is used again. */
  accepts(value: JsonObject): boolean;
}

interface Field {
  readonly isString: boolean;
  readonly unread: boolean;
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
  /** The text behind the field, up to the next one. Unused for the last field. */
  readonly literal: string;
}

interface Template {
  /** From the first byte of the event to the first field. */
  readonly head: string;
  readonly fields: readonly Field[];
  /** From behind the last field to the end of the event, blank line included. */
  readonly tail: string;
  /** The tail, and the head of a next event of the same shape: one comparison for both. */
  readonly seam: string;
  readonly value: JsonObject;
}

const MAX_TEMPLATES = 4;
/** Events in a row that no template knew, after which only one in so many is learnt from. */
const PATIENCE = 64;

/** Text that is one escape and nothing else: line ends, most of all. */
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
  '/': '/',
};

const QUOTE = 34;
const BACKSLASH = 92;
const ZERO = 48;
const NINE = 57;

/** The templates of one stream. */
export class EventTemplates {
  readonly #rules: TemplateRules;
  readonly #maxEvent: number;
  readonly #sink: ValueSink;
  /** Most recently used first. */
  readonly #templates: Template[] = [];
  #misses = 0;
  /** What steady fields were in the last event learnt from, and which of them have changed since. */
  readonly #steady = new Map<FieldPath, unknown>();
  readonly #changed = new Set<FieldPath>();
  /** The fields of the event under comparison. */
  readonly #found: unknown[] = [];

  /** @param maxEvent events longer than this many UTF-16 code units are left to the slow path */
  constructor(rules: TemplateRules, maxEvent: number, sink: ValueSink) {
    this.#rules = rules;
    this.#maxEvent = maxEvent;
    this.#sink = sink;
  }

  /** Takes as many whole events as match, from `position` on; returns the position behind them. */
  run(text: string, position: number): number {
    let start = position;
    for (let n = 0; n < this.#templates.length && start < text.length; n++) {
      const before = start;
      start = this.#runOne(this.#templates[n] as Template, text, before);
      if (start === before) continue;
      if (this.#sink.phase === 'ended') break;
      if (n > 0) this.#moveToFront(n);
      n = -1; // the next event may be of any shape again
    }
    if (start !== position) this.#misses = 0;
    return start;
  }

  /** What matched last is asked first. */
  #moveToFront(n: number): void {
    const [template] = this.#templates.splice(n, 1);
    if (template !== undefined) this.#templates.unshift(template);
  }

  #runOne(template: Template, text: string, position: number): number {
    const { head, tail, seam, value } = template;
    if (text.slice(position, position + head.length) !== head) return position;
    let start = position;
    let cursor = position + head.length;
    for (;;) {
      const end = this.#readFields(template.fields, text, cursor);
      if (end < 0 || end + tail.length - start > this.#maxEvent) return start;
      const another = text.slice(end, end + seam.length) === seam;
      if (!another && text.slice(end, end + tail.length) !== tail) return start;
      this.#fill(template.fields);
      this.#sink.onObject(value);
      start = end + tail.length;
      if (!another || this.#sink.phase === 'ended') return start;
      cursor = end + seam.length;
    }
  }

  /** Reads the fields from `cursor` on; returns the position behind the last one, or -1 for no match. */
  #readFields(fields: readonly Field[], text: string, cursor: number): number {
    const last = fields.length - 1;
    let position = cursor;
    for (let n = 0; ; n++) {
      const field = fields[n] as Field;
      const end = field.isString
        ? this.#readString(field, text, position, n)
        : this.#readNumber(field, text, position, n);
      if (end < 0 || n === last) return end;
      position = end + field.literal.length;
      if (text.slice(end, position) !== field.literal) return -1;
    }
  }

  /** Reads the inside of a JSON string up to its closing quote. */
  #readString(field: Field, text: string, start: number, n: number): number {
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        if (!field.unread) this.#found[n] = text.slice(start, at);
        return at;
      }
      if (code === BACKSLASH) return this.#readEscaped(text, start, at, n);
      if (!(code >= 32)) return -1; // a control character is no JSON; NaN is the end of the chunk
    }
  }

  #readEscaped(text: string, start: number, backslash: number, n: number): number {
    for (let at = backslash; ; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) {
        const value =
          at - start === 2 ? SHORT_ESCAPES[text.charAt(start + 1)] : unescape(text.slice(start - 1, at + 1));
        this.#found[n] = value;
        return value === undefined ? -1 : at;
      } else if (!(code >= 32)) return -1;
    }
  }

  /** Reads a whole number without sign, fraction or exponent. */
  #readNumber(field: Field, text: string, start: number, n: number): number {
    let at = start;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (!(code >= ZERO && code <= NINE)) break;
    }
    const digits = at - start;
    if (digits === 0 || digits > 15 || (digits > 1 && text.charCodeAt(start) === ZERO)) return -1;
    if (!field.unread) this.#found[n] = Number(text.slice(start, at));
    return at;
  }

  #fill(fields: readonly Field[]): void {
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n] as Field;
      if (!field.unread) field.holder[field.key] = this.#found[n];
    }
  }

  /**
   * Makes a template of an event that was parsed. Its value must not be used by anyone else afterwards.
   *
   * @param frame the event's whole text with LF line ends, blank line included
   */
  learn(frame: string, value: JsonObject): void {
    if (++this.#misses > PATIENCE && this.#misses % PATIENCE !== 0) return;
    if (!this.#rules.accepts(value)) return;
    const template = makeTemplate(
      frame,
      value,
      this.#rules.fields.filter((field) => this.#varies(field, value)),
    );
    if (template === undefined) return;
    if (this.#templates.unshift(template) > MAX_TEMPLATES) this.#templates.pop();
  }

  #varies(field: FieldPath, value: JsonObject): boolean {
    if (field.steady !== true) return true;
    const now = fieldOf(value, field.path);
    if (now !== undefined) {
      if (this.#steady.has(field) && this.#steady.get(field) !== now) this.#changed.add(field);
      this.#steady.set(field, now);
    }
    return this.#changed.has(field);
  }
}

function fieldOf(value: JsonObject, path: FieldPath['path']): unknown {
  return findHolder(value, path)?.[path.at(-1) ?? ''];
}

function unescape(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

function makeTemplate(frame: string, value: JsonObject, paths: readonly FieldPath[]): Template | undefined {
  const payload = payloadStart(frame);
  if (payload === undefined) return undefined;
  const spans = new FieldScanner(frame, payload, paths).scan();
  if (spans === undefined || spans.length === 0) return undefined;
  const literals: string[] = [];
  const fields: Field[] = [];
  let from = 0;
  for (const [n, span] of spans.entries()) {
    const holder = findHolder(value, span.field.path);
    const key = span.field.path.at(-1);
    if (holder === undefined || key === undefined || holder[key] !== span.value) return undefined;
    literals.push(frame.slice(from, span.start));
    const literal = frame.slice(span.end, spans[n + 1]?.start ?? span.end);
    fields.push({ isString: span.field.kind === 'string', unread: span.field.unread === true, holder, key, literal });
    from = span.end;
  }
  const tail = frame.slice(from);
  // An escaped key could be a second spelling of a field's own: such an event is never learnt from.
  if (tail.includes('\\') || literals.some((literal) => literal.includes('\\'))) return undefined;
  const head = literals[0] ?? '';
  return { head, fields, tail, seam: tail + head, value };
}

/** Where the JSON begins, if the event has exactly one `data` line. */
function payloadStart(frame: string): number | undefined {
  const first = frame.startsWith('data:') ? 0 : frame.indexOf('\ndata:') + 1;
  if (first === 0 && !frame.startsWith('data:')) return undefined;
  return frame.includes('\ndata', first) ? undefined : first + 'data:'.length;
}

function findHolder(value: JsonObject, path: FieldPath['path']): Record<string | number, unknown> | undefined {
  let holder: unknown = value;
  for (const key of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = (holder as Record<string | number, unknown>)[key];
  }
  return typeof holder === 'object' && holder !== null ? (holder as Record<string | number, unknown>) : undefined;
}

interface Span {
  readonly field: FieldPath;
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

/** Walks valid JSON text and notes where the wanted fields stand. */
class FieldScanner {
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
