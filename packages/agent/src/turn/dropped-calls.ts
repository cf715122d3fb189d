import type { CompletedEvent, DroppedToolCall } from '@turnwire/wire/internal/model/events';

/** Why calls were not handed on, by the reason that the decoder gives. */
const reasons: Readonly<Record<DroppedToolCall['reason'], (finish: string) => string>> = {
  stop: (finish) => `the server ended the answer with ${finish}`,
  no_name: () => 'no name came with it',
  incomplete: () => 'its arguments came in part',
};

/**
 * What the user is told of the calls of an answer that were dropped: a line for each reason. `run` is how many calls of it
 * were taken in.
 */
export function droppedWarnings(
  { dropped_tool_calls: dropped = [], finish_reason: finish }: CompletedEvent,
  run: number,
): readonly string[] {
  const all = dropped.length + run;
  return [...Map.groupBy(dropped, ({ reason }) => reason)].map(([reason, { length }]) => {
    const calls = all === 1 ? 'the tool call' : `${length} of ${all} tool calls`;
    return `${calls} ${length === 1 ? 'was' : 'were'} not run: ${reasons[reason](finish ?? 'no finish reason')}`;
  });
}
