import type { JsonObject } from '../base/json.ts';
import { literalOf, type Literal } from './bytes.ts';
import { FieldScanner, type FieldPath, type Span } from './field-scanner.ts';

/** Takes the text of an event, where that text is all that the event says. */
export type TextRoute = (text: string) => void;

export interface Field {
  readonly isString: boolean;
  /** Checked, and left as it was. */
  readonly unread: boolean;
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
  /** The tail, and the head of a next event of the same shape: one comparison for both. */
  readonly seam: Literal;
  readonly value: JsonObject;
  /** The short way of these events, and which field it takes. */
  readonly route: TextRoute | undefined;
  readonly textAt: number;
}

/** @param routeOf gives the short way of an event that has one text and else only numbers that vary */
export function makeTemplate(
  frame: string,
  value: JsonObject,
  paths: readonly FieldPath[],
  routeOf: (value: JsonObject) => TextRoute | undefined,
): Template | undefined {
  const payload = payloadStart(frame);
  if (payload === undefined || ODD.test(frame)) return undefined;
  const spans = new FieldScanner(frame, payload, paths).scan();
  if (spans === undefined || spans.length === 0) return undefined;
  const literals = spans.map((span, n) => frame.slice(spans[n - 1]?.end ?? 0, span.start));
  const tail = frame.slice(spans.at(-1)?.end);
  // An escaped key could be a second spelling of a field's own: such an event is never learnt from.
  if ([...literals, tail].some((literal) => literal.includes('\\'))) return undefined;
  const textAt = onlyText(spans);
  const route = textAt < 0 ? undefined : routeOf(value);
  const fields = spans.map((span, n) =>
    fieldAt(span, value, literals[n + 1] ?? '', route === undefined ? 'filled' : n === textAt ? 'routed' : 'beside'),
  );
  if (!fields.every((field) => field !== undefined)) return undefined;
  const head = literals[0] ?? '';
  return { head: literalOf(head), fields, tail: literalOf(tail), seam: literalOf(tail + head), value, route, textAt };
}

/** A byte order mark at the beginning, a bare CR for a line end, bytes that are no UTF-8: other rules than for the next event. */
const ODD = /^\ufeff|\r(?!\n)|\ufffd/;

/** Where the JSON begins, if the event has exactly one `data` line. */
function payloadStart(frame: string): number | undefined {
  const first = frame.startsWith('data:') ? 0 : frame.indexOf('\ndata:') + 1;
  if (first === 0 && !frame.startsWith('data:')) return undefined;
  return frame.includes('\ndata', first) ? undefined : first + 'data:'.length;
}

/** The one string that is read, or -1 for none or several. */
function onlyText(spans: readonly Span[]): number {
  const isText = ({ field }: Span): boolean => field.kind === 'string' && field.unread !== true;
  const first = spans.findIndex(isText);
  return first === spans.findLastIndex(isText) ? first : -1;
}

/** What becomes of a field: the value has it; a short way takes it; it stands beside that which one takes. */
type Use = 'filled' | 'routed' | 'beside';

function fieldAt({ field, value: found }: Span, value: JsonObject, literal: string, use: Use): Field | undefined {
  const holder = findHolder(value, field.path);
  const key = field.path.at(-1);
  if (holder === undefined || key === undefined || holder[key] !== found) return undefined;
  return {
    isString: field.kind === 'string',
    // Whoever is given the value may look at its numbers, which cost little.
    unread: field.unread === true && (field.kind === 'string' || use === 'beside'),
    routed: use === 'routed',
    holder,
    key,
    literal: literalOf(literal),
  };
}

/** The object or list that has the last member of a path. */
export function findHolder(value: JsonObject, path: FieldPath['path']): Record<string | number, unknown> | undefined {
  let holder: unknown = value;
  for (const key of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = (holder as Record<string | number, unknown>)[key];
  }
  return typeof holder === 'object' && holder !== null ? (holder as Record<string | number, unknown>) : undefined;
}
