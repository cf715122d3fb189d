import type { Clock } from '../base/clock.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { ByteSource } from '../base/byte-source.ts';
import type { ModelError } from '../model/errors.ts';
import { AnswerReader } from '../read/answer-reader.ts';
import { chunksOf } from '../read/body-chunks.ts';
import { BodySource } from '../read/body-source.ts';
import { joined } from '../read/joined.ts';
import { headOfBody, isStream, isWebPage, noModelServer, refusalOf, type AnswerHead } from '../read/refusal.ts';
import type { ReadTimeoutOptions } from '../read/read-events.ts';
import type { Repair } from '../repairs.ts';
import { bodyStream } from './body-stream.ts';
import { isSilent, Mender, type Mended } from './mender.ts';
import type { ModelRequest } from './model-request.ts';
import type { ResumableRequest } from './resumable-request.ts';
import type { Resumption } from './resumption.ts';
import { refusal, withBody } from './response.ts';
import type { Minting } from './wire.ts';
import { WholeEvents } from './whole-events.ts';

/** What every answer is read with. */
export interface AnswerContext {
  readonly clock: Clock;
  readonly timeouts: Required<ReadTimeoutOptions>;
  readonly minting: Minting;
}

/** What one answer is the answer to. */
export interface Asking {
  readonly request: ModelRequest;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Hears of each repair. */
  readonly onRepair: ((repair: Repair) => void) | undefined;
  /** How a stream that is lost is asked for again, where it may be. */
  readonly resumable: ResumableRequest | undefined;
}

/** What came of one attempt. */
export type Attempt =
  | { readonly response: Response; readonly failure?: undefined }
  /** It failed before its first event: what it is told as says whether it may be tried again. */
  | { readonly failure: ModelError; readonly told: (shouldRetry: boolean) => Response };

const SSE = { 'content-type': 'text/event-stream; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Reads the answer to one request until it is clear that there is one. */
export async function readAnswer(asking: Asking, response: Response, context: AnswerContext): Promise<Attempt> {
  if (response.status >= 300 && response.status < 400) return { response };
  return await new Answer(asking, response, context).begin();
}

/** One answer on its way to an SDK. */
class Answer {
  readonly #request: ModelRequest;
  readonly #response: Response;
  readonly #context: AnswerContext;
  readonly #asking: Asking;
  readonly #head: AnswerHead;
  readonly #source: BodySource;
  readonly #isJson: boolean;
  readonly #mender: Mender;
  readonly #resumption: Resumption | undefined;
  /** Repairs that somebody heard of. */
  readonly #told = new Set<Repair>();

  constructor(asking: Asking, response: Response, context: AnswerContext) {
    const { timeouts, clock } = context;
    const { request, signal } = asking;
    this.#request = request;
    this.#response = response;
    this.#context = context;
    this.#asking = asking;
    this.#head = { status: response.status, header: (name) => response.headers.get(name) ?? undefined };
    this.#source = new BodySource(chunksOf(response.body ?? []), {
      clock,
      signal,
      target: `POST ${request.url.origin}${request.url.pathname}`,
      idleMs: timeouts.idleTimeoutMs,
      progressMs: timeouts.progressTimeoutMs,
      firstEventMs: timeouts.firstEventTimeoutMs,
      onHeld: () => this.#tell('held_connection'),
    });
    this.#isJson = /^\s*application\/json\b/i.test(this.#head.header('content-type') ?? '');
    const tell = (repair: Repair): void => this.#tell(repair);
    this.#resumption = asking.resumable?.createResumption({
      clock,
      timeouts,
      signal,
      onResumed: () => tell('resumed'),
    });
    this.#mender = new Mender({ ...request, minting: context.minting, witness: this.#resumption, tell });
  }

  async begin(): Promise<Attempt> {
    if (!isStream(this.#head)) return await this.#beginRefusal();
    return await (this.#request.asked.stream ? this.#beginStream() : this.#beginBody());
  }

  /** What an answer means whose status is an error, or that is a page. */
  async #beginRefusal(): Promise<Attempt> {
    const { wire, url } = this.#request;
    const asked = { method: 'POST', url };
    if (isWebPage(this.#head)) {
      this.#source.cancel();
      this.#tell('odd_refusal');
      return this.#failed(noModelServer(asked, this.#head));
    }
    const text = await headOfBody({ ...this.#head, ...sourceOf(this.#source) }, this.#context.clock);
    this.#throwIfAborted();
    const failure = refusalOf(asked, this.#head, text);
    this.#asking.resumable?.onFailed(failure);
    const body = parseJson(text);
    if (!isObject(body) || !wire.isErrorBody(body)) {
      this.#tell('odd_refusal');
      return this.#failed(failure);
    }
    const told = (shouldRetry: boolean): Response =>
      withBody(this.#response, text, { headers: { 'x-should-retry': String(shouldRetry) } });
    return { failure, told };
  }

  async #beginStream(): Promise<Attempt> {
    const events = this.#isJson ? undefined : new WholeEvents(this.#source, this.#resumption);
    if (events === undefined) this.#mender.startTelling();
    const reader = this.#reader(events ?? this.#source);
    const first: Uint8Array[] = [];
    for (;;) {
      const { came, mended } = await this.#next(reader, events);
      const failure = mended.over ? (mended.failure ?? this.#mender.decoder.failure) : undefined;
      if (failure?.retry.replaySafe === true && !this.#mender.endsAnswer(failure)) return this.#failedFirst(failure);
      // Comments before the first event say nothing to anybody.
      if (this.#mender.hasEvents || mended.over) first.push(...mended.bytes);
      if (came > 0 || mended.over) return { response: this.#stream(reader, events, { ...mended, bytes: first }) };
    }
  }

  #stream(reader: AnswerReader, events: WholeEvents | undefined, first: Mended): Response {
    let now: Mended | undefined = first;
    const next = async (): Promise<readonly Uint8Array[] | undefined> => {
      for (;;) {
        const { bytes, over, failure } = now ?? (await this.#next(reader, events)).mended;
        now = over ? { bytes: [], over, failure } : undefined;
        if (bytes.length > 0) return bytes;
        if (!over) continue;
        // Some clients pass over the event that tells it, and would take a good end of the body for success.
        if (failure !== undefined && !this.#request.wire.answers.endsFailures) throw failure;
        return undefined;
      }
    };
    const body = bodyStream({ next, cancel: () => reader.cancel() });
    const isSse = /^\s*text\/event-stream\b/i.test(this.#head.header('content-type') ?? '');
    if (!isSse && !this.#isJson) this.#tell('wrong_content_type');
    return withBody(this.#response, body, isSse ? {} : { headers: SSE });
  }

  /** One body is wanted. It is read to its end before anybody hears of it: what it is shows there. */
  async #beginBody(): Promise<Attempt> {
    const bytes: Uint8Array[] = [];
    const source = sourceOf(this.#source, (chunks) => bytes.push(...chunks));
    const reader = this.#reader(source);
    this.#mender.startTelling();
    let mended: Mended;
    do mended = (await this.#next(reader, undefined)).mended;
    while (!mended.over);
    if (mended.failure !== undefined) return this.#failedFirst(mended.failure);
    const whole = new TextDecoder().decode(joined(bytes));
    const value = parseJson(whole);
    const isGood = this.#told.size === 0 && isObject(value) && this.#request.wire.isBody(value);
    if (!isGood) this.#tellBody();
    return { response: withBody(this.#response, isGood ? whole : this.#mender.body, { headers: JSON_TYPE }) };
  }

  /** Why one body is written anew. */
  #tellBody(): void {
    if (this.#mender.hasEvents) this.#tell('stream_for_json');
    else if (this.#told.size === 0) this.#tell('odd_shape');
  }

  #reader(source: ByteSource): AnswerReader {
    const { clock, timeouts } = this.#context;
    const { decoder } = this.#mender;
    return new AnswerReader({ source, decoder, clock, usageGraceMs: timeouts.usageGraceMs, isJson: this.#isJson });
  }

  async #next(reader: AnswerReader, events: WholeEvents | undefined): Promise<{ came: number; mended: Mended }> {
    const batch = (await reader.poll()) ?? [];
    this.#throwIfAborted();
    const mended = this.#mender.take(events?.takeRaw() ?? [], batch);
    this.#tellRepairs();
    if (events?.wasCut === true && this.#mender.decoder.failure === undefined) this.#tell('no_last_blank_line');
    const failure = mended.failure ?? this.#mender.decoder.failure;
    if (mended.over && failure !== undefined) this.#asking.resumable?.onFailed(failure);
    return { came: batch.length, mended };
  }

  /** An abort is told as `fetch` tells it. */
  #throwIfAborted(): void {
    this.#asking.signal?.throwIfAborted();
  }

  /** One body is no fault where it was asked for. */
  #tellRepairs(): void {
    const { names } = this.#mender.repairs;
    for (const name of names) if (this.#request.asked.stream || name !== 'json_for_stream') this.#tell(name);
  }

  #tell(repair: Repair): void {
    if (this.#told.has(repair)) return;
    this.#told.add(repair);
    this.#asking.onRepair?.(repair);
  }

  #failedFirst(failure: ModelError): Attempt {
    this.#tell(isSilent(failure) ? 'untold_failure' : 'failure_as_success');
    return this.#failed(failure);
  }

  #failed(failure: ModelError): Attempt {
    const { answers } = this.#request.wire;
    return { failure, told: (shouldRetry) => refusal(answers, this.#response, failure, shouldRetry) };
  }
}

/** The source as an object of its own, and what comes from it. */
function sourceOf(source: ByteSource, onChunks?: (chunks: readonly Uint8Array[]) => void): ByteSource {
  return {
    async read() {
      const chunks = await source.read();
      if (chunks !== undefined) onChunks?.(chunks);
      return chunks;
    },
    wake: () => source.wake(),
    progress: () => source.progress(),
    cancel: () => source.cancel(),
    release: () => source.release(),
  };
}
