import type { JsonObject } from '../base/json.ts';
import { isAt, literalAt, type ByteWindow, type Literal } from './bytes.ts';
import { FieldReader } from './field-reader.ts';
import type { FieldPath, Span } from './field-scanner.ts';
import { filled, MOST_SHAPES, type Shape, type ShapeField } from './shape.ts';

/** The shapes that are kept between answers. */
export interface ShapeList {
  /** Most recently used first. */
  readonly all: readonly Shape[];
  /** An event had the n-th of them. */
  onUse(n: number): void;
  /** Keeps the shape of an event that says nothing but one text. */
  add(frame: string, value: JsonObject, spans: readonly Span[]): void;
}

/** What one answer has learnt of itself. */
export interface Learner {
  /** Whether the field is more than literal text in this answer; it has this value now. */
  varies(field: FieldPath, now: unknown): boolean;
  /** Learns from one more event, unless there were too many in vain. */
  learnFrom(value: JsonObject, fields: readonly FieldPath[], literals: readonly Literal[]): void;
}

/** The events of one answer whose shapes earlier answers had. */
export class KnownEvents {
  readonly #shapes: ShapeList;
  readonly #onKnown: (value: JsonObject) => void;
  readonly #reader = new FieldReader();
  /** Shapes that this answer had an event of, as many as are kept: a server can go on with new ones for as long as it likes. */
  readonly #met: Shape[] = [];
  /** Where each field of the event under comparison begins and ends. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** @param onKnown takes the value of such an event as `JSON.parse` would have given it, to keep until the next event is told */
  constructor(shapes: ShapeList, onKnown: (value: JsonObject) => void) {
    this.#shapes = shapes;
    this.#onKnown = onKnown;
  }

  /** See {@link ShapeList.add}. */
  add(frame: string, value: JsonObject, spans: readonly Span[]): void {
    this.#shapes.add(frame, value, spans);
  }

  /** Takes one event of at most so many bytes; returns the position behind it, or -1. */
  run(window: ByteWindow, position: number, maxEvent: number, learner: Learner): number {
    const { all } = this.#shapes;
    for (let n = 0; n < all.length; n++) {
      const shape = all[n] as Shape;
      const end = this.#read(shape, window, position);
      if (end < 0 || end - position > maxEvent) continue;
      this.#shapes.onUse(n);
      const value = filled(shape, this.#reader.found);
      this.#onKnown(value);
      // The second of its shape becomes a template: many an answer has but one.
      if (this.#met.includes(shape)) this.#bind(shape, value, window, position, end, learner);
      else if (this.#met.push(shape) > MOST_SHAPES) this.#met.shift();
      return end;
    }
    return -1;
  }

  #read({ head, fields }: Shape, window: ByteWindow, position: number): number {
    if (!isAt(window, position, head)) return -1;
    let at = position + head.length;
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n] as ShapeField;
      const end = this.#reader.read(field, window, at, n);
      if (end < 0 || !isAt(window, end, field.literal)) return -1;
      this.#starts[n] = at;
      this.#ends[n] = end;
      at = end + field.literal.length;
    }
    return at;
  }

  /** What stays the same within this answer is literal text of its template. */
  #bind({ fields }: Shape, value: JsonObject, window: ByteWindow, start: number, end: number, learner: Learner): void {
    const varying: FieldPath[] = [];
    const literals: Literal[] = [];
    let from = start;
    for (let n = 0; n < fields.length; n++) {
      const { field } = fields[n] as ShapeField;
      if (!learner.varies(field, this.#reader.found[n])) continue;
      varying.push(field);
      literals.push(literalAt(window, from, this.#starts[n] ?? from));
      from = this.#ends[n] ?? from;
    }
    literals.push(literalAt(window, from, end));
    learner.learnFrom(value, varying, literals);
  }
}
