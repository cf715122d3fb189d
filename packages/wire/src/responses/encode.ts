import type { JsonObject } from '../base/json.ts';
import type { ModelError } from '../model/errors.ts';
import type { ModelEvent, Usage } from '../model/events.ts';
import type { MintId } from '../decoder.ts';
import { wireErrorOf } from '../encode-error.ts';
import { toEventSse, type WireEvent } from '../encode-event.ts';
import type { EncoderOptions } from '../protocol.ts';
import { WireItem } from './encode-item.ts';
import { ItemSequencer, type OpenOnWire } from '../item-sequencer.ts';
import { Outbox } from './encode-parts.ts';
import { ResponseObject, type ResponseState } from './response-object.ts';

/** How an answer is written as Responses events. */
export interface ResponsesEncoderOptions extends Pick<
  EncoderOptions,
  'model' | 'response' | 'mintId' | 'toolProgress' | 'repairs'
> {
  /** The response's id on this wire. Default: the one the events carry, else a minted one. */
  readonly responseId?: string | undefined;
  /** Unix time in seconds. Default 0. */
  readonly createdAt?: number | undefined;
  /** The unix time in seconds when it is asked, at a good end. Default: the time of creation. */
  readonly now?: (() => number) | undefined;
  /** Forward the raw of `unknown` events, renumbered. Default false. */
  readonly forwardUnknown?: boolean | undefined;
  /** Where the usage is unknown, write zeros instead of `null`, for clients that demand numbers. Default false. */
  readonly zeroUsage?: boolean | undefined;
}

/** Canonical events in, the full public Responses sequence out; it cannot emit an illegal order. */
export interface ResponsesEncoder {
  /** The wire events that one canonical event leads to. After the end: none. */
  push(event: ModelEvent): WireEvent[];
  /**
   * Ends with `response.failed`, or `response.incomplete` for the kinds `incomplete` and `content_filter`, and for `aborted` with the
   * status `cancelled`, which has no event of its own in the API.
   */
  fail(error: ModelError): WireEvent[];
  /** True for the kinds `incomplete` and `content_filter`. */
  endsAnswer(error: ModelError): boolean;
  /** An event beside the answer, with the next number, also behind the end; `fields` are its members but the type. */
  note(type: string, fields: JsonObject): WireEvent[];
  /** True after the one terminal event. */
  readonly ended: boolean;
  /** Types of the items that the wire has no place for: none. */
  readonly notCarried: readonly string[];
  /** The response object as it stands: after the end, the body of an answer that is not streamed. */
  readonly response: JsonObject;
  /** The same as `response`, under the name that the encoders of all wires have. */
  readonly body: JsonObject;
}

/**
 * Encodes one response.
 *
 * @example
 * ```ts
 * const encoder = createResponsesEncoder({ createdAt: 1_795_200_000, model: 'm' });
 * for (const event of events) socket.write(toEventSse(encoder.push(event)));
 * ```
 */
export function createResponsesEncoder(options: ResponsesEncoderOptions = {}): ResponsesEncoder {
  return new Encoder(options);
}

/** A whole response as SSE text. */
export function encodeResponsesSse(
  events: Iterable<ModelEvent>,
  options: ResponsesEncoderOptions = {},
  failure?: ModelError,
): string {
  return toEventSse(encodeResponsesEvents(events, options, failure));
}

/** A whole response as wire events. */
export function encodeResponsesEvents(
  events: Iterable<ModelEvent>,
  options: ResponsesEncoderOptions = {},
  failure?: ModelError,
): WireEvent[] {
  const encoder = createResponsesEncoder(options);
  const all: WireEvent[] = [];
  const add = (more: readonly WireEvent[]): void => more.forEach((one) => all.push(one));
  for (const event of events) add(encoder.push(event));
  if (failure !== undefined) add(encoder.fail(failure));
  return all;
}

/** A whole response as the one JSON body of a request with `stream: false`. */
export function encodeResponsesBody(
  events: Iterable<ModelEvent>,
  options: ResponsesEncoderOptions = {},
  failure?: ModelError,
): JsonObject {
  const encoder = createResponsesEncoder(options);
  for (const event of events) encoder.push(event);
  if (failure !== undefined) encoder.fail(failure);
  return encoder.response;
}

const zeroUsage: Usage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

/** The details that the API's own types require are there: unknown cache writes are told as none. */
export function wholeUsage(usage: Usage): Usage {
  return { ...usage, input_tokens_details: { cache_write_tokens: 0, ...usage.input_tokens_details } };
}

type Status = 'in_progress' | 'completed' | 'failed' | 'incomplete' | 'cancelled';

class Encoder implements ResponsesEncoder {
  readonly #options: ResponsesEncoderOptions;
  readonly #out = new Outbox();
  readonly #items: ItemSequencer;
  readonly #mint: MintId;
  readonly #object: ResponseObject;
  #id: string | undefined;
  #ended = false;
  #status: Status = 'in_progress';
  #endFields: JsonObject = {};

  constructor(options: ResponsesEncoderOptions) {
    this.#options = options;
    this.#object = new ResponseObject(options.response);
    this.#mint = options.mintId ?? counter();
    const open: OpenOnWire = (announced, id, index) => new WireItem(this.#out, announced, id, index);
    this.#items = new ItemSequencer(open, this.#mint, options.repairs);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get notCarried(): readonly string[] {
    return []; // every item has a place
  }

  get body(): JsonObject {
    return this.response;
  }

  get response(): JsonObject {
    return this.#object.of(this.#state);
  }

  get #state(): ResponseState {
    const { responseId = '', createdAt = 0, model = '' } = this.#options;
    return {
      begin: { id: this.#id ?? responseId, object: 'response', created_at: createdAt, status: this.#status, model },
      output: this.#status === 'in_progress' ? [] : this.#items.output(),
      end: this.#endFields,
    };
  }

  push(event: ModelEvent): WireEvent[] {
    if (this.#ended) return [];
    if (this.#id === undefined) this.#start(event);
    this.#apply(event);
    return this.#out.take();
  }

  endsAnswer({ kind }: ModelError): boolean {
    return kind === 'incomplete' || kind === 'content_filter';
  }

  fail(error: ModelError): WireEvent[] {
    if (this.#ended) return [];
    if (this.#id === undefined) this.#start();
    this.#items.flush('incomplete');
    if (this.endsAnswer(error)) {
      const reason = error.kind === 'content_filter' ? 'content_filter' : (error.code ?? 'max_output_tokens');
      this.#end('incomplete', { incomplete_details: { reason }, ...this.#completedFields(error.usage, undefined) });
    } else if (error.kind === 'aborted') {
      this.#end('cancelled', { incomplete_details: { reason: 'cancelled' } });
    } else {
      const { code, message } = wireErrorOf(error);
      this.#end('failed', { error: { code, message } });
    }
    return this.#out.take();
  }

  note(type: string, fields: JsonObject): WireEvent[] {
    this.#out.add(type, JSON.stringify(fields).slice(1, -1));
    return this.#out.take();
  }

  #apply(event: ModelEvent): void {
    switch (event.type) {
      case 'completed':
        this.#items.flush('completed');
        this.#end('completed', { completed_at: this.#now(), ...this.#completedFields(event.usage, event.end_turn) });
        return;
      case 'unknown':
        if (this.#options.toolProgress === true && PROGRESS.test(String(event.raw.type))) this.#progress(event.raw);
        else if (this.#options.forwardUnknown === true) this.#forward(event.raw);
        return;
      case 'retrying':
        this.#items.discard(event.discarded_item_ids);
        return;
      case 'created':
      case 'server_model':
      case 'rate_limits':
      case 'models_etag':
        return; // headers of the exchange, not events of it
      default:
        this.#items.push(event);
    }
  }

  #start(event?: ModelEvent): void {
    const own = event?.type === 'created' || event?.type === 'completed' ? event.response_id : undefined;
    this.#id = this.#options.responseId ?? (own === undefined || own === '' ? this.#mint('resp') : own);
    const fields = `"response":${this.#object.textOf(this.#state)}`;
    this.#out.add('response.created', fields);
    this.#out.add('response.in_progress', fields);
  }

  #end(status: Exclude<Status, 'in_progress'>, fields: JsonObject): void {
    this.#status = status;
    this.#endFields = fields;
    this.#ended = true;
    const type = status === 'cancelled' ? 'incomplete' : status;
    this.#out.add(`response.${type}`, `"response":${this.#object.textOf(this.#state)}`);
  }

  #now(): number {
    const { now, createdAt = 0 } = this.#options;
    return now?.() ?? createdAt;
  }

  #completedFields(usage: Usage | undefined, endTurn: boolean | undefined): JsonObject {
    return {
      usage:
        usage === undefined ? (this.#options.zeroUsage === true ? wholeUsage(zeroUsage) : null) : wholeUsage(usage),
      ...(endTurn === undefined ? {} : { end_turn: endTurn }),
    };
  }

  /** Under the id and the place that the item has here. */
  #progress(raw: JsonObject): void {
    const place = typeof raw.item_id === 'string' ? this.#items.placeOf(raw.item_id) : undefined;
    if (place === undefined) return;
    const { type, ...fields } = raw;
    delete fields.sequence_number;
    const text = JSON.stringify({ ...fields, item_id: place.id, output_index: place.index });
    this.#out.add(String(type), text.slice(1, -1));
  }

  #forward(raw: JsonObject): void {
    const { type, ...fields } = raw;
    delete fields.sequence_number;
    if (typeof type !== 'string' || ownTypes.has(type)) return;
    const text = JSON.stringify(fields);
    this.#out.add(type, text === '{}' ? '"forwarded":true' : text.slice(1, -1));
  }
}

/** Events inside the items of tools that run at the server. */
const PROGRESS =
  /^response\.(?:web_search_call|file_search_call|image_generation_call|code_interpreter_call(?:_code)?|mcp_call(?:_arguments)?|mcp_list_tools)\.[a-z_]+$/;

/** Types that the encoder makes itself: a forwarded copy would tell things twice. */
const ownTypes: ReadonlySet<string> = new Set([
  ...['created', 'in_progress', 'completed', 'failed', 'incomplete', 'queued'].map((name) => `response.${name}`),
  ...['output_item', 'content_part', 'reasoning_summary_part'].flatMap((name) => [
    `response.${name}.added`,
    `response.${name}.done`,
  ]),
  ...[
    'output_text',
    'refusal',
    'reasoning_text',
    'reasoning_summary_text',
    'function_call_arguments',
    'custom_tool_call_input',
  ].flatMap((name) => [`response.${name}.delta`, `response.${name}.done`]),
  'error',
]);

function counter(): MintId {
  let n = 0;
  return (prefix) => `${prefix}_${++n}`;
}
