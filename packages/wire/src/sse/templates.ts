import type { JsonObject } from '../base/json.ts';
import { isAt, literalOf, type ByteWindow, type Literal } from './bytes.ts';
import { eventSpans, textsBetween } from './event-spans.ts';
import { FieldReader } from './field-reader.ts';
import type { FieldPath } from './field-scanner.ts';
import type { KnownEvents, Learner } from './known-events.ts';
import { makeTemplate, type Field, type Template, type TextRoute } from './template.ts';

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

/** The templates of one stream. */
export class EventTemplates implements Learner {
  readonly #rules: TemplateRules;
  readonly #maxEvent: number;
  readonly #sink: ValueSink;
  /** Most recently used first. */
  readonly #templates: Template[] = [];
  #misses = 0;
  /** What steady fields were in the last event learnt from, and which of them have changed since. */
  readonly #steady = new Map<FieldPath, unknown>();
  #changed: Set<FieldPath> | undefined;
  readonly #reader = new FieldReader();
  readonly #known: KnownEvents | undefined;

  /**
   * @param maxEvent events longer than this many bytes are left to the slow path
   * @param known absent: nothing is known of earlier answers
   */
  constructor(rules: TemplateRules, maxEvent: number, sink: ValueSink, known?: KnownEvents) {
    this.#known = known;
    this.#rules = rules;
    this.#maxEvent = maxEvent;
    this.#sink = sink;
  }

  /** Takes as many whole events as match, from `position` on; returns the position behind them. */
  run(window: ByteWindow, position: number): number {
    let start = position;
    // Behind the finish no text counts: nothing is left that is worth a short way.
    while (this.#isStreaming()) {
      start = this.#runTemplates(window, start);
      if (this.#known === undefined || start === window.end || !this.#isStreaming()) break;
      const end = this.#known.run(window, start, this.#maxEvent, this);
      if (end < 0) break;
      start = end;
    }
    return start;
  }

  #runTemplates(window: ByteWindow, position: number): number {
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
    const { head, tail, fields } = template;
    let start = position;
    while (this.#isStreaming() && isAt(window, start, head)) {
      const end = this.#readFields(fields, window, start + head.length);
      const behind = end + tail.length;
      if (end < 0 || behind - start > this.#maxEvent || !isAt(window, end, tail)) break;
      this.#hand(template);
      start = behind;
    }
    return start;
  }

  /** Reads the fields from `cursor` on; returns the position behind the last one, or -1 for no match. */
  #readFields(fields: readonly Field[], window: ByteWindow, cursor: number): number {
    const last = fields.length - 1;
    let position = cursor;
    for (let n = 0; ; n++) {
      const field = fields[n] as Field;
      const end = this.#reader.read(field, window, position, n);
      if (end < 0 || n === last) return end;
      if (!isAt(window, end, field.literal)) return -1;
      position = end + field.literal.length;
    }
  }

  #hand({ fields, value, route, textAt }: Template): void {
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n] as Field;
      if (!field.unread && !field.routed) field.holder[field.key] = this.#reader.found[n];
    }
    if (route === undefined) this.#sink.onObject(value);
    else route(this.#reader.found[textAt] as string);
  }

  /**
   * Makes a template of an event that was parsed. Its value must not be used by anyone else afterwards.
   *
   * @param frame the event's whole text as it came, blank line included
   */
  learn(frame: string, value: JsonObject): void {
    // An event behind the finish will not come again.
    if (!this.#isStreaming() || !this.#hasPatience() || !this.#rules.accepts(value)) return;
    const spans = eventSpans(frame, value, this.#rules.fields);
    if (spans === undefined) return;
    const varying = spans.filter((span) => this.varies(span.field, span.value));
    const template = this.#keep(
      value,
      varying.map(({ field }) => field),
      textsBetween(frame, varying).map(literalOf),
    );
    // Only of an event whose one text is all that it says nothing else is an answer's own.
    if (template?.route !== undefined) this.#known?.add(frame, value, spans);
  }

  learnFrom(value: JsonObject, fields: readonly FieldPath[], literals: readonly Literal[]): void {
    if (this.#isStreaming() && this.#hasPatience()) this.#keep(value, fields, literals);
  }

  #keep(value: JsonObject, fields: readonly FieldPath[], literals: readonly Literal[]): Template | undefined {
    const template = makeTemplate(value, fields, literals, (example) => this.#sink.routeOf(example));
    if (template !== undefined && this.#templates.unshift(template) > MAX_TEMPLATES) this.#templates.pop();
    return template;
  }

  #hasPatience(): boolean {
    return ++this.#misses <= PATIENCE || this.#misses % PATIENCE === 0;
  }

  varies(field: FieldPath, now: unknown): boolean {
    if (field.ofAnswer === true) return false;
    if (field.steady !== true) return true;
    if (this.#steady.has(field) && this.#steady.get(field) !== now) (this.#changed ??= new Set()).add(field);
    this.#steady.set(field, now);
    return this.#changed?.has(field) === true;
  }
}
