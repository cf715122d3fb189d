/** One event as it goes onto a wire: its type, and its payload as JSON text (or a sentinel such as `[DONE]`). */
export interface WireEvent {
  readonly type: string;
  /** One line: JSON text never holds a raw line end. */
  readonly data: string;
}

/** One SSE event: its name, where it has one, and its payload, which is one line. */
export function sseText(name: string, data: string): string {
  return name === '' ? `data: ${data}\n\n` : `event: ${name}\ndata: ${data}\n\n`;
}

/** Responses SSE: an `event:` line with the type, then the payload. */
export function toEventSse(events: readonly WireEvent[]): string {
  let text = '';
  for (const event of events) text += sseText(event.type, event.data);
  return text;
}

/** Chat Completions SSE: payloads alone. */
export function toDataSse(events: readonly WireEvent[]): string {
  let text = '';
  for (const event of events) text += sseText('', event.data);
  return text;
}

/** A comment and one line end: behind a blank line some parsers dispatch an empty event. */
export const KEEP_ALIVE = ': keep-alive\n';
