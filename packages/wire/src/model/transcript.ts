import type { ModelEvent } from './events.ts';
import { isAssistantMessage, messageText, type OutputItem } from './items.ts';
import { TranscriptBuilder, type Transcript } from './transcript-builder.ts';

export type { Transcript };

/** The transcript of no events. */
export const emptyTranscript: Transcript = { items: [], incomplete: [] };

/**
 * The pure reducer from canonical events to items. Only `output_item.done` makes an item: deltas and `added` are for
 * the eye. An event that changes nothing gives the same object back. Each call copies the items: for many events,
 * `transcriptOf` costs less.
 */
export function addToTranscript(transcript: Transcript, event: ModelEvent): Transcript {
  return isForTheEye(event) ? transcript : fold([event], transcript);
}

/** The transcript of a whole list of events. */
export function transcriptOf(events: Iterable<ModelEvent>): Transcript {
  return fold(events, emptyTranscript);
}

/** All text that the assistant said in the given items; a refusal is text too. */
export function assistantText(items: readonly OutputItem[]): string {
  return items.filter(isAssistantMessage).map(messageText).join('');
}

function fold(events: Iterable<ModelEvent>, before: Transcript): Transcript {
  const builder = new TranscriptBuilder({ after: before });
  for (const event of events) builder.take(event);
  const { responseId, items, incomplete, usage, completed } = builder;
  if (items.length + incomplete.length === 0 && (responseId ?? usage ?? completed) === undefined)
    return emptyTranscript;
  return {
    ...(responseId === undefined ? {} : { responseId }),
    items: [...items],
    incomplete: [...incomplete],
    ...(usage === undefined ? {} : { usage }),
    ...(completed === undefined ? {} : { completed }),
  };
}

function isForTheEye(event: ModelEvent): boolean {
  switch (event.type) {
    case 'created':
      return event.response_id === undefined;
    case 'output_item.done':
    case 'retrying':
    case 'completed':
      return false;
    default:
      return true;
  }
}
