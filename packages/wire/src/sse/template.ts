import type { JsonObject } from '../base/json.ts';
import type { Literal } from './bytes.ts';
import { findHolder, lastOf } from './event-spans.ts';
import type { ReadableField } from './field-reader.ts';
import type { FieldPath } from './field-scanner.ts';

/** Takes the text of an event, where that text is all that the event says. */
export type TextRoute = (text: string) => void;

export interface Field extends ReadableField {
  /** The text that a route takes: it is not filled in. */
  readonly routed: boolean;
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
  /** The text behind the field, up to the next one. Unused for the last field. */
  readonly literal: Literal;
}

/** The bytes of one event around its fields, and what it was parsed to. */
export interface Template {
  /** From the first byte of the event to the first field. */
  readonly head: Literal;
  readonly fields: readonly Field[];
  /** From behind the last field to the end of the event, blank line included. */
  readonly tail: Literal;
  readonly value: JsonObject;
  /** The short way of these events, and which field it takes. */
  readonly route: TextRoute | undefined;
  readonly textAt: number;
}

/**
 * @param fields that vary, in the order of the text; each is in the value
 * @param literals what stands before, between and behind them
 * @param routeOf gives the short way of an event that has one text and else only numbers that vary
 */
export function makeTemplate(
  value: JsonObject,
  fields: readonly FieldPath[],
  literals: readonly Literal[],
  routeOf: (value: JsonObject) => TextRoute | undefined,
): Template | undefined {
  const head = literals[0];
  const tail = literals.at(-1);
  if (head === undefined || tail === undefined || fields.length === 0) return undefined;
  const textAt = onlyText(fields);
  const route = textAt < 0 ? undefined : routeOf(value);
  const all: Field[] = [];
  for (const [n, field] of fields.entries()) {
    const holder = findHolder(value, field.path);
    const use = route === undefined ? 'filled' : n === textAt ? 'routed' : 'beside';
    if (holder !== undefined) all.push(toField(field, holder, literals[n + 1] ?? tail, use));
  }
  return { head, fields: all, tail, value, route, textAt };
}

/** The one string that is read, or -1 for none or several. */
function onlyText(fields: readonly FieldPath[]): number {
  const isText = ({ kind, unread }: FieldPath): boolean => kind === 'string' && unread !== true;
  const first = fields.findIndex(isText);
  return first === fields.findLastIndex(isText) ? first : -1;
}

/** What becomes of a field: the value has it; a short way takes it; it stands beside that which one takes. */
type Use = 'filled' | 'routed' | 'beside';

function toField({ kind, unread, path }: FieldPath, holder: Field['holder'], literal: Literal, use: Use): Field {
  return {
    isString: kind === 'string',
    // Whoever is given the value may look at its numbers, which cost little.
    unread: unread === true && (kind === 'string' || use === 'beside'),
    routed: use === 'routed',
    holder,
    key: lastOf(path),
    literal,
  };
}
