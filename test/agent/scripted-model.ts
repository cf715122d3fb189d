import type { ModelPort, StreamOptions, TurnModel } from '../../packages/agent/src/index.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent, Usage } from '../../packages/wire/src/model/events.ts';
import type { AssistantMessage, FunctionCall } from '../../packages/wire/src/model/items.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';

/** What a scripted response does: an event, a batch of them, something to wait for, or an error to end with. */
export type Step = ModelEvent | ModelEvent[] | ModelError | ((options: StreamOptions) => Promise<unknown>);

/** A model port whose n-th request plays the n-th script. Keeps what was asked. */
export class ScriptedModel implements ModelPort {
  readonly requests: ModelRequest[] = [];
  /** The turn (from 0) in which each request was made. */
  readonly turnOf: number[] = [];
  #turns = 0;
  readonly #scripts: Step[][];

  constructor(...scripts: Step[][]) {
    this.#scripts = scripts;
  }

  openTurn(): TurnModel {
    const turn = this.#turns++;
    return { stream: (request, options) => this.#play(request, options, turn) };
  }

  async *#play(request: ModelRequest, options: StreamOptions, turn: number): AsyncGenerator<readonly ModelEvent[]> {
    const script = this.#scripts[this.requests.length];
    this.requests.push(structuredClone(request));
    this.turnOf.push(turn);
    if (script === undefined) throw new Error('the script has no more responses');
    for (const step of script) {
      if (options.signal.aborted) throw aborted();
      if (step instanceof ModelError) throw step;
      if (typeof step === 'function') await Promise.race([step(options), abortOf(options.signal)]);
      else yield Array.isArray(step) ? step : [step];
    }
    if (options.signal.aborted) throw aborted();
  }
}

export const usage: Usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 1 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 15,
};

export function completed(more: Partial<Extract<ModelEvent, { type: 'completed' }>> = {}): ModelEvent {
  return { type: 'completed', response_id: 'r', ended_by: 'finish_reason', ...more };
}

export function message(text: string, id = 'msg_1'): AssistantMessage {
  return {
    type: 'message',
    id,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

export function call(name: string, args: unknown, callId = 'call_1'): FunctionCall {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return { type: 'function_call', id: `fc_${callId}`, call_id: callId, name, arguments: text, status: 'completed' };
}

export function done(item: AssistantMessage | FunctionCall): ModelEvent {
  return { type: 'output_item.done', item };
}

/** A whole answer: the message, then the end. */
export function answer(text: string, more: Parameters<typeof completed>[0] = {}): Step[] {
  return [done(message(text)), completed(more)];
}

/** A whole response of calls. */
export function calls(...items: FunctionCall[]): Step[] {
  return [...items.map(done), completed({ finish_reason: 'tool_calls' })];
}

export function retrying(ids: string[] = [], attempt = 1): ModelEvent {
  const error = new ModelError({ kind: 'stream_truncated', message: 'cut' }).toJSON();
  return { type: 'retrying', attempt, max: 5, delay_ms: 0, error, discarded_item_ids: ids };
}

function aborted(): ModelError {
  return new ModelError({ kind: 'aborted', message: 'aborted' });
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(aborted());
    else signal.addEventListener('abort', () => reject(aborted()), { once: true });
  });
}
