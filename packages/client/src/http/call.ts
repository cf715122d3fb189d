import type { Clock } from '@turnwire/wire/internal/base/clock';
import { JsonEnd } from '@turnwire/wire/internal/base/json-end';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { HttpRequest, HttpResponse, HttpTransport } from '../transport/http.ts';
import type { EndReason, StreamDecoder } from '@turnwire/wire/internal/decoder';
import type { Repairs } from '@turnwire/wire/internal/repairs';
import { headerEvents } from '@turnwire/wire/internal/responses/headers';
import { failureOfAnswer, isStream, requestIdOf } from './failure.ts';
import { UsageGrace } from './usage-grace.ts';
import type { BatchSource } from '../stream/model-stream.ts';
import type { ModelObserver, PollResult } from '../observer.ts';

/** One POST as it is sent. */
export interface PreparedCall {
  readonly request: HttpRequest;
  /** The parts of the request that its wire has no form for, one line each. */
  readonly notes: readonly string[];
}

/** One POST: how to make it, and how to read what comes. */
export interface HttpCallPlan {
  /** Called when the first event is asked for; throws what stands in the way. */
  prepare(): PreparedCall;
  decoder(): StreamDecoder;
  /** Milliseconds that a finished answer waits for its usage. */
  readonly usageGraceMs: number;
  /** Reads the usage that comes after that time. Default: nobody does. */
  lateUsage?(response: HttpResponse): Promise<Usage | undefined>;
  /** The headers are there, whatever the status. */
  onHead?(response: HttpResponse): void;
  /** Another plan for a request that this server refused, or nothing. */
  amend?(failure: ModelError): HttpCallPlan | undefined;
  /** Returns the failure without what must not be shown. Default: the failure as it is. */
  conceal?(failure: ModelError): ModelError;
}

export interface HttpCallContext {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly observer?: ModelObserver | undefined;
  /** Records what was wrong with the answer and was repaired. Default: nothing is recorded. */
  readonly repairs?: Repairs | undefined;
  /** The model has finished, and its usage is waited for. Default: nobody is told. */
  readonly onFinished?: (() => void) | undefined;
}

const GRACE: EndReason = { type: 'grace' };

/** One HTTP request and its answer as events: the driver between the transport and a decoder. */
export class HttpCall implements BatchSource {
  readonly #context: HttpCallContext;
  readonly #signal: AbortSignal | undefined;
  /** Fires for the caller's abort and for `cancel`. */
  readonly #stop = new AbortController();
  #plan: HttpCallPlan;
  #response: HttpResponse | undefined;
  #head: HttpResponse | undefined;
  #notes: readonly string[] = [];
  #decoder: StreamDecoder | undefined;
  /** For an answer that says it is JSON: it is over when its object is, though the connection may stay open. */
  #jsonEnd: JsonEnd | undefined;
  #grace: UsageGrace | undefined;
  #lateUsage: Promise<Usage | undefined> | undefined;
  #cancelled = false;
  #over = false;

  constructor(context: HttpCallContext, plan: HttpCallPlan, signal?: AbortSignal) {
    this.#context = context;
    this.#plan = plan;
    this.#signal = signal;
  }

  /** The server accepted the request: from here a failure is the stream's. */
  get started(): boolean {
    return this.#decoder !== undefined;
  }

  /** The last answer whose headers are there, whatever its status. */
  get head(): HttpResponse | undefined {
    return this.#head;
  }

  /** The model that the answer names, once it has. */
  get model(): string | undefined {
    return this.#decoder?.model;
  }

  /** The parts of the request that its wire had no form for, one line each. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** The usage of an answer that ended without, should it still come; undefined where nobody waits for it. Never rejects. */
  get lateUsage(): Promise<Usage | undefined> | undefined {
    return this.#lateUsage;
  }

  async next(): Promise<readonly ModelEvent[] | undefined> {
    if (this.#over) return undefined;
    try {
      if (this.#decoder === undefined || this.#response === undefined) return await this.#open();
      return await this.#pump(this.#response, this.#decoder);
    } catch (error) {
      this.#close();
      if (this.#cancelled) return undefined;
      throw error instanceof ModelError ? (this.#plan.conceal?.(error) ?? error) : error;
    }
  }

  cancel(): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.#close();
    this.#stop.abort();
  }

  async #open(): Promise<readonly ModelEvent[] | undefined> {
    this.#follow();
    const response = await this.#send();
    this.#response = response;
    const decoder = this.#plan.decoder();
    this.#decoder = decoder;
    const { usageGraceMs: ms } = this.#plan;
    const { clock, onFinished } = this.#context;
    this.#grace = new UsageGrace({ clock, ms, onBegin: onFinished, onOver: () => response.wake() });
    const type = response.header('content-type') ?? '';
    if (/^\s*application\/json\b/i.test(type)) this.#jsonEnd = new JsonEnd();
    else if (!/^\s*text\/event-stream\b/i.test(type)) this.#context.repairs?.add('wrong_content_type');
    const events = headerEvents(response.headers);
    return events.length > 0 ? events : await this.#pump(response, decoder);
  }

  async #send(): Promise<HttpResponse> {
    for (;;) {
      const { request, notes } = this.#plan.prepare();
      this.#notes = notes;
      const response = await this.#context.transport.send({ ...request, signal: this.#stop.signal });
      this.#head = response;
      this.#plan.onHead?.(response);
      if (isStream(response)) return response;
      const failure = await failureOfAnswer(request, response, this.#context.clock);
      const amended = this.#plan.amend?.(failure);
      if (amended === undefined) throw failure;
      this.#plan = amended;
    }
  }

  /** Reads until there are events, or the stream is over. */
  async #pump(response: HttpResponse, decoder: StreamDecoder): Promise<readonly ModelEvent[] | undefined> {
    while (!hasEnded(decoder)) {
      const startedAt = this.#context.observer === undefined ? 0 : this.#context.clock.now();
      let events: readonly ModelEvent[];
      try {
        events = this.#decode(await response.read(), decoder, startedAt);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        this.#tell({ type: 'error', error }, startedAt);
        events = decoder.end({ type: 'failed', error });
      }
      if (this.#cancelled) return undefined;
      this.#grace?.watch(decoder);
      if (hasEnded(decoder)) this.#settle(response, decoder);
      if (events.length === 0) continue;
      response.progress();
      return events;
    }
    this.#close();
    if (decoder.failure !== undefined) throw decoder.failure.with({ requestId: requestIdOf(response) });
    return undefined;
  }

  /** What the decoder makes of what came. */
  #decode(chunks: readonly Uint8Array[] | undefined, decoder: StreamDecoder, startedAt: number): readonly ModelEvent[] {
    if (chunks === undefined) {
      this.#tell({ type: 'end' }, startedAt);
      return decoder.end({ type: 'close' });
    }
    const events =
      chunks.length > 0 ? this.#push(joined(chunks), decoder) : this.#grace?.isOver === true ? decoder.end(GRACE) : [];
    if (this.#context.observer !== undefined) this.#tell({ type: 'events', events }, startedAt);
    return events;
  }

  #push(bytes: Uint8Array, decoder: StreamDecoder): readonly ModelEvent[] {
    const events = decoder.push(bytes);
    return this.#jsonEnd?.push(bytes) === true ? [...events, ...decoder.end({ type: 'close' })] : events;
  }

  #tell(result: PollResult, startedAt: number): void {
    const { observer, clock } = this.#context;
    observer?.onSsePoll?.(result, clock.now() - startedAt);
  }

  /** The model is done, whatever the connection does: gives it back, or closes it after a failure. */
  #settle(response: HttpResponse, decoder: StreamDecoder): void {
    this.#grace?.cancel();
    this.#unfollow();
    if (decoder.skipped > 0) this.#context.observer?.onSkipped?.(decoder.skipped);
    if (this.#grace?.isOver === true) this.#lateUsage = this.#plan.lateUsage?.(response);
    if (this.#lateUsage !== undefined) return;
    if (decoder.failure === undefined) response.release();
    else response.cancel();
  }

  #close(): void {
    this.#over = true;
    this.#grace?.cancel();
    this.#unfollow();
    if (this.#decoder?.phase !== 'ended') this.#response?.cancel();
  }

  #follow(): void {
    if (this.#signal?.aborted === true) this.#stop.abort(this.#signal.reason);
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  #unfollow(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#stop.abort(this.#signal?.reason);
  };
}

function hasEnded(decoder: StreamDecoder): boolean {
  return decoder.phase === 'ended';
}

/** One buffer for a decoder: what the network cut into pieces is decoded in one go. At most 128 KiB come together. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}
