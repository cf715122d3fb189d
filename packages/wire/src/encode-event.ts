/** One event as it goes onto a wire: its type, and its payload as JSON text (or a sentinel such as `[DONE]`). */
export interface WireEvent {
  readonly type: string;
  /** One line: JSON text never holds a raw line end. */
  readonly data: string;
}

/** Responses SSE: an `event:` line with the type, then the payload. */
export function toEventSse(events: readonly WireEvent[]): string {
  let text = '';
  for (const event of events) text += `event: ${event.type}\ndata: ${event.data}\n\n`;
  return text;
}

/** Chat Completions SSE: payloads alone. */
export function toDataSse(events: readonly WireEvent[]): string {
  let text = '';
  for (const event of events) text += `data: ${event.data}\n\n`;
  return text;
}
