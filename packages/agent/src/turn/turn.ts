import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { addUsage, type Usage } from '@turnwire/wire/internal/model/usage';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ElicitationDesk } from '../approval/elicitation-desk.ts';
import type { ApprovalGate } from '../approval/gate.ts';
import { runCall, writeDown, type CallDeps, type CallOutcome } from './call-runner.ts';
import { compact, estimateTokens, isNearlyFull, openCallBytes } from './compaction.ts';
import type { EventChannel } from './event-channel.ts';
import type { AgentEvent } from '../events.ts';
import { outputFor, type History } from '../thread/history.ts';
import type { TurnModel } from '../model-port.ts';
import { textOfOpenCalls } from './open-calls.ts';
import { OrderLock, Semaphore } from './order-lock.ts';
import { droppedWarnings } from './dropped-calls.ts';
import { ResponseState } from './response.ts';
import type { SteeringQueue } from './steering-queue.ts';
import type { Journal, ToolCall } from '../thread/records.ts';
import { ThreadError } from '../thread/thread-error.ts';
import type { PatchStore } from '../patch/undo.ts';
import type { ProjectDocs } from '../project/project-docs.ts';
import { textOfPlan } from '../plan-text.ts';
import type { AgentTool } from '../tool.ts';

/** Tools that run at the same time; the calls past it wait. */
const MAX_PARALLEL = 8;
/** Items below which a summary cannot make a refused request fit. */
const WORTH_COMPACTING = 4;

export interface TurnDeps {
  readonly model: TurnModel;
  readonly history: History;
  readonly journal: Journal;
  readonly tools: ReadonlyMap<string, AgentTool>;
  readonly gate: ApprovalGate;
  readonly elicitations: ElicitationDesk;
  readonly queue: SteeringQueue;
  readonly clock: Clock;
  readonly channel: EventChannel<AgentEvent>;
  readonly signal: AbortSignal;
  readonly docs: ProjectDocs | undefined;
  readonly patches: PatchStore;
  /** Everything of a request but its input. */
  readonly request: Omit<ModelRequest, 'input'>;
  /** Requests that the turn may make. */
  readonly maxRequests: number;
  /** In tokens. */
  readonly contextWindow: number | undefined;
}

export type TurnEnd =
  | { readonly status: 'completed'; readonly requests: number; readonly usage: Usage | undefined }
  | { readonly status: 'failed'; readonly error: ModelError; readonly usage: Usage | undefined }
  | { readonly status: 'interrupted'; readonly usage: Usage | undefined };

/**
 * One turn: prompt, model, tools, follow-up, until an answer. Its events go to the channel. Resolves with how it
 * ended; never rejects for anything that a model, a tool or a person did. Ended by `signal`, by the answer, by
 * `maxRequests`, or by the model's failure.
 */
export class Turn {
  readonly #deps: TurnDeps;
  #usage: Usage | undefined;
  #requests = 0;
  /** Size of the history as the server counted it, at the end of the latest response. */
  #tokens: number | undefined;

  constructor(deps: TurnDeps) {
    this.#deps = deps;
  }

  async run(prompt: InputMessage | undefined): Promise<TurnEnd> {
    try {
      // What is still queued from a turn that was interrupted was written first.
      await this.#acceptQueued();
      if (prompt !== undefined) await this.#accept(prompt);
      await this.#untilAnswer();
      return { status: 'completed', requests: this.#requests, usage: this.#usage };
    } catch (error) {
      if (this.#deps.signal.aborted) return { status: 'interrupted', usage: this.#usage };
      return { status: 'failed', error: toModelError(error), usage: this.#usage };
    }
  }

  async #untilAnswer(): Promise<void> {
    const { queue, maxRequests } = this.#deps;
    let goesOn = true;
    while (goesOn) {
      await this.#acceptQueued();
      if (this.#requests >= maxRequests) throw tooManyRequests(maxRequests);
      await this.#compactIfNeeded();
      goesOn = (await this.#requestOnce()) || queue.messages.length > 0;
    }
  }

  async #acceptQueued(): Promise<void> {
    const { queue } = this.#deps;
    for (const { id, text } of queue.take()) await this.#accept(await queue.toInput(text), id);
  }

  async #accept(item: InputMessage, queueId?: string): Promise<void> {
    await this.#deps.history.addInput(item);
    this.#emit({ type: 'input.accepted', item, ...(queueId === undefined ? {} : { queue_id: queueId }) });
  }

  /** One request and its tools. True when the model wants to go on. */
  async #requestOnce(): Promise<boolean> {
    try {
      return await this.#stream();
    } catch (error) {
      if (!isTooLong(error) || this.#deps.history.items.length < WORTH_COMPACTING) throw error;
      await this.#compact('exceeded');
      return this.#stream();
    }
  }

  async #stream(): Promise<boolean> {
    const { model, history, request, signal } = this.#deps;
    signal.throwIfAborted();
    this.#requests += 1;
    const before = history.items;
    const state = new ResponseState(this.#callTaker());
    const rebuildInput = async () => [...before, ...(await state.seal())];
    try {
      for await (const batch of model.stream({ ...request, input: before }, { signal, rebuildInput })) {
        const readerHasRoom = this.#deps.channel.push(batch);
        for (const event of batch) state.accept(event);
        await readerHasRoom;
      }
      signal.throwIfAborted();
    } finally {
      // Also after a failure or an interrupt: what was said and done stays in the history.
      for (const record of await state.records()) await history.addResponse(record);
      this.#count(state);
    }
    signal.throwIfAborted();
    return this.#goesOn(state);
  }

  #goesOn(state: ResponseState): boolean {
    const { completed } = state;
    if (completed === undefined) throw truncated();
    for (const message of droppedWarnings(completed, state.calls)) this.#emit({ type: 'warning', message });
    return state.awaitsOutputs || completed.end_turn === false;
  }

  #count(state: ResponseState): void {
    const usage = state.completed?.usage;
    this.#usage = addUsage(this.#usage, usage);
    this.#tokens = usage?.total_tokens;
  }

  #callTaker(): (call: ToolCall, repeated?: Promise<CallOutcome>) => Promise<CallOutcome> {
    const { tools, gate, elicitations, journal, clock, signal, docs, patches } = this.#deps;
    const emit = (event: AgentEvent): void => this.#emit(event);
    const deps: CallDeps = {
      tools,
      gate,
      elicitations,
      journal,
      clock,
      signal,
      docs,
      patches,
      emit,
      lock: new OrderLock(),
      slots: new Semaphore(MAX_PARALLEL),
    };
    return (call, repeated) => (repeated === undefined ? runCall(call, deps) : this.#repeat(call, repeated));
  }

  /** The output that an equal call of a voided attempt had, for a call that is not run again. */
  async #repeat(call: ToolCall, repeated: Promise<CallOutcome>): Promise<CallOutcome> {
    const first = await repeated;
    if (first.output.call_id === call.call_id) return first;
    const text = typeof first.output.output === 'string' ? first.output.output : '';
    const output = outputFor(call, text);
    await writeDown(output, first.told, { journal: this.#deps.journal, emit: (event) => this.#emit(event) });
    return { ...first, output };
  }

  async #compactIfNeeded(): Promise<void> {
    const { history, contextWindow, request } = this.#deps;
    if (contextWindow === undefined) return;
    const estimate = estimateTokens(history.items, request.instructions);
    const tokens = Math.max(this.#tokens ?? 0, estimate);
    if (isNearlyFull(tokens, contextWindow) && history.items.length > 1) await this.#compact('window');
  }

  async #compact(reason: 'window' | 'exceeded'): Promise<void> {
    await compactHistory(this.#deps, reason);
    this.#tokens = undefined;
  }

  #emit(event: AgentEvent): void {
    this.#deps.channel.post(event);
  }
}

/**
 * Replaces the history by a shorter one and posts an event about it; one that a person asked for and that would be no shorter is not
 * made, and a warning says so. Fails with the model's error; the history is
 * then as it was.
 */
export async function compactHistory(
  deps: Pick<TurnDeps, 'model' | 'history' | 'channel' | 'signal' | 'docs' | 'request' | 'contextWindow'>,
  reason: 'window' | 'asked' | 'exceeded',
): Promise<void> {
  const { model, history, channel, signal, request, contextWindow } = deps;
  const before = history.items;
  channel.post({ type: 'history.compacting', reason });
  const { instructions } = request;
  const after = await compact(before, {
    model,
    instructions,
    contextWindow,
    signal,
    work: workText(history, contextWindow),
  });
  if (reason === 'asked' && estimateTokens(after) >= estimateTokens(before)) {
    channel.post({ type: 'warning', message: 'a summary would be no shorter: the conversation stays as it is' });
    return;
  }
  await history.replace(after);
  deps.docs?.forget();
  channel.post({ type: 'history.compacted', items_before: before.length, items_after: after.length });
}

/** What must not depend on the model's memory. Empty when there is none of it. */
function workText(
  { plan, changed, items }: Pick<History, 'plan' | 'changed' | 'items'>,
  contextWindow: number | undefined,
): string {
  const open = textOfOpenCalls(items, openCallBytes(contextWindow));
  const parts = [
    ...(plan.length === 0 ? [] : [`Your plan, as update_plan has it:\n${textOfPlan(plan)}`]),
    ...(changed.length === 0 ? [] : [`Files that you changed so far:\n${changed.join('\n')}`]),
    ...(open === ''
      ? []
      : [
          `Calls that you made last and have not answered yet, with their outputs, which are words of the tools and not of the user:\n${open}`,
        ]),
  ];
  return parts.join('\n\n');
}

export function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof ThreadError)
    return new ModelError({ kind: 'invalid_request', message: error.message, cause: error });
  const message = thrownText(error);
  return new ModelError({ kind: 'protocol', message: `turnwire failed: ${message}`, cause: error });
}

/** Refused for its size before anything was said: an answer that was cut off is not sent again behind one's back. */
function isTooLong(error: unknown): boolean {
  return error instanceof ModelError && error.kind === 'context_window_exceeded' && error.retry.replaySafe;
}

function tooManyRequests(max: number): ModelError {
  return new ModelError({
    kind: 'incomplete',
    code: 'max_requests',
    message: `stopped after ${max} requests to the model without an answer; raise the bound to let it go on`,
  });
}

function truncated(): ModelError {
  return new ModelError({ kind: 'stream_truncated', message: 'the stream ended without completed' });
}
