/** `turnwire/telemetry`: traces and metrics of the client. An entry of its own: it is what loads OpenTelemetry. */
import {
  context,
  metrics,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ModelError, ErrorKind } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { systemClock } from './platform/system-clock.ts';
import type { ModelObserver, RequestWatch, TurnWatch } from './observer.ts';
import type { ProviderConfig } from './provider/provider.ts';

/** Where spans and measurements go. */
export interface TelemetryOptions {
  /** Takes the spans. Default: the global tracer, which does nothing until an SDK is registered. */
  readonly tracer?: Tracer;
  /** Takes the measurements. Default: the global meter, which does nothing until an SDK is registered. */
  readonly meter?: Meter;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

const NAME = 'turnwire';

/**
 * Traces and metrics with OpenTelemetry's GenAI semantic conventions: a span per turn, request and attempt; token
 * usage, duration, time to first chunk and per output chunk. Holds no prompt, no answer, no key and no turn state.
 *
 * The span of a turn ends with `turn.end()`; its requests are exported as they end.
 *
 * @example
 * ```ts
 * const session = createModelSession({ provider, observer: createTelemetry() });
 * ```
 */
export function createTelemetry(options: TelemetryOptions = {}): ModelObserver {
  const tracer = options.tracer ?? trace.getTracer(NAME);
  const instruments = createInstruments(options.meter ?? metrics.getMeter(NAME));
  const clock = options.clock ?? systemClock;
  return {
    onTurn: (provider, conversationId) => new TurnSpan({ tracer, instruments, clock, provider, conversationId }),
  };
}

interface Instruments {
  readonly usage: Histogram;
  readonly duration: Histogram;
  readonly firstChunk: Histogram;
  readonly perChunk: Histogram;
}

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const CHUNK_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

function createInstruments(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, description: string, boundaries: number[]): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: boundaries } });
  return {
    usage: histogram('gen_ai.client.token.usage', '{token}', 'Tokens of a request, in and out', TOKENS),
    duration: histogram('gen_ai.client.operation.duration', 's', 'A request until its end, retries included', SECONDS),
    firstChunk: histogram(
      'gen_ai.client.operation.time_to_first_chunk',
      's',
      'From the request to its first output',
      CHUNK_SECONDS,
    ),
    perChunk: histogram(
      'gen_ai.client.operation.time_per_output_chunk',
      's',
      'Between one piece of output and the next',
      CHUNK_SECONDS,
    ),
  };
}

interface Telemetry {
  readonly tracer: Tracer;
  readonly instruments: Instruments;
  readonly clock: Clock;
  readonly provider: ProviderConfig;
  readonly conversationId: string | undefined;
}

class TurnSpan implements TurnWatch {
  readonly #telemetry: Telemetry;
  readonly #parent: Context = context.active();
  #span: Span | undefined;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** The span begins with the first request: an unused turn has none. */
  onRequest(model: string | undefined, request: ModelRequest): RequestWatch {
    const options = { kind: SpanKind.INTERNAL, attributes: conversationOf(this.#telemetry) };
    this.#span ??= this.#telemetry.tracer.startSpan('turnwire.turn', options, this.#parent);
    return new RequestSpan(this.#telemetry, trace.setSpan(this.#parent, this.#span), model, request);
  }

  onEnd(): void {
    this.#span?.end();
  }
}

class RequestSpan implements RequestWatch {
  readonly #telemetry: Telemetry;
  readonly #attributes: Attributes;
  readonly #context: Context;
  readonly #span: Span;
  readonly #startedAt: number;
  #attempt: Span | undefined;
  #firstAt: number | undefined;
  #lastAt = 0;
  /** A header says what the server uses; its answer may name what was asked for. */
  #serverModel: string | undefined;
  #namedModel: string | undefined;

  constructor(telemetry: Telemetry, parent: Context, model: string | undefined, request: ModelRequest) {
    this.#telemetry = telemetry;
    this.#attributes = attributesOf(telemetry.provider, model);
    const name = model === undefined ? 'chat' : `chat ${model}`;
    const attributes = {
      ...this.#attributes,
      ...spanAttributesOf(telemetry.provider),
      ...conversationOf(telemetry),
      ...askedOf(request),
    };
    this.#span = telemetry.tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent);
    this.#context = trace.setSpan(parent, this.#span);
    this.#startedAt = telemetry.clock.now();
  }

  onAttempt(attempt: number, via: 'http' | 'websocket'): void {
    this.#attempt?.end();
    const attributes = { 'turnwire.attempt': attempt, 'turnwire.transport': via };
    this.#attempt = this.#telemetry.tracer.startSpan('turnwire.attempt', { attributes }, this.#context);
  }

  headers(): Readonly<Record<string, string>> {
    const carrier: Record<string, string> = {};
    const attempt = this.#attempt;
    propagation.inject(attempt === undefined ? this.#context : trace.setSpan(this.#context, attempt), carrier);
    return carrier;
  }

  onModel(model: string): void {
    this.#namedModel = model;
  }

  onEvents(events: readonly ModelEvent[]): void {
    for (const event of events) {
      if (event.type === 'server_model') this.#serverModel = event.model;
      else if (event.type === 'completed') this.#completed(event);
    }
    if (events.some(isOutput)) this.#chunk();
  }

  onAttemptFailed(error: ModelError): void {
    if (this.#attempt === undefined) return;
    fail(this.#attempt, error);
    this.#attempt.end();
    this.#attempt = undefined;
  }

  onEnd(error?: ModelError): void {
    this.#attempt?.end();
    this.#span.setAttributes(this.#answeredBy());
    if (error !== undefined) this.#failed(error);
    const attributes = {
      ...this.#attributes,
      ...this.#answeredBy(),
      ...(error === undefined ? {} : { 'error.type': error.kind }),
    };
    this.#telemetry.instruments.duration.record(this.#secondsSince(this.#startedAt), attributes);
    this.#span.end();
  }

  /** An answer that was cut has a reason, too: the code of its error. */
  #failed(error: ModelError): void {
    fail(this.#span, error);
    const reason = cutKinds.has(error.kind) ? error.code : undefined;
    if (reason !== undefined) this.#span.setAttribute('gen_ai.response.finish_reasons', [reason]);
  }

  #answeredBy(): Attributes {
    const model = this.#serverModel ?? this.#namedModel;
    return model === undefined ? {} : { 'gen_ai.response.model': model };
  }

  #chunk(): void {
    const { firstChunk, perChunk } = this.#telemetry.instruments;
    const now = this.#telemetry.clock.now();
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      const seconds = (now - this.#startedAt) / 1000;
      firstChunk.record(seconds, this.#attributes);
      this.#span.setAttribute('gen_ai.response.time_to_first_chunk', seconds);
    } else {
      perChunk.record((now - this.#lastAt) / 1000, this.#attributes);
    }
    this.#lastAt = now;
  }

  #completed(event: CompletedEvent): void {
    const { usage, response_id: id } = event;
    if (id !== '') this.#span.setAttribute('gen_ai.response.id', id);
    const reason = event.finish_reason ?? statusBehind(event);
    if (reason !== undefined) this.#span.setAttribute('gen_ai.response.finish_reasons', [reason]);
    if (usage !== undefined) this.#used(usage);
  }

  #used({ input_tokens, output_tokens, input_tokens_details, output_tokens_details }: Usage): void {
    const { usage } = this.#telemetry.instruments;
    const attributes = { ...this.#attributes, ...this.#answeredBy() };
    usage.record(input_tokens, { ...attributes, 'gen_ai.token.type': 'input' });
    usage.record(output_tokens, { ...attributes, 'gen_ai.token.type': 'output' });
    this.#span.setAttributes({
      'gen_ai.usage.input_tokens': input_tokens,
      'gen_ai.usage.output_tokens': output_tokens,
      'gen_ai.usage.cache_read.input_tokens': input_tokens_details.cached_tokens,
      'gen_ai.usage.reasoning.output_tokens': output_tokens_details.reasoning_tokens,
    });
    if (this.#firstAt === undefined || output_tokens < 2) return;
    const perToken = this.#secondsSince(this.#firstAt) / (output_tokens - 1);
    this.#span.setAttribute('turnwire.time_per_output_token', perToken);
  }

  #secondsSince(start: number): number {
    return (this.#telemetry.clock.now() - start) / 1000;
  }
}

/** Failures that are ends of an answer. */
const cutKinds: ReadonlySet<ErrorKind> = new Set(['incomplete', 'content_filter']);

/** The Responses API has no finish reasons: the status of its response stands for one. */
function statusBehind({ ended_by: by }: CompletedEvent): string | undefined {
  return by === 'response.completed' ? 'completed' : undefined;
}

function conversationOf({ conversationId }: Telemetry): Attributes {
  return conversationId === undefined ? {} : { 'gen_ai.conversation.id': conversationId };
}

function isOutput({ type }: ModelEvent): boolean {
  return type.endsWith('.delta') || type === 'output_item.done';
}

function attributesOf(provider: ProviderConfig, model: string | undefined): Attributes {
  const url = new URL(provider.baseUrl);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': providerName(provider, url),
    ...(model === undefined ? {} : { 'gen_ai.request.model': model }),
    'server.address': url.hostname,
    'server.port': port,
  };
}

/** Every request asks for a stream; the API is named where it is one of OpenAI's. */
function spanAttributesOf({ wireApi }: ProviderConfig): Attributes {
  const api = openAiApis[wireApi];
  return { 'gen_ai.request.stream': true, ...(api === undefined ? {} : { 'openai.api.type': api }) };
}

/** What the request asks for, where it says so. */
function askedOf({ maxOutputTokens, temperature, topP, outputSchema }: ModelRequest): Attributes {
  return {
    ...(maxOutputTokens === undefined ? {} : { 'gen_ai.request.max_tokens': maxOutputTokens }),
    ...(temperature === undefined ? {} : { 'gen_ai.request.temperature': temperature }),
    ...(topP === undefined ? {} : { 'gen_ai.request.top_p': topP }),
    ...(outputSchema === undefined ? {} : { 'gen_ai.output.type': 'json' }),
  };
}

const openAiApis: Readonly<Record<ProtocolId, string | undefined>> = {
  chat: 'chat_completions',
  responses: 'responses',
  messages: undefined,
};

/** The names that the conventions give to well-known providers, by their hosts. */
const knownProviders: readonly { readonly host: RegExp; readonly name: string }[] = [
  { host: /(^|\.)openai\.com$/, name: 'openai' },
  { host: /(^|\.)openai\.azure\.com$/, name: 'azure.ai.openai' },
  { host: /(^|\.)services\.ai\.azure\.com$/, name: 'azure.ai.inference' },
  { host: /(^|\.)anthropic\.com$/, name: 'anthropic' },
  { host: /^bedrock[\w.-]*\.amazonaws\.com$/, name: 'aws.bedrock' },
  { host: /(^|\.)cohere\.(ai|com)$/, name: 'cohere' },
  { host: /(^|\.)deepseek\.com$/, name: 'deepseek' },
  { host: /^generativelanguage\.googleapis\.com$/, name: 'gcp.gemini' },
  { host: /(^|[.-])aiplatform\.googleapis\.com$/, name: 'gcp.vertex_ai' },
  { host: /(^|\.)groq\.com$/, name: 'groq' },
  { host: /(^|\.)mistral\.ai$/, name: 'mistral_ai' },
  { host: /(^|\.)perplexity\.ai$/, name: 'perplexity' },
  { host: /(^|\.)x\.ai$/, name: 'x_ai' },
];

/**
 * A well-known provider is called as the conventions want it. Another without a name of its own is called by its address,
 * without the query, which may hold a key.
 */
function providerName(provider: ProviderConfig, url: URL): string {
  const known = knownProviders.find(({ host }) => host.test(url.hostname));
  if (known !== undefined) return known.name;
  return provider.name === provider.baseUrl ? url.hostname : provider.name;
}

/** The kind, status and code of an error; its message may quote the server, so that stays out. */
function fail(span: Span, error: ModelError): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.kind });
  span.setAttribute('error.type', error.kind);
  if (error.status !== undefined) span.setAttribute('http.response.status_code', error.status);
  if (error.code !== undefined) span.setAttribute('turnwire.error.code', error.code);
  if (error.requestId !== undefined) span.setAttribute('turnwire.request_id', error.requestId);
}
