import type { BatchSource } from '@turnwire/wire/internal/read/model-stream';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { Exchange } from '../observe/exchange.ts';
import type { EventStage } from '@turnwire/wire/internal/stages/stage';

const DONE = { value: undefined, done: true } as const;

/**
 * The batches of a call as they come out of the stages, in order. Where a stage says that the answer has to fail, it does
 * behind the batch that this stage let through. Leaving the loop early cancels nothing: the call is its owner's.
 */
export function eventBatches(
  call: BatchSource,
  stages: readonly EventStage[],
  exchange: Exchange,
): AsyncIterable<readonly ModelEvent[]> {
  let failure: ModelError | undefined;
  // By hand: a generator would add two turns of the microtask queue to each batch.
  const next = async (): Promise<IteratorResult<readonly ModelEvent[], undefined>> => {
    if (failure !== undefined) throw failure;
    const batch = await call.next();
    if (batch === undefined) return DONE;
    exchange.arrived();
    exchange.onEvents?.(batch);
    let events = batch;
    for (const stage of stages) {
      events = stage.push(events);
      failure ??= stage.failure;
    }
    return { value: events, done: false };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
