import type { ModelEvent } from '../model/events.ts';
import type { TokenLogprob } from '../model/items.ts';
import type { PartKind } from '../item-parts.ts';

/** The event for a piece of text; most are of a message, so that case copies nothing. */
export function textDelta(kind: PartKind, delta: string, index: number, id: string | undefined): ModelEvent {
  if (kind === 'output_text') {
    return id === undefined ? { type: 'output_text.delta', delta } : { type: 'output_text.delta', delta, item_id: id };
  }
  const of = id === undefined ? undefined : { item_id: id };
  switch (kind) {
    case 'refusal':
      return { type: 'refusal.delta', delta, ...of };
    case 'reasoning_text':
      return { type: 'reasoning_text.delta', delta, content_index: index, ...of };
    case 'summary_text':
      return { type: 'reasoning_summary_text.delta', delta, summary_index: index, ...of };
  }
}

/** The same with what its server says of its tokens. */
export function withLogprobs(event: ModelEvent, logprobs: readonly unknown[]): ModelEvent {
  return event.type === 'output_text.delta' ? { ...event, logprobs: logprobs as readonly TokenLogprob[] } : event;
}
