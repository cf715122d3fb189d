import { readFileSync, readdirSync } from 'node:fs';
import type { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import type { WireEvent } from '../../packages/wire/src/encode-event.ts';
import { createDecoder } from '../../packages/wire/src/stream-decoder.ts';

export interface Decoded {
  readonly events: ModelEvent[];
  readonly failure: ModelError | undefined;
}

export function decodeAll(wire: ProtocolId, text: string, usageAsked = true): Decoded {
  const decoder = createDecoder(wire, { usageAsked });
  const events = decoder.push(new TextEncoder().encode(text));
  if (decoder.phase !== 'ended') events.push(...decoder.end({ type: 'close' }));
  return { events, failure: decoder.failure };
}

export function capturesOf(prefix: string): { name: string; text: string }[] {
  const folder = new URL('../captures/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.sse'))
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
}

export function objects(events: readonly WireEvent[]): Record<string, unknown>[] {
  return events.map((event) => JSON.parse(event.data) as Record<string, unknown>);
}

/** What of a stream has to survive any re-encoding: the done items without their ids, grouped by kind. */
export function essence(events: readonly ModelEvent[]): unknown {
  const texts = { message: '', reasoning: '' };
  const calls: unknown[] = [];
  for (const event of events) {
    if (event.type !== 'output_item.done') continue;
    const item = event.item as Record<string, unknown>;
    if (item.type === 'message') texts.message += partTexts(item.content);
    else if (item.type === 'reasoning') texts.reasoning += partTexts(item.summary) + partTexts(item.content);
    else calls.push([item.type, item.call_id, item.name, item.arguments ?? item.input]);
  }
  return { ...texts, calls };
}

/** The streamed text per kind: a client that reads deltas alone must see the whole answer. */
export function streamedText(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === 'output_text.delta' ? event.delta : '')).join('');
}

function partTexts(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: { text?: string; refusal?: string }) => part.text ?? part.refusal ?? '').join('');
}
