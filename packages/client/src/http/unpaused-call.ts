import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent } from '@turnwire/wire/internal/model/events';
import { isFunctionCall, type OutputItem } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { addUsage, type Usage } from '@turnwire/wire/internal/model/usage';
import type { HttpResponse } from '../transport/http.ts';
import type { Attempt } from '../stream/retrying-stream.ts';
import type { HttpCall } from './call.ts';

/** How often a paused answer goes on, at most; a server that pauses it once more has paused it for its caller, too. */
const MOST = 10;

/** One request as a caller sees it, whatever it takes over HTTP. */
export interface ModelCall extends Attempt {
  /** The last answer whose headers are there, whatever its status. */
  readonly head: HttpResponse | undefined;
  /** The parts of the request that its wire had no form for, one line each. */
  readonly notes: readonly string[];
  /** The usage of an answer that ended without, should it still come; undefined where nobody waits for it. Never rejects. */
  readonly lateUsage: Promise<Usage | undefined> | undefined;
}

/**
 * An answer that its server may pause: it is sent back what there is of the answer, and goes on with it. All of that is one
 * answer here, with one `created` and one `completed`, whose usage is that of all requests (docs/contract.md 8.13).
 */
export class UnpausedCall implements ModelCall {
  readonly #request: ModelRequest;
  readonly #open: (request: ModelRequest) => HttpCall;
  #call: HttpCall;
  /** What there is of the answer. */
  readonly #items: OutputItem[] = [];
  /** What was told when the answer was paused before, in one. */
  #before: CompletedEvent | undefined;
  #pauses = 0;
  #cancelled = false;

  constructor(request: ModelRequest, open: (request: ModelRequest) => HttpCall) {
    this.#request = request;
    this.#open = open;
    this.#call = open(request);
  }

  get started(): boolean {
    return this.#pauses > 0 || this.#call.started;
  }

  get head(): HttpResponse | undefined {
    return this.#call.head;
  }

  get model(): string | undefined {
    return this.#call.model;
  }

  get notes(): readonly string[] {
    return this.#call.notes;
  }

  get lateUsage(): Promise<Usage | undefined> | undefined {
    return this.#call.lateUsage;
  }

  /** Ends at the latest when the server has paused the answer {@link MOST} times. */
  async next(): Promise<readonly ModelEvent[] | undefined> {
    for (;;) {
      const batch = await this.#read();
      const last = batch?.at(-1);
      if (batch === undefined || last === undefined) return batch;
      for (const event of batch) if (event.type === 'output_item.done') this.#items.push(event.item);
      const fresh = this.#pauses === 0 ? batch : batch.filter(({ type }) => type !== 'created');
      if (last.type !== 'completed') {
        if (fresh.length > 0) return fresh;
        continue;
      }
      const soFar = joined(this.#before, last);
      if (!this.#isPaused(last)) return [...fresh.slice(0, -1), soFar];
      await this.#goOn(soFar);
      if (fresh.length > 1) return fresh.slice(0, -1);
    }
  }

  cancel(): void {
    this.#cancelled = true;
    this.#call.cancel();
  }

  async #read(): Promise<readonly ModelEvent[] | undefined> {
    try {
      return await this.#call.next();
    } catch (error) {
      if (!(error instanceof ModelError) || this.#before === undefined) throw error;
      const usage = addUsage(this.#before.usage, error.usage);
      throw error.with({ usage, replaySafe: false });
    }
  }

  /** A call that the client has to run goes before. */
  #isPaused({ end_turn }: CompletedEvent): boolean {
    return end_turn === false && this.#pauses < MOST && this.#items.length > 0 && !this.#items.some(isFunctionCall);
  }

  async #goOn(soFar: CompletedEvent): Promise<void> {
    await this.#call.next(); // lets it close itself
    if (this.#cancelled) return;
    this.#pauses++;
    this.#before = soFar;
    this.#call = this.#open({ ...this.#request, input: [...this.#request.input, ...this.#items] });
  }
}

/** The end of an answer as that of all its parts. */
function joined(before: CompletedEvent | undefined, last: CompletedEvent): CompletedEvent {
  if (before === undefined) return last;
  const usage = addUsage(before.usage, last.usage);
  const dropped = [...(before.dropped_tool_calls ?? []), ...(last.dropped_tool_calls ?? [])];
  return {
    ...last,
    response_id: before.response_id,
    ...(usage === undefined ? {} : { usage }),
    ...(dropped.length === 0 ? {} : { dropped_tool_calls: dropped }),
  };
}
