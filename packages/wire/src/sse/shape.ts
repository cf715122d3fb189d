import type { JsonObject } from '../base/json.ts';
import { literalOf, type Literal } from './bytes.ts';
import { findHolder, lastOf, textsBetween } from './event-spans.ts';
import type { ReadableField } from './field-reader.ts';
import type { FieldPath, Span } from './field-scanner.ts';

/** Shapes that are kept. A model has a handful: text, reasoning, input of calls, each with a role or without. */
export const MOST_SHAPES = 6;

/** A field of a shape, and what stands behind it. */
export interface ShapeField extends ReadableField {
  readonly field: FieldPath;
  readonly literal: Literal;
}

/** The form of events that are alike in several answers: what stands around all that may differ between them. */
export interface Shape {
  readonly head: Literal;
  readonly fields: readonly ShapeField[];
  /** What such an event is parsed to, every field of it empty. Not to be changed: see `filled`. */
  readonly blank: JsonObject;
}

/** The shape of an event. */
export function makeShape(frame: string, value: JsonObject, spans: readonly Span[]): Shape {
  const [head = '', ...behind] = textsBetween(frame, spans);
  const blank = copied(value);
  for (const { field } of spans) fill(blank, field, field.kind === 'string' ? '' : 0);
  return {
    head: literalOf(head),
    fields: spans.map(({ field }, n) => ({
      field,
      isString: field.kind === 'string',
      unread: field.unread === true && field.kind === 'string',
      literal: literalOf(behind[n] ?? ''),
    })),
    blank,
  };
}

/** What `JSON.parse` would give for an event of this shape, but for strings that nobody reads. */
export function filled({ blank, fields }: Shape, found: readonly unknown[]): JsonObject {
  const value = copied(blank);
  for (let n = 0; n < fields.length; n++) {
    const { field, unread } = fields[n] as ShapeField;
    if (!unread) fill(value, field, found[n]);
  }
  return value;
}

function fill(value: JsonObject, { path }: FieldPath, found: unknown): void {
  const holder = findHolder(value, path);
  if (holder !== undefined) holder[lastOf(path)] = found;
}

/** A copy in depth, with the members in their order. */
function copied(value: JsonObject): JsonObject {
  const copy = { ...value };
  for (const name in copy) {
    const member = copy[name];
    if (typeof member === 'object' && member !== null) copy[name] = copiedMember(member);
  }
  return copy;
}

function copiedMember(member: object): unknown {
  if (!Array.isArray(member)) return copied(member as JsonObject);
  return member.map((each: unknown) => (typeof each === 'object' && each !== null ? copiedMember(each) : each));
}
