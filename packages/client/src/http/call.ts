import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { HttpRequest, HttpResponse, HttpTransport } from '../transport/http.ts';
import type { StreamDecoder } from '@turnwire/wire/internal/decoder';
import { AnswerReader } from '@turnwire/wire/internal/read/answer-reader';
import type { BatchSource } from '@turnwire/wire/internal/read/model-stream';
import type { Repairs } from '@turnwire/wire/internal/repairs';
import { headerEvents } from '@turnwire/wire/internal/responses/headers';
import { failureOfAnswer, isStream, requestIdOf } from '@turnwire/wire/internal/read/refusal';
import type { ModelObserver } from '../observer.ts';

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

/** One HTTP request and its answer as events: the driver between the transport and a decoder. */
export class HttpCall implements BatchSource {
  readonly #context: HttpCallContext;
  readonly #signal: AbortSignal | undefined;
  /** Fires for the caller's abort and for `cancel`. */
  readonly #stop = new AbortController();
  #plan: HttpCallPlan;
  #head: HttpResponse | undefined;
  #notes: readonly string[] = [];
  #decoder: StreamDecoder | undefined;
  #reader: AnswerReader | undefined;
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
      const batch = await (this.#reader === undefined ? this.#open() : this.#reader.next());
      if (batch === undefined) this.#close();
      return batch;
    } catch (error) {
      this.#close();
      if (this.#cancelled) return undefined;
      throw error instanceof ModelError ? this.#told(error) : error;
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
    const decoder = this.#plan.decoder();
    this.#decoder = decoder;
    const type = response.header('content-type') ?? '';
    const isJson = /^\s*application\/json\b/i.test(type);
    if (!isJson && !/^\s*text\/event-stream\b/i.test(type)) this.#context.repairs?.add('wrong_content_type');
    this.#reader = this.#read(response, decoder, isJson);
    const events = headerEvents(response.headers);
    return events.length > 0 ? events : await this.#reader.next();
  }

  #read(response: HttpResponse, decoder: StreamDecoder, isJson: boolean): AnswerReader {
    const { clock, observer, onFinished } = this.#context;
    return new AnswerReader({
      source: response,
      decoder,
      clock,
      usageGraceMs: this.#plan.usageGraceMs,
      isJson,
      onFinished,
      onPoll: observer && ((result, waitedMs) => observer.onSsePoll?.(result, waitedMs)),
      onDone: (outOfTime) => this.#settle(response, decoder, outOfTime),
    });
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

  /** A failure as the caller is told of it. */
  #told(failure: ModelError): ModelError {
    const head = this.#decoder === undefined ? undefined : this.#head;
    const known = head === undefined ? failure : failure.with({ requestId: requestIdOf(head) });
    return this.#plan.conceal?.(known) ?? known;
  }

  /** The model is done. True where usage that is late keeps the connection. */
  #settle(response: HttpResponse, decoder: StreamDecoder, outOfTime: boolean): boolean {
    this.#unfollow();
    if (decoder.skipped > 0) this.#context.observer?.onSkipped?.(decoder.skipped);
    if (outOfTime) this.#lateUsage = this.#plan.lateUsage?.(response);
    return this.#lateUsage !== undefined;
  }

  #close(): void {
    this.#over = true;
    this.#unfollow();
    this.#reader?.cancel();
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
