import { ModelError } from '../model/errors.ts';
import type { ModelEvent, RetryingEvent, Usage } from '../model/events.ts';
import type { ModelRequest } from '../model/request.ts';
import { AnswerText } from './answer-text.ts';
import type { CommandScope } from './command-scope.ts';
import { BrokenPipe, describeFailure, exitCode } from './exit.ts';
import type { OpenModel } from './model.ts';

export interface TurnScope extends Pick<CommandScope, 'cli' | 'out'> {
  readonly model: OpenModel;
  readonly request: ModelRequest;
  /** JSON lines instead of text. */
  readonly json: boolean;
  /** How messages on stderr begin. */
  readonly name: string;
}

/** One request and its answer on stdout. Ctrl-C, or a reader that goes away, cancels it. */
export async function runTurn(scope: TurnScope): Promise<number> {
  const { cli, out, name } = scope;
  const interrupt = new AbortController();
  const stopListening = cli.onSignal('SIGINT', () => interrupt.abort());
  try {
    await (scope.json ? writeJson(scope, interrupt.signal) : writeText(scope, interrupt.signal));
    return exitCode.done;
  } catch (error) {
    if (out.closed.aborted) throw new BrokenPipe();
    if (!(error instanceof ModelError)) throw error;
    if (scope.json) await out.writeLines([{ type: 'turn.failed', error: error.toJSON() }]);
    cli.stderr.write(`${name}: ${interrupt.signal.aborted ? 'interrupted' : describeFailure(error)}\n`);
    return interrupt.signal.aborted ? exitCode.interrupted : exitCode.failed;
  } finally {
    stopListening();
  }
}

function eventsOf({ model, request, out }: TurnScope, interrupted: AbortSignal): AsyncIterable<readonly ModelEvent[]> {
  return model.agentModel.openTurn().stream(request, { signal: AbortSignal.any([interrupted, out.closed]) });
}

async function writeJson(scope: TurnScope, interrupted: AbortSignal): Promise<void> {
  let usage: Usage | undefined;
  await scope.out.writeLines([{ type: 'turn.started', turn: 1 }]);
  for await (const events of eventsOf(scope, interrupted)) {
    for (const event of events) if (event.type === 'completed') usage = event.usage;
    await scope.out.writeLines(events);
  }
  await scope.out.writeLines([{ type: 'turn.completed', usage, requests: 1 }]);
}

async function writeText(scope: TurnScope, interrupted: AbortSignal): Promise<void> {
  const answer = new AnswerText();
  try {
    for await (const events of eventsOf(scope, interrupted)) {
      await scope.out.write(events.map((event) => answer.take(event)).join(''));
      for (const event of events) {
        if (event.type === 'retrying') scope.cli.stderr.write(`${scope.name}: ${describeRetry(event)}\n`);
      }
    }
  } finally {
    if (!scope.out.closed.aborted) await scope.out.write(answer.finish());
  }
}

/** One line for people about a retry, and what it makes void. */
export function describeRetry(event: RetryingEvent): string {
  const seconds = (event.delay_ms / 1000).toFixed(1);
  const what = `${event.error.kind}: retry ${event.attempt} of ${event.max} in ${seconds} s`;
  return event.discarded_item_ids.length === 0 ? what : `${what}; the text since the last full answer is void`;
}
