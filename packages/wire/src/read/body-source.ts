import type { ByteSource } from '../base/byte-source.ts';
import type { Clock } from '../base/clock.ts';
import { Deadline } from '../base/deadline.ts';
import { ModelError } from '../model/errors.ts';
import { timerFailure } from '../model/timer-failure.ts';
import type { BodyChunks } from './body-chunks.ts';
import { Patience } from './patience.ts';

/** How long a body is waited for, in milliseconds; 0 is for ever. */
export interface BodyTimers {
  /** Without a byte. */
  readonly idleMs: number;
  /** Without an event, whatever bytes come. */
  readonly progressMs: number;
  /** For the first event. */
  readonly firstEventMs: number;
}

export interface BodySourceOptions extends BodyTimers {
  readonly clock: Clock;
  /** Ends the reading with its reason. Default: nobody does. */
  readonly signal?: AbortSignal | undefined;
  /** What was asked for, for error messages: `POST http://host/path`. Default: not told. */
  readonly target?: string | undefined;
  /** Called when the body is given up, once. Default: nothing but the body is told. */
  readonly onCancel?: (() => void) | undefined;
  /** Called when the body had to be given up after a good end, since it went on or stayed open, once. Default: nobody is told. */
  readonly onHeld?: (() => void) | undefined;
}

/** What a body may still bring after a good end, for its connection to be kept. */
const DRAIN_BYTES = 16 * 1024;
const DRAIN_MS = 100;

/** What the body answered with: a chunk, its end, or its failure. */
type Came = { readonly chunk: Uint8Array | undefined } | { readonly error: unknown };

/**
 * A body as a source of bytes: it is read no faster than `read` is called, and its timers count only while somebody waits: one
 * who leaves it alone leaves nothing behind but a timer of a second.
 */
export class BodySource implements ByteSource {
  readonly #chunks: BodyChunks;
  readonly #options: BodySourceOptions;
  readonly #patience: Patience<'idle' | 'progress' | 'firstEvent'>;
  /** The body was asked for a chunk, and has not answered. */
  #asked = false;
  #came: Came | undefined;
  #failure: ModelError | undefined;
  #woken = false;
  #over = false;
  /** Set while somebody waits; calling it makes them look again. */
  #notify: (() => void) | undefined;

  constructor(chunks: BodyChunks, options: BodySourceOptions) {
    const { clock, idleMs, progressMs, firstEventMs, target, signal } = options;
    const bounds = { idle: idleMs, progress: progressMs, firstEvent: firstEventMs };
    this.#chunks = chunks;
    this.#options = options;
    this.#patience = new Patience(clock, bounds, (name) => this.#fail(timerFailure(name, bounds[name], target)));
    if (signal?.aborted === true) this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async read(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#over) return undefined;
      if (this.#came !== undefined) return this.#take(this.#came);
      if (this.#woken) {
        this.#woken = false;
        return [];
      }
      this.#patience.begin();
      await this.#wait();
      this.#patience.end();
    }
  }

  wake(): void {
    this.#woken = true;
    this.#notify?.();
  }

  progress(): void {
    this.#patience.drop('firstEvent');
    this.#patience.renew('progress');
  }

  cancel(): void {
    if (this.#over) return;
    this.#end();
    this.#giveUp();
  }

  release(): void {
    if (this.#over) return;
    this.#end();
    void this.#drain();
  }

  #take(came: Came): readonly Uint8Array[] | undefined {
    this.#came = undefined;
    if ('error' in came) {
      this.#end();
      throw brokenBody(came.error, this.#options.target);
    }
    if (came.chunk === undefined) {
      this.#end();
      return undefined;
    }
    this.#patience.renew('idle');
    return [came.chunk];
  }

  /** Until something has changed: a chunk came, somebody woke it, it is over. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#notify = resolve;
      this.#ask();
    });
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    const answer = (came: Came): void => {
      this.#asked = false;
      this.#came = came;
      this.#notify?.();
    };
    this.#chunks.next().then(
      (chunk) => answer({ chunk }),
      (error: unknown) => answer({ error }),
    );
  }

  #fail(failure: ModelError): void {
    if (this.#over) return;
    this.#failure = failure;
    this.cancel();
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#options.signal?.reason;
    this.#fail(new ModelError({ kind: 'aborted', message: 'aborted by the caller', cause }));
  };

  #end(): void {
    this.#over = true;
    this.#patience.close();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#notify?.();
  }

  /** Lets the body end by itself, so that its connection can be used again; how it ends is nobody's loss now. */
  async #drain(): Promise<void> {
    let bytes = 0;
    const patience = new Deadline(this.#options.clock, DRAIN_MS, () => this.#notify?.());
    patience.start();
    while (patience.running && bytes <= DRAIN_BYTES) {
      const came = this.#came;
      this.#came = undefined;
      if (came === undefined) await this.#wait();
      else if ('error' in came || came.chunk === undefined) {
        patience.stop();
        return;
      } else bytes += came.chunk.byteLength;
    }
    patience.stop();
    this.#options.onHeld?.();
    this.#giveUp();
  }

  #giveUp(): void {
    this.#chunks.cancel();
    this.#options.onCancel?.();
  }
}

/** What a body that rejects means: its connection broke, unless it says more itself. */
function brokenBody(error: unknown, target: string | undefined): ModelError {
  if (error instanceof ModelError) return error;
  const reason = reasonOf(error);
  const inAnswer = target === undefined ? 'the answer' : `the answer to ${target}`;
  const message = `the connection broke in the middle of ${inAnswer}: ${reason}`;
  return new ModelError({ kind: 'stream_truncated', message, cause: error });
}

/** What `fetch` throws says only that it was terminated: the cause knows why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && cause.message !== '' ? cause.message : 'unknown network error';
}
