import type { JsonObject } from '../base/json.ts';
import { asciiText, decodeUtf8, isAt, type ByteWindow } from './bytes.ts';
import type { FieldPath } from './field-scanner.ts';
import { unescaped } from './unescaped.ts';
import { REPLACEMENT } from './utf8.ts';
import { findHolder, makeTemplate, type Field, type Template, type TextRoute } from './template.ts';

export type { FieldPath, TextRoute };

/**
 * The fast path. Consecutive events of one stream share their bytes but for a few fields, so an event that was parsed
 * once becomes a template: the bytes around those fields. The next event is compared with them and only its
 * fields are read; whatever differs in the least goes to `JSON.parse`. A matched event yields the template's own value
 * with the fields filled in: exactly what `JSON.parse` would have given. Where all that an event does is to add a text, the
 * machine gives a short way for it, which takes the text alone.
 */

/** Takes the values of the events that matched; a value is valid until the call returns. */
export interface ValueSink {
  onObject(value: JsonObject): void;
  /**
   * What `onObject` does with events that are this one but for one text and for numbers, where that is only to take the
   * text; it reads the numbers from the value, when it is called. `undefined`: `onObject` is to be asked.
   */
  routeOf(value: JsonObject): TextRoute | undefined;
  readonly phase: string;
}

/** What a protocol lets the fast path do. */
export interface TemplateRules {
  readonly fields: readonly FieldPath[];
  /** False for events whose value (or a part of it) is kept or handed on: a template's value is used again. */
  accepts(value: JsonObject): boolean;
}

const MAX_TEMPLATES = 4;
/** Events in a row that no template knew, after which only one in so many is learnt from. */
const PATIENCE = 64;

const QUOTE = 34;
const BACKSLASH = 92;
const ZERO = 48;

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

  /** @param maxEvent events longer than this many bytes are left to the slow path */
  constructor(rules: TemplateRules, maxEvent: number, sink: ValueSink) {
    this.#rules = rules;
    this.#maxEvent = maxEvent;
    this.#sink = sink;
  }

  /** Takes as many whole events as match, from `position` on; returns the position behind them. */
  run(window: ByteWindow, position: number): number {
    // Behind the finish no text counts: nothing is left that is worth a short way.
    if (!this.#isStreaming()) return position;
    let start = position;
    for (let n = 0; n < this.#templates.length && start < window.end; n++) {
      const before = start;
      start = this.#runOne(this.#templates[n] as Template, window, before);
      if (start === before) continue;
      if (!this.#isStreaming()) break;
      if (n > 0) this.#moveToFront(n);
      n = -1; // the next event may be of any shape again
    }
    if (start !== position) this.#misses = 0;
    return start;
  }

  #isStreaming(): boolean {
    return this.#sink.phase === 'streaming';
  }

  /** What matched last is asked first. */
  #moveToFront(n: number): void {
    const [template] = this.#templates.splice(n, 1);
    if (template !== undefined) this.#templates.unshift(template);
  }

  #runOne(template: Template, window: ByteWindow, position: number): number {
    const { head, tail, seam, fields } = template;
    if (!isAt(window, position, head)) return position;
    let start = position;
    let cursor = position + head.bytes.length;
    for (;;) {
      const end = this.#readFields(fields, window, cursor);
      if (end < 0 || end + tail.bytes.length - start > this.#maxEvent) return start;
      const another = isAt(window, end, seam);
      if (!another && !isAt(window, end, tail)) return start;
      this.#hand(template);
      start = end + tail.bytes.length;
      if (!another || !this.#isStreaming()) return start;
      cursor = end + seam.bytes.length;
    }
  }

  /** Reads the fields from `cursor` on; returns the position behind the last one, or -1 for no match. */
  #readFields(fields: readonly Field[], window: ByteWindow, cursor: number): number {
    const last = fields.length - 1;
    let position = cursor;
    for (let n = 0; ; n++) {
      const field = fields[n] as Field;
      const end = field.isString
        ? this.#readString(field, window, position, n)
        : this.#readNumber(field, window, position, n);
      if (end < 0 || n === last) return end;
      if (!isAt(window, end, field.literal)) return -1;
      position = end + field.literal.bytes.length;
    }
  }

  /** Reads the inside of a JSON string up to its closing quote. */
  #readString(field: Field, window: ByteWindow, start: number, n: number): number {
    const { bytes, view, end } = window;
    for (let at = start; at < end; at++) {
      const byte = view.getUint8(at);
      if (byte === QUOTE) {
        if (!field.unread) this.#found[n] = asciiText(bytes, start, at);
        return at;
      }
      if (byte === BACKSLASH || byte > 127) return this.#readOther(window, start, at, n);
      if (byte < 32) return -1; // a control character is no JSON
    }
    return -1;
  }

  /** The same where there is an escape, or a character beyond ASCII. */
  #readOther({ bytes, view, end }: ByteWindow, start: number, from: number, n: number): number {
    let isEscaped = false;
    let isAscii = true;
    for (let at = from; at < end; at++) {
      const byte = view.getUint8(at);
      if (byte === QUOTE) {
        const text = isEscaped ? unescaped(bytes, start, at, isAscii) : decodeUtf8(bytes, start, at);
        if (text === undefined || (!isAscii && text.includes(REPLACEMENT))) return -1;
        this.#found[n] = text;
        return at;
      }
      if (byte < 32) return -1;
      if (byte > 127) isAscii = false;
      if (byte !== BACKSLASH) continue;
      isEscaped = true;
      at++;
    }
    return -1;
  }

  /** Reads a whole number without sign, fraction or exponent. */
  #readNumber(field: Field, { view, end }: ByteWindow, start: number, n: number): number {
    let at = start;
    let value = 0;
    for (; at < end; at++) {
      const digit = view.getUint8(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const digits = at - start;
    if (digits === 0 || digits > 15 || (digits > 1 && view.getUint8(start) === ZERO)) return -1;
    if (!field.unread) this.#found[n] = value;
    return at;
  }

  #hand({ fields, value, route, textAt }: Template): void {
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n] as Field;
      if (!field.unread && !field.routed) field.holder[field.key] = this.#found[n];
    }
    if (route === undefined) this.#sink.onObject(value);
    else route(this.#found[textAt] as string);
  }

  /**
   * Makes a template of an event that was parsed. Its value must not be used by anyone else afterwards.
   *
   * @param frame the event's whole text as it came, blank line included
   */
  learn(frame: string, value: JsonObject): void {
    if (++this.#misses > PATIENCE && this.#misses % PATIENCE !== 0) return;
    if (!this.#rules.accepts(value)) return;
    const template = makeTemplate(
      frame,
      value,
      this.#rules.fields.filter((field) => this.#varies(field, value)),
      (example) => this.#sink.routeOf(example),
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
