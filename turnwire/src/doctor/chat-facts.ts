import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { isSentinel, objectsIn } from './check-framing.ts';
import type { Sample } from './sample.ts';
import type { SseEvent } from './sse-reading.ts';

/** Where things are in a stream of chunks. */
export interface ChatFacts {
  readonly events: readonly SseEvent[];
  /** Place of the event after which every choice is finished; -1 if none. */
  readonly finish: number;
  readonly reasons: readonly string[];
  readonly sentinel: number;
  readonly bareSentinel: boolean;
  /** Place of the first error event; -1 if none. */
  readonly error: number;
}

/** Finds the ends of a chat stream. */
export function chatFacts({ reading }: Pick<Sample, 'reading'>): ChatFacts {
  const { events } = reading;
  const open = new Set<unknown>();
  const reasons: string[] = [];
  let finish = -1;
  for (const [place, { json }] of events.entries()) {
    for (const choice of choicesOf(json)) {
      const index = choice.index ?? 0;
      if (isFinish(choice.finish_reason)) {
        open.delete(index);
        reasons.push(choice.finish_reason);
        if (open.size === 0 && finish < 0) finish = place;
      } else if (finish < 0) open.add(index);
    }
  }
  const sentinel = events.findIndex(isSentinel);
  return {
    events,
    finish,
    reasons,
    sentinel,
    bareSentinel: sentinel >= 0 && !(events[sentinel]?.data.includes('[') ?? false),
    error: events.findIndex(({ json }) => isErrorEvent(json)),
  };
}

/** The choices of a chunk. */
export function choicesOf(json: JsonObject | undefined): readonly JsonObject[] {
  return objectsIn(json?.choices);
}

function isFinish(reason: unknown): reason is string {
  return typeof reason === 'string' && reason !== '';
}

function isErrorEvent(json: JsonObject | undefined): boolean {
  return json !== undefined && (isObject(json.error) || (typeof json.error === 'string' && json.error !== ''));
}
