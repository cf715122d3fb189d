import type { CompletedEvent, ModelEvent } from '@turnwire/wire/internal/model/events';
import { isToolCall, type Item, type OutputItem } from '@turnwire/wire/internal/model/items';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';
import type { CallOutcome } from './call-runner.ts';
import type { ResponseRecord } from '../thread/history.ts';
import type { ToolCall } from '../thread/records.ts';

/** A call whose tool was started, or at least taken in. */
interface RunningCall {
  readonly call: ToolCall;
  readonly outcome: Promise<CallOutcome>;
}

/** What a stretch of a response brought: up to a retry with a rebuilt input, or to the end. */
interface Stretch {
  /** In the order in which they were done. */
  readonly items: Set<OutputItem>;
  readonly calls: Set<RunningCall>;
}

/** Takes a call in: `repeated` is the outcome of an equal call of a voided attempt, which is not run again. */
export type TakeCall = (call: ToolCall, repeated?: Promise<CallOutcome>) => Promise<CallOutcome>;

/**
 * Follows one request to the model: keeps the items that are done, starts a tool the moment its call is done, and
 * knows what was said when the stream breaks off.
 *
 * After `retrying`, what was streamed is void, but a tool that was taken in stays: its call and its output are part of
 * the history. When the model's second attempt makes an equal call, that one gets the first one's output.
 */
export class ResponseState {
  readonly #takeCall: TakeCall;
  readonly #transcript = new TranscriptBuilder({ keepText: true });
  readonly #sealed: Stretch[] = [];
  #current: Stretch = newStretch();
  /** Calls of a voided attempt that nobody has repeated yet, oldest first, by what makes them equal. */
  #voided = new Map<string, RunningCall[]>();

  constructor(takeCall: TakeCall) {
    this.#takeCall = takeCall;
  }

  get completed(): CompletedEvent | undefined {
    return this.#transcript.completed;
  }

  accept(event: ModelEvent): void {
    const decision = this.#transcript.take(event);
    if (decision?.type === 'whole') this.#itemDone(decision.item);
    else if (decision?.type === 'void') this.#void(decision.items);
  }

  /** The model has not seen the output of every call. What was sealed it has: a retry's answer is an answer to that. */
  get awaitsOutputs(): boolean {
    return this.calls > 0;
  }

  /** How many calls of the answer were taken in. */
  get calls(): number {
    return this.#current.calls.size;
  }

  /** Ends when every tool has ended. The partial items are in it only when the stream did not complete. */
  async records(): Promise<ResponseRecord[]> {
    const partial = this.completed === undefined ? this.#partialMessages() : [];
    const last: Stretch = { ...this.#current, items: new Set([...this.#current.items, ...partial]) };
    return Promise.all([...this.#sealed, last].map(recordOf));
  }

  /**
   * For a retry: what was done so far becomes part of the input, with the outputs of its tools. From then on an equal
   * call is a new one.
   */
  async seal(): Promise<readonly Item[]> {
    this.#sealed.push(this.#current);
    this.#current = newStretch();
    this.#voided = new Map();
    const records = await Promise.all(this.#sealed.map(recordOf));
    return records.flatMap((record) => [...record.items, ...record.outputs]);
  }

  #itemDone(item: OutputItem): void {
    if (isToolCall(item)) this.#callDone(item);
    else this.#current.items.add(item);
  }

  #callDone(call: ToolCall): void {
    const alike = this.#voided.get(likenessOf(call));
    const earlier = alike?.shift();
    const outcome = this.#takeCall(call, earlier?.outcome);
    if (earlier !== undefined) {
      this.#current.calls.delete(earlier);
      this.#current.items.delete(earlier.call);
    }
    this.#current.items.add(call);
    this.#current.calls.add({ call, outcome });
  }

  #void(items: readonly OutputItem[]): void {
    for (const item of items) if (!isToolCall(item)) this.#current.items.delete(item);
    this.#voided = Map.groupBy(this.#current.calls, ({ call }) => likenessOf(call));
  }

  /** A call that was cut off has no meaning, and a server may refuse half a reasoning item. */
  #partialMessages(): OutputItem[] {
    const cut = this.#transcript.incomplete.filter((item) => item.type === 'message');
    return [...cut, ...this.#transcript.openMessages()];
  }
}

function newStretch(): Stretch {
  return { items: new Set(), calls: new Set() };
}

async function recordOf(stretch: Stretch): Promise<ResponseRecord> {
  const outcomes = await Promise.all([...stretch.calls].map((running) => running.outcome));
  const told = new Map(
    [...stretch.calls].flatMap(({ call }, at) => (outcomes[at] === undefined ? [] : [[call, outcomes[at].told]])),
  );
  return { items: [...stretch.items], outputs: outcomes.map((outcome) => outcome.output), told };
}

/** Equal for calls that do the same. */
function likenessOf(call: ToolCall): string {
  return JSON.stringify([
    call.type,
    call.namespace,
    call.name,
    call.type === 'function_call' ? call.arguments : call.input,
  ]);
}
