import type { Clock } from '../base/clock.ts';
import { JsonEnd } from '../base/json-end.ts';
import { bodyStream } from '../fetch/body-stream.ts';
import type { Fetch } from '../fetch/fetch.ts';
import { readModelRequest, type ModelRequest } from '../fetch/model-request.ts';
import { withBody } from '../fetch/response.ts';
import type { HealingWire } from '../fetch/wire.ts';
import type { ErrorKind, ModelError } from '../model/errors.ts';
import { chunksOf, type BodyChunks } from '../read/body-chunks.ts';
import { isStream } from '../read/refusal.ts';
import { Repairs, type Repair } from '../repairs.ts';
import { createDecoderOf, type ByteDecoder } from '../stream-decoder.ts';
import type { Ending, Ledger } from './ledger.ts';

/** Healing lets go of a connection that stays open for 100 ms behind a finished answer: who waited for so long was held. */
const HELD_MS = 50;
/** The end of a connection that came meanwhile, in a process that had much to do, is given so long to show. */
const SETTLE_MS = 10;
/** The same for who leaves by themselves, or is the end of the process. */
const LATE_MS = 1000;
/** A body that brought nothing for so long when it was given up had gone silent. */
const SILENT_MS = 10_000;

/** Failures with which an answer ends as the server wants it: its client has what there is. */
const ENDS: ReadonlySet<ErrorKind> = new Set(['incomplete', 'content_filter', 'context_window_exceeded']);

/** A `fetch` that looks at the answers of models on their way, byte for byte the same, and notes how each ended. */
export class Watch {
  readonly #wires: readonly HealingWire[];
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  /** Answers that are not over. */
  readonly #open = new Set<WatchedAnswer>();

  constructor(wires: readonly HealingWire[], ledger: Ledger, clock: Clock) {
    this.#wires = wires;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** What `below` answers, looked at. */
  over(below: Fetch): Fetch {
    return async (input, init) => {
      const request = await readModelRequest(this.#wires, input, init);
      if (request === undefined) return await below(input, init);
      const { origin } = request.url;
      this.#ledger.onRequest(origin);
      const response = await below(input, init).catch((error: unknown) => {
        this.#ledger.onEnd(origin, isAbort(error) ? 'left' : 'unreachable', []);
        throw error;
      });
      return this.#watched(request, response);
    };
  }

  /** The process ends: so do all answers. */
  end(): void {
    for (const each of this.#open) each.giveUp();
  }

  #watched(request: ModelRequest, response: Response): Response {
    const { origin } = request.url;
    const head = { status: response.status, header: (name: string) => response.headers.get(name) ?? undefined };
    if (response.body === null || !isStream(head)) {
      this.#ledger.onEnd(origin, 'refused', []);
      return response;
    }
    const answer = new WatchedAnswer(request, response, response.body, this.#clock, (ending) => {
      this.#open.delete(answer);
      this.#ledger.onEnd(origin, ending, answer.repaired);
    });
    this.#open.add(answer);
    return withBody(response, bodyStream(answer));
  }
}

/** One answer on its way to the app. */
class WatchedAnswer {
  readonly #repairs = new Repairs();
  readonly #isStreamWanted: boolean;
  readonly #chunks: BodyChunks;
  readonly #clock: Clock;
  readonly #decoder: ByteDecoder;
  readonly #jsonEnd: JsonEnd | undefined;
  #onEnd: ((ending: Ending) => void) | undefined;
  #waitsSince: number | undefined;
  #finishedAt: number | undefined;

  constructor(
    { wire, asked }: ModelRequest,
    { headers }: Response,
    body: ReadableStream<Uint8Array>,
    clock: Clock,
    onEnd: (ending: Ending) => void,
  ) {
    this.#chunks = chunksOf(body);
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#isStreamWanted = asked.stream;
    this.#decoder = createDecoderOf(wire.answers, {
      usageAsked: true, // many servers tell it unasked
      tokenLimit: asked.tokenLimit,
      toolCallsOnStop: 'promote',
      repairs: this.#repairs,
    });
    if (/^\s*application\/json\b/i.test(headers.get('content-type') ?? '')) this.#jsonEnd = new JsonEnd();
  }

  /** One body is no fault where it was asked for. */
  get repaired(): readonly Repair[] {
    return [...this.#repairs.names].filter((name) => this.#isStreamWanted || name !== 'json_for_stream');
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    this.#waitsSince = this.#clock.now();
    const chunk = await this.#chunks.next().catch((error: unknown) => {
      this.#settle(isAbort(error) ? this.#left(LATE_MS) : 'cut');
      throw error;
    });
    if (chunk !== undefined) this.#look(chunk);
    else this.#settle(this.#ended());
    this.#waitsSince = undefined;
    return chunk && [chunk];
  }

  cancel(): void {
    const cancel = (): void => {
      this.#settle(this.#left(HELD_MS));
      this.#chunks.cancel();
    };
    if (this.#finishedAt !== undefined && this.#waitsSince !== undefined) this.#clock.after(SETTLE_MS, cancel);
    else cancel();
  }

  giveUp(): void {
    this.#settle(this.#left(LATE_MS));
  }

  #look(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    if (this.#jsonEnd?.push(chunk) === true) this.#decoder.end({ type: 'close' });
    if (this.#decoder.phase !== 'streaming' && this.#failure === undefined) this.#finishedAt ??= this.#clock.now();
  }

  /** The body ended by itself. */
  #ended(): Ending {
    this.#decoder.end({ type: 'close' });
    const failure = this.#failure;
    if (failure !== undefined) return failure.kind === 'stream_truncated' ? 'cut' : 'failed';
    return this.#clock.now() - (this.#finishedAt ?? Infinity) >= LATE_MS ? 'held_open' : 'finished';
  }

  /** Nobody reads on; who waited for so many milliseconds behind a finished answer was held. */
  #left(heldMs: number): Ending {
    if (this.#failure !== undefined) return 'failed';
    const now = this.#clock.now();
    const waited = now - (this.#waitsSince ?? now);
    if (this.#finishedAt !== undefined) return waited >= heldMs ? 'held_open' : 'finished';
    return waited >= SILENT_MS ? 'silent' : 'left';
  }

  get #failure(): ModelError | undefined {
    const { failure } = this.#decoder;
    return failure === undefined || ENDS.has(failure.kind) ? undefined : failure;
  }

  #settle(ending: Ending): void {
    this.#onEnd?.(ending);
    this.#onEnd = undefined;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
