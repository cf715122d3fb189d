import type { JsonObject } from '../base/json.ts';
import { FieldScanner, type FieldPath, type Span } from './field-scanner.ts';

/**
 * The fields of an event where they stand in its text, in order; `undefined` for one that later events cannot be compared with.
 *
 * @param frame the event's whole text as it came, blank line included
 */
export function eventSpans(
  frame: string,
  value: JsonObject,
  fields: readonly FieldPath[],
): readonly Span[] | undefined {
  const payload = payloadStart(frame);
  if (payload === undefined || ODD.test(frame)) return undefined;
  const spans = new FieldScanner(frame, payload, fields).scan();
  if (!spans?.every((span) => isInValue(span, value))) return undefined;
  // An escaped key could be a second spelling of a field's own: such an event is never learnt from.
  return textsBetween(frame, spans).some((text) => text.includes('\\')) ? undefined : spans;
}

/** What stands before, between and behind the fields. */
export function textsBetween(frame: string, spans: readonly Span[]): string[] {
  const texts = spans.map((span, n) => frame.slice(spans[n - 1]?.end ?? 0, span.start));
  return [...texts, frame.slice(spans.at(-1)?.end ?? 0)];
}

/** A byte order mark at the beginning, a bare CR for a line end, bytes that are no UTF-8: other rules than for the next event. */
const ODD = /^\ufeff|\r(?!\n)|\ufffd/;

/** Where the JSON begins, if the event has exactly one `data` line. */
function payloadStart(frame: string): number | undefined {
  const first = frame.startsWith('data:') ? 0 : frame.indexOf('\ndata:') + 1;
  if (first === 0 && !frame.startsWith('data:')) return undefined;
  return frame.includes('\ndata', first) ? undefined : first + 'data:'.length;
}

function isInValue({ field: { path }, value: found }: Span, value: JsonObject): boolean {
  return findHolder(value, path)?.[lastOf(path)] === found;
}

/** The object or list that has the last member of a path. */
export function findHolder(value: JsonObject, path: FieldPath['path']): Record<string | number, unknown> | undefined {
  let holder: unknown = value;
  for (let n = 0; n < path.length - 1; n++) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = (holder as Record<string | number, unknown>)[path[n] ?? ''];
  }
  return typeof holder === 'object' && holder !== null ? (holder as Record<string | number, unknown>) : undefined;
}

export function lastOf(path: FieldPath['path']): string | number {
  return path.at(-1) ?? '';
}
