import { isObject, nonEmpty, stringOf } from '../base/json.ts';
import { partFields } from '../item-parts.ts';
import type { ModelEvent } from '../model/events.ts';
import type { OpaqueItem, OutputItem } from '../model/items.ts';
import type { Repairs } from '../repairs.ts';
import type { EventStage } from '../stages/stage.ts';

type ItemEvent = Extract<ModelEvent, { item: OutputItem }>;

/**
 * Gives a malformed message the shape that SDKs take: they go through its parts unseen. Events carry it as it came (docs/contract.md
 * section 1), so this is for what an SDK reads alone.
 */
export class WholeMessages implements EventStage {
  readonly #repairs: Repairs;

  constructor(repairs: Repairs) {
    this.#repairs = repairs;
  }

  push(events: readonly ModelEvent[]): readonly ModelEvent[] {
    if (!events.some(isMalformed)) return events;
    this.#repairs.add('malformed_message');
    return events.map((event) => (isMalformed(event) ? { ...event, item: whole({ ...event.item }) } : event));
  }
}

function isMalformed(event: ModelEvent): event is ItemEvent {
  if (event.type !== 'output_item.added' && event.type !== 'output_item.done') return false;
  const { type, role, content }: OpaqueItem = { ...event.item };
  if (type !== 'message') return false;
  return typeof role !== 'string' || !Array.isArray(content) || !content.every(isObject);
}

/** Its texts as parts; what is neither a part nor a text says nothing. */
function whole(item: OpaqueItem): OpaqueItem {
  const { role, content } = item;
  const pieces: readonly unknown[] = Array.isArray(content) ? content : [content];
  return { ...item, role: stringOf(role) ?? 'assistant', content: pieces.flatMap(partOf) };
}

function partOf(piece: unknown): readonly OpaqueItem[] {
  if (isObject(piece)) return [piece];
  const text = nonEmpty(piece);
  return text === undefined ? [] : [{ type: 'output_text', ...partFields.output_text.extra, text }];
}
