import type { JsonObject } from '../base/json.ts';
import type { CompletedEvent, ModelEvent, Usage } from './events.ts';
import { isAssistantMessage, type OutputItem } from './items.ts';

/** What one response of a model brought so far, its retries included. */
export interface Transcript {
  readonly responseId?: string;
  /** Items that are done, in the order in which they were done: these are history. */
  readonly items: readonly OutputItem[];
  /** Items that a failure closed with status `incomplete`: for the eye, never for history. */
  readonly incomplete: readonly OutputItem[];
  readonly usage?: Usage;
  /** The last event of a good stream; absent while it runs and after a failure. */
  readonly completed?: CompletedEvent;
}

export const emptyTranscript: Transcript = { items: [], incomplete: [] };

/**
 * The pure reducer from canonical events to items. Only `output_item.done` makes an item: deltas and `added` are for
 * the eye. An event that changes nothing gives the same object back.
 */
export function addToTranscript(transcript: Transcript, event: ModelEvent): Transcript {
  switch (event.type) {
    case 'created':
      return event.response_id === undefined ? transcript : { ...transcript, responseId: event.response_id };
    case 'output_item.done':
      return withItems(transcript, [event.item]);
    case 'retrying':
      return withoutVoid(transcript, event.discarded_item_ids);
    case 'completed':
      return {
        ...transcript,
        ...(event.response_id === '' ? {} : { responseId: event.response_id }),
        ...(event.usage === undefined ? {} : { usage: event.usage }),
        completed: event,
      };
    default:
      return transcript;
  }
}

/** The transcript of a whole list of events. */
export function transcriptOf(events: Iterable<ModelEvent>): Transcript {
  let transcript = emptyTranscript;
  // Items are added together: one at a time, each would copy all before it.
  let done: OutputItem[] = [];
  for (const event of events) {
    if (event.type === 'output_item.done') done.push(event.item);
    else {
      if (event.type === 'retrying') {
        transcript = withItems(transcript, done);
        done = [];
      }
      transcript = addToTranscript(transcript, event);
    }
  }
  return withItems(transcript, done);
}

/** All text that the assistant said in the given items; a refusal is text too. */
export function assistantText(items: readonly OutputItem[]): string {
  const parts = items.filter(isAssistantMessage).flatMap((message) => message.content);
  return parts.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
}

function withItems(transcript: Transcript, items: readonly OutputItem[]): Transcript {
  if (items.length === 0) return transcript;
  const isCut = (item: OutputItem): boolean => (item as JsonObject).status === 'incomplete';
  return {
    ...transcript,
    items: [...transcript.items, ...items.filter((item) => !isCut(item))],
    incomplete: [...transcript.incomplete, ...items.filter(isCut)],
  };
}

/** A retry makes void what it names and what was cut; items that were done before and are not named stay. */
function withoutVoid(transcript: Transcript, discarded: readonly string[]): Transcript {
  const ids = new Set(discarded);
  const isVoid = (item: OutputItem): boolean => typeof item.id === 'string' && ids.has(item.id);
  return { items: transcript.items.filter((item) => !isVoid(item)), incomplete: [] };
}
