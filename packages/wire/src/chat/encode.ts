import type { JsonObject } from '../base/json.ts';
import type { ModelError } from '../model/errors.ts';
import type { CompletedEvent, ModelEvent, Usage } from '../model/events.ts';
import { wireErrorOf } from '../encode-error.ts';
import { chatWordFor, finishClass } from '../dialects/finish-reasons.ts';
import { toDataSse, type WireEvent } from '../encode-event.ts';
import type { EncoderOptions } from '../protocol.ts';
import { ChatAnswer, type ReasoningField } from './encode-answer.ts';

/** How an answer is written as Chat Completions chunks. */
export interface ChatEncoderOptions extends Pick<EncoderOptions, 'model' | 'includeUsage'> {
  /** The completion's id on this wire. Default: the one the events carry, else `chatcmpl_1`. */
  readonly id?: string | undefined;
  /** Unix time in seconds. Default 0. */
  readonly createdAt?: number | undefined;
  /** Where reasoning text goes; `none` leaves it out. Default `reasoning_content`. */
  readonly reasoningField?: ReasoningField | undefined;
}

/** Canonical events in, Chat Completions chunks out. */
export interface ChatEncoder {
  /** The chunks that one canonical event leads to. After the end: none. */
  push(event: ModelEvent): WireEvent[];
  /**
   * Ends the stream: a cut answer with `finish_reason` `length` or `content_filter` and the sentinel, any other
   * error as an `{"error"}` event without a sentinel, so that nobody takes it for success.
   */
  fail(error: ModelError): WireEvent[];
  /** True for the kinds `incomplete` and `content_filter`. */
  endsAnswer(error: ModelError): boolean;
  readonly ended: boolean;
  /** The `chat.completion` object as it stands: after the end, the body of an answer that is not streamed. */
  readonly completion: JsonObject;
  /** Types of the items so far that the wire has no place for. */
  readonly notCarried: readonly string[];
  /** The same as `completion`, under the name that the encoders of all wires have. */
  readonly body: JsonObject;
}

/**
 * Encodes one response.
 *
 * @example
 * ```ts
 * const encoder = createChatEncoder({ createdAt: 1_795_200_000, model: 'm', includeUsage: true });
 * for (const event of events) socket.write(toDataSse(encoder.push(event)));
 * ```
 */
export function createChatEncoder(options: ChatEncoderOptions = {}): ChatEncoder {
  return new Encoder(options);
}

/** A whole response as wire events, the sentinel included. */
export function encodeChatEvents(
  events: Iterable<ModelEvent>,
  options: ChatEncoderOptions = {},
  failure?: ModelError,
): WireEvent[] {
  const encoder = createChatEncoder(options);
  const all: WireEvent[] = [];
  const add = (more: readonly WireEvent[]): void => more.forEach((one) => all.push(one));
  for (const event of events) add(encoder.push(event));
  if (failure !== undefined) add(encoder.fail(failure));
  return all;
}

/** A whole response as SSE text. */
export function encodeChatSse(
  events: Iterable<ModelEvent>,
  options: ChatEncoderOptions = {},
  failure?: ModelError,
): string {
  return toDataSse(encodeChatEvents(events, options, failure));
}

/** A whole response as the one JSON body of a request without `stream`. */
export function encodeChatBody(
  events: Iterable<ModelEvent>,
  options: ChatEncoderOptions = {},
  failure?: ModelError,
): JsonObject {
  const encoder = createChatEncoder(options);
  for (const event of events) encoder.push(event);
  if (failure !== undefined) encoder.fail(failure);
  return encoder.completion;
}

const CHUNK = 'chat.completion.chunk';
const sentinel: WireEvent = { type: '[DONE]', data: '[DONE]' };

class Encoder implements ChatEncoder {
  readonly #options: ChatEncoderOptions;
  readonly #answer: ChatAnswer;
  #id: string | undefined;
  /** Constant text of every chunk, up to the choices. */
  #head = '';
  /** Behind the choices: with usage asked for, every chunk has the field. */
  readonly #tail: string;
  #ended = false;
  #finish: string | null = null;
  #usage: Usage | undefined;

  constructor(options: ChatEncoderOptions) {
    this.#options = options;
    this.#tail = options.includeUsage === true ? ',"usage":null}' : '}';
    this.#answer = new ChatAnswer(options.reasoningField ?? 'reasoning_content');
  }

  get ended(): boolean {
    return this.#ended;
  }

  get body(): JsonObject {
    return this.completion;
  }

  get notCarried(): readonly string[] {
    return this.#answer.notCarried;
  }

  get completion(): JsonObject {
    return {
      id: this.#id ?? this.#options.id ?? '',
      object: 'chat.completion',
      created: this.#options.createdAt ?? 0,
      model: this.#options.model ?? '',
      choices: [
        {
          index: 0,
          message: this.#answer.message(),
          logprobs: logprobsOf(this.#answer.logprobs),
          finish_reason: this.#finish,
        },
      ],
      ...(this.#usage === undefined ? {} : { usage: chatUsageOf(this.#usage) }),
    };
  }

  push(event: ModelEvent): WireEvent[] {
    if (this.#ended) return [];
    const out: WireEvent[] = [];
    if (this.#id === undefined) this.#start(event, out);
    if (event.type === 'completed') this.#complete(event, out);
    else {
      const deltas = this.#answer.deltas(event);
      const logprobs = this.#answer.takeLogprobs();
      for (const delta of deltas.length === 0 && logprobs.length > 0 ? [''] : deltas) {
        out.push(this.#delta(delta, delta === deltas[0] || deltas.length === 0 ? logprobs : []));
      }
    }
    return out;
  }

  endsAnswer({ kind }: ModelError): boolean {
    return kind === 'incomplete' || kind === 'content_filter';
  }

  fail(error: ModelError): WireEvent[] {
    if (this.#ended) return [];
    const out: WireEvent[] = [];
    if (this.endsAnswer(error)) {
      if (this.#id === undefined) this.#start(undefined, out);
      this.#usage = error.usage;
      this.#end(error.kind === 'incomplete' ? 'length' : 'content_filter', out);
    } else {
      this.#ended = true;
      out.push({ type: 'error', data: JSON.stringify({ error: wireErrorOf(error) }) });
    }
    return out;
  }

  #start(event: ModelEvent | undefined, out: WireEvent[]): void {
    const own = event?.type === 'created' || event?.type === 'completed' ? event.response_id : undefined;
    this.#id = this.#options.id ?? (own === undefined || own === '' ? 'chatcmpl_1' : own);
    const { createdAt = 0, model = '' } = this.#options;
    this.#head = `{"id":${JSON.stringify(this.#id)},"object":"${CHUNK}","created":${createdAt},"model":${JSON.stringify(model)},"choices":`;
    out.push(this.#delta('"role":"assistant","content":""'));
  }

  #complete(event: CompletedEvent, out: WireEvent[]): void {
    this.#usage = event.usage;
    this.#end(finishReasonOf(event, this.#answer.hasCalls), out);
  }

  #end(finish: string, out: WireEvent[]): void {
    for (const delta of this.#answer.flush()) out.push(this.#delta(delta));
    this.#finish = finish;
    this.#ended = true;
    out.push({
      type: CHUNK,
      data: `${this.#head}[{"index":0,"delta":{},"finish_reason":${JSON.stringify(finish)}}]${this.#tail}`,
    });
    if (this.#options.includeUsage === true && this.#usage !== undefined) {
      out.push({ type: CHUNK, data: `${this.#head}[],"usage":${JSON.stringify(chatUsageOf(this.#usage))}}` });
    }
    out.push(sentinel);
  }

  #delta(fields: string, logprobs: readonly unknown[] = []): WireEvent {
    const beside = logprobs.length === 0 ? '' : `"logprobs":${JSON.stringify(logprobsOf(logprobs))},`;
    const data = `${this.#head}[{"index":0,"delta":{${fields}},${beside}"finish_reason":null}]${this.#tail}`;
    return { type: CHUNK, data };
  }
}

function logprobsOf(tokens: readonly unknown[]): JsonObject | null {
  return tokens.length === 0 ? null : { content: tokens, refusal: null };
}

/** Usage in the Chat Completions shape. */
export function chatUsageOf(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens,
    prompt_tokens_details: { ...usage.input_tokens_details },
    completion_tokens_details: { reasoning_tokens: usage.output_tokens_details.reasoning_tokens },
  };
}

/** Calls that were handed on are to be run, whatever ended the answer; a word for calls without any would make clients wait. */
function finishReasonOf({ finish_reason: reason }: CompletedEvent, hasCalls: boolean): string {
  if (hasCalls) return 'tool_calls';
  return reason === undefined || finishClass(reason) === 'calls' ? 'stop' : chatWordFor(reason);
}
