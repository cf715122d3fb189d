import type { ModelError } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';

/** One step of the way from an upstream's events to those that its client's encoder gets. One for each answer. */
export interface EventStage {
  /** What becomes of events that came together; the same list where nothing is to be done. */
  push(events: readonly ModelEvent[]): readonly ModelEvent[];
  /** Why the answer has to fail, behind what `push` returned last. */
  readonly failure?: ModelError | undefined;
}
