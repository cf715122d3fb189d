import { TextBuffer } from '@turnwire/wire/internal/base/text-buffer';
import type { CompletedEvent, ModelEvent, RetryingEvent } from '@turnwire/wire/internal/model/events';
import { isToolCall, type AssistantMessage, type Item, type OutputItem } from '@turnwire/wire/internal/model/items';
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
  items: OutputItem[];
  calls: RunningCall[];
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
  completed: CompletedEvent | undefined;
  readonly #takeCall: TakeCall;
  readonly #sealed: Stretch[] = [];
  #current: Stretch = { items: [], calls: [] };
  /** Items that a broken attempt closed as `incomplete`: kept only when no retry follows. */
  #partial: OutputItem[] = [];
  /** Text of messages that are not done, by item id (`""` without one). */
  readonly #open = new Map<string, TextBuffer>();
  /** Calls of a voided attempt that nobody has repeated yet. */
  #voided: RunningCall[] = [];

  constructor(takeCall: TakeCall) {
    this.#takeCall = takeCall;
  }

  accept(event: ModelEvent): void {
    switch (event.type) {
      case 'output_text.delta':
        this.#appendText(event.item_id ?? '', event.delta);
        break;
      case 'output_item.done':
        this.#itemDone(event.item);
        break;
      case 'retrying':
        this.#void(event);
        break;
      case 'completed':
        this.completed = event;
        break;
      default:
        break;
    }
  }

  /** The model has not seen the output of every call. What was sealed it has: a retry's answer is an answer to that. */
  get awaitsOutputs(): boolean {
    return this.#current.calls.length > 0;
  }

  /** Ends when every tool has ended. The partial items are in it only when the stream did not complete. */
  async records(): Promise<ResponseRecord[]> {
    const partial = this.completed === undefined ? [...this.#partial, ...this.#openMessages()] : [];
    const last: Stretch = { ...this.#current, items: [...this.#current.items, ...partial] };
    return Promise.all([...this.#sealed, last].map(recordOf));
  }

  /**
   * For a retry: what was done so far becomes part of the input, with the outputs of its tools. From then on an equal
   * call is a new one.
   */
  async seal(): Promise<readonly Item[]> {
    this.#sealed.push(this.#current);
    this.#current = { items: [], calls: [] };
    this.#voided = [];
    const records = await Promise.all(this.#sealed.map(recordOf));
    return records.flatMap((record) => [...record.items, ...record.outputs]);
  }

  #appendText(id: string, delta: string): void {
    const buffer = this.#open.get(id) ?? new TextBuffer();
    this.#open.set(id, buffer);
    buffer.append(delta);
  }

  #itemDone(item: OutputItem): void {
    if (item.type === 'message') this.#open.delete(idOf(item));
    if ('status' in item && item.status === 'incomplete') {
      // A call that was cut off has no meaning, and a server may refuse half a reasoning item.
      if (item.type === 'message') this.#partial.push(item);
      return;
    }
    if (isToolCall(item)) this.#callDone(item);
    else this.#current.items.push(item);
  }

  #callDone(call: ToolCall): void {
    if (this.#current.calls.some((known) => known.call.call_id === call.call_id && !this.#voided.includes(known)))
      return;
    const earlier = this.#voided.find((known) => isSameCall(known.call, call));
    const outcome = this.#takeCall(call, earlier?.outcome);
    if (earlier !== undefined) this.#forget(earlier);
    this.#current.items.push(call);
    this.#current.calls.push({ call, outcome });
  }

  #forget(earlier: RunningCall): void {
    this.#voided = this.#voided.filter((known) => known !== earlier);
    this.#current.calls = this.#current.calls.filter((known) => known !== earlier);
    this.#current.items = this.#current.items.filter((item) => item !== earlier.call);
  }

  #void(event: RetryingEvent): void {
    const discarded = new Set(event.discarded_item_ids);
    const { items, calls } = this.#current;
    this.#current.items = items.filter((item) => isToolCall(item) || !discarded.has(idOf(item)));
    this.#voided = [...calls];
    this.#partial = [];
    this.#open.clear();
  }

  #openMessages(): AssistantMessage[] {
    return [...this.#open].map(([id, text]) => ({
      type: 'message',
      ...(id === '' ? {} : { id }),
      role: 'assistant',
      status: 'incomplete',
      content: [{ type: 'output_text', text: text.toString(), annotations: [] }],
    }));
  }
}

async function recordOf(stretch: Stretch): Promise<ResponseRecord> {
  const outcomes = await Promise.all(stretch.calls.map((running) => running.outcome));
  return { items: stretch.items, outputs: outcomes.map((outcome) => outcome.output) };
}

function isSameCall(one: ToolCall, other: ToolCall): boolean {
  return one.type === other.type && one.name === other.name && textOf(one) === textOf(other);
}

function textOf(call: ToolCall): string {
  return call.type === 'function_call' ? call.arguments : call.input;
}

function idOf(item: OutputItem): string {
  const id = item.id;
  return typeof id === 'string' ? id : '';
}
