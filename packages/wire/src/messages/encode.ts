import type { JsonObject } from '../base/json.ts';
import { toEventSse, type WireEvent } from '../encode-event.ts';
import type { ModelError } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';
import type { Usage } from '../model/usage.ts';
import type { AnswerEncoder, EncoderOptions } from '../protocol.ts';
import { ItemSequencer, type ItemEvent } from '../item-sequencer.ts';
import { Blocks, cutCall } from './encode-blocks.ts';
import { messagesUsageOf, stopOfCompleted, stopOfError, type StopFields } from './encode-end.ts';
import { openItem, type ItemOptions } from './encode-item.ts';
import { messagesErrorBody, messagesErrorOf } from './encode-error.ts';

/** How an answer is written as Messages events. */
export interface MessagesEncoderOptions extends Partial<Pick<EncoderOptions, 'id' | 'model'>>, ItemOptions {}

/**
 * Encodes one answer: `message_start`, `ping`, block after block, `message_delta`, `message_stop`, or an `error` event and
 * nothing behind it. A call whose arguments turn out to be no JSON is never closed; the answer fails instead, and no client
 * runs it.
 *
 * @example
 * ```ts
 * const encoder = createMessagesEncoder({ id: 'msg_1', model: 'm' });
 * for (const event of events) socket.write(toEventSse(encoder.push(event)));
 * ```
 */
export function createMessagesEncoder(options: MessagesEncoderOptions = {}): AnswerEncoder {
  return new Encoder(options);
}

/** A whole answer as wire events. */
export function encodeMessagesEvents(
  events: Iterable<ModelEvent>,
  options: MessagesEncoderOptions = {},
  failure?: ModelError,
): WireEvent[] {
  const encoder = createMessagesEncoder(options);
  const all: WireEvent[] = [];
  const add = (more: readonly WireEvent[]): void => more.forEach((one) => all.push(one));
  for (const event of events) add(encoder.push(event));
  if (failure !== undefined) add(encoder.fail(failure));
  return all;
}

/** A whole answer as SSE text. */
export function encodeMessagesSse(
  events: Iterable<ModelEvent>,
  options: MessagesEncoderOptions = {},
  failure?: ModelError,
): string {
  return toEventSse(encodeMessagesEvents(events, options, failure));
}

/** A whole answer as the one JSON body of a request without `stream`. */
export function encodeMessagesBody(
  events: Iterable<ModelEvent>,
  options: MessagesEncoderOptions = {},
  failure?: ModelError,
): JsonObject {
  const encoder = createMessagesEncoder(options);
  for (const event of events) encoder.push(event);
  if (failure !== undefined) encoder.fail(failure);
  return encoder.body;
}

class Encoder implements AnswerEncoder {
  readonly #options: MessagesEncoderOptions;
  readonly #blocks = new Blocks();
  readonly #items: ItemSequencer;
  #id: string | undefined;
  #ended = false;
  #stop: Omit<StopFields, 'stop_reason'> & { readonly stop_reason: string | null } = NO_STOP;
  #usage: Usage | undefined;

  constructor(options: MessagesEncoderOptions) {
    this.#options = options;
    let minted = 0;
    this.#items = new ItemSequencer(
      (announced, id, index) => openItem(this.#blocks, announced, { id, index }, options),
      (prefix) => `${prefix}_${minted++}`,
    );
  }

  get ended(): boolean {
    return this.#ended;
  }

  get notCarried(): readonly string[] {
    return [...this.#blocks.notCarried];
  }

  get failure(): ModelError | undefined {
    return this.#blocks.failure;
  }

  get body(): JsonObject {
    return { ...this.#head(), content: this.#items.output(), ...this.#stop, usage: messagesUsageOf(this.#usage) };
  }

  begin(): WireEvent[] {
    if (this.#ended || this.#id !== undefined) return [];
    this.#start();
    return this.#blocks.take();
  }

  endsAnswer(error: ModelError): boolean {
    return stopOfError(error, this.#blocks.begun) !== undefined;
  }

  push(event: ModelEvent): WireEvent[] {
    if (this.#ended) return [];
    if (this.#id === undefined) this.#start(event);
    this.#apply(event);
    const { failure } = this.#blocks;
    if (failure !== undefined) this.#error(failure);
    return this.#blocks.take();
  }

  fail(error: ModelError): WireEvent[] {
    if (this.#ended) return [];
    const stop = stopOfError(error, this.#blocks.begun);
    if (stop === undefined) {
      this.#error(error);
    } else {
      if (this.#id === undefined) this.#start();
      this.#usage = error.usage;
      this.#items.flush('incomplete');
      this.#end(stop, error);
    }
    return this.#blocks.take();
  }

  #apply(event: ModelEvent): void {
    switch (event.type) {
      case 'completed':
        this.#usage = event.usage;
        this.#items.flush('completed');
        this.#end(stopOfCompleted(event, this.#items.output().some(isCall)));
        return;
      case 'retrying':
        this.#retry(event.discarded_item_ids);
        return;
      case 'created':
      case 'server_model':
      case 'rate_limits':
      case 'models_etag':
      case 'unknown':
        return; // this wire has no events for them, and some clients fail on those that they do not know
      default:
        this.#items.push(event satisfies ItemEvent);
    }
  }

  /** Two attempts never mix in one stream: what went out cannot be taken back on this wire. */
  #retry(discarded: readonly string[]): void {
    if (this.#blocks.begun) this.#blocks.failure ??= cutCall();
    else this.#items.discard(discarded);
  }

  #start(event?: ModelEvent): void {
    const own = event?.type === 'created' || event?.type === 'completed' ? event.response_id : undefined;
    this.#id = this.#options.id ?? (own === undefined || own === '' ? 'msg_1' : own);
    const message = { ...this.#head(), content: [], ...NO_STOP, usage: messagesUsageOf(undefined) };
    this.#blocks.event('message_start', `"message":${JSON.stringify(message)}`);
    this.#blocks.event('ping');
  }

  #head(): JsonObject {
    const { id = '', model = '' } = this.#options;
    return { id: this.#id ?? id, type: 'message', role: 'assistant', model };
  }

  /** @param cause - what cut the answer: told where it cut a call, which no stop reason may follow */
  #end(stop: StopFields, cause?: ModelError): void {
    this.#stop = stop;
    if (this.#blocks.isOpen) this.#blocks.failure ??= cutCall();
    const { failure } = this.#blocks;
    if (failure !== undefined) {
      this.#error(cause ?? failure);
      return;
    }
    this.#ended = true;
    const usage = JSON.stringify(messagesUsageOf(this.#usage));
    this.#blocks.event('message_delta', `"delta":${JSON.stringify(stop)},"usage":${usage}`);
    this.#blocks.event('message_stop');
  }

  /** The last event: a client that was told of an error takes nothing of an open block for good. */
  #error(error: ModelError): void {
    if (this.#ended) return;
    this.#ended = true;
    const { type, ...fields } = messagesErrorBody(messagesErrorOf(error));
    this.#blocks.event(String(type), JSON.stringify(fields).slice(1, -1));
  }
}

const NO_STOP = { stop_reason: null, stop_sequence: null };

function isCall(block: JsonObject): boolean {
  return block['type'] === 'tool_use';
}
