import type { JsonObject } from '../base/json.ts';
import { remembered } from '../base/remembered.ts';
import type { Span } from './field-scanner.ts';
import { KnownEvents, type ShapeList } from './known-events.ts';
import { makeShape, MOST_SHAPES, type Shape } from './shape.ts';

/** Characters of an event whose shape is kept. */
const LONGEST = 1024;
/** Shapes in a row that no answer had a use for, behind which only one in so many is kept. */
const PATIENCE = 16;

/**
 * The shapes of events that a model server has sent, for the decoders of its next answers: see docs/decisions/0031. It holds
 * nothing that an answer says, neither its texts nor its ids, at most six shapes of events of a kilobyte.
 *
 * @example
 * ```ts
 * const shapes = new KnownShapes(); // one for each server and model
 * const decoder = createDecoder('chat', { shapes });
 * ```
 */
export class KnownShapes implements ShapeList {
  /** Most recently used first. */
  readonly #shapes: Shape[] = [];
  #unused = 0;

  /** What the decoder of one answer makes of them. */
  ofAnswer(onKnown: (value: JsonObject) => void): KnownEvents {
    return new KnownEvents(this, onKnown);
  }

  /** Most recently used first. */
  get all(): readonly Shape[] {
    return this.#shapes;
  }

  /** Keeps the shape of an event that says nothing but one text. */
  add(frame: string, value: JsonObject, spans: readonly Span[]): void {
    if (frame.length > LONGEST) return;
    if (++this.#unused > PATIENCE && this.#unused % PATIENCE !== 0) return;
    if (this.#shapes.unshift(makeShape(frame, value, spans)) > MOST_SHAPES) this.#shapes.pop();
  }

  /** An event had the n-th shape. */
  onUse(n: number): void {
    this.#unused = 0;
    if (n === 0) return;
    const [shape] = this.#shapes.splice(n, 1);
    if (shape !== undefined) this.#shapes.unshift(shape);
  }
}

/** Callers name models. */
const BOUNDS = { most: 16, longest: 200 };

/** Finds the shapes of a wire and a model: each the same again, as long as few models are asked for. */
export type ShapesOf = (wire: string, model: string) => KnownShapes;

/** The shapes of one server's events. */
export function shapesOfServer(): ShapesOf {
  const ofKey = remembered(() => new KnownShapes(), BOUNDS);
  return (wire, model) => ofKey(`${wire} ${model}`);
}
