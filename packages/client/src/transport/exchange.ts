import type { HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { Connections } from './dispatcher.ts';
import { timerFailure } from '@turnwire/wire/internal/model/timer-failure';
import { abortFailure, describeTarget, networkFailure } from './failures.ts';
import { ExchangeTimers, type HttpTimers } from './watch.ts';

/** Bytes that may wait for the consumer before the socket is paused; one socket read can come on top. */
const QUEUE_BYTES = 64 * 1024;
/** What a body may still bring after a good end for its connection to be kept. */
const DRAIN_BYTES = 16 * 1024;
const DRAIN_MS = 100;

/** Hears of what comes of a body that its consumer has let go: until it ends, or the connection is closed. */
export interface RestOfBody {
  chunk(bytes: Uint8Array): void;
  /** Once. `left`: the server had not ended it when the connection was closed. */
  end(how: 'complete' | 'broken' | 'left'): void;
}

export interface Head {
  readonly status: number;
  readonly headers: HeaderValues;
}

export interface ExchangeOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly timers: HttpTimers;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

type State = 'connecting' | 'sent' | 'answering' | 'ended';

/**
 * One request and its answer: reads from the socket no faster than `read` is called, and ends exactly once,
 * by the end of the body, a failure, a timer, the signal, `cancel` or `release`.
 */
export class Exchange {
  /** Settles when the headers are there, or with the failure before them. */
  readonly head: Promise<Head>;
  readonly #options: ExchangeOptions;
  readonly #watch: ExchangeTimers;
  readonly #headSettles: PromiseWithResolvers<Head> = Promise.withResolvers<Head>();
  #state: State = 'connecting';
  #failure: ModelError | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** The socket while it connects, if this request opened it. */
  #opening: Socket | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #sawByte = false;
  #paused = false;
  /** Set while a `read` waits; resolving it makes the read look again. */
  #waiting: (() => void) | undefined;
  #woken = false;
  #drain: { bytes: number; readonly timer: Timer; readonly rest: RestOfBody | undefined } | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#watch = new ExchangeTimers(options.clock, options.timers, (timer, ms) => {
      this.fail(timerFailure(timer, ms, this.#target));
    });
    this.head = this.#headSettles.promise;
    this.#start();
  }

  /** For errors. */
  get #target(): string {
    return describeTarget(this.#options.method, this.#options.url);
  }

  /** True once nothing more will come from the socket, however much is still queued. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /**
   * The bytes that arrived since the last call, or the next ones; `undefined` at the end of the body, an empty
   * list after `wake`. What arrived before a failure is delivered before the rejection. One read at a time.
   */
  async read(): Promise<readonly Uint8Array[] | undefined> {
    this.#watch.asked();
    for (;;) {
      if (this.#queue.length === 0) this.#resume();
      if (this.#queue.length > 0) return this.#take();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state === 'ended') return undefined;
      if (this.#woken) {
        this.#woken = false;
        return [];
      }
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** Makes the pending read, or the next one that would wait, answer an empty list. */
  wake(): void {
    this.#woken = true;
    this.#notify();
  }

  /** A real event was decoded: the progress timer starts over. */
  progress(): void {
    this.#watch.progress();
  }

  /** Ends it badly, unless it has ended; queued bytes stay readable, except after an abort. */
  fail(failure: ModelError): void {
    if (this.#state === 'ended') return;
    this.#end(failure);
    this.#disconnect();
  }

  /** The consumer is gone: drops what is queued and closes the connection. Nothing once it has ended. */
  cancel(): void {
    this.#queue = [];
    if (this.#drain !== undefined) {
      this.#endDrain('left');
      return;
    }
    if (this.#state === 'ended') return;
    this.#end(undefined);
    this.#headSettles.reject(new ModelError({ kind: 'aborted', message: 'cancelled' }));
    this.#disconnect();
  }

  /** A good end: keeps the connection when the body ends within a short drain, else closes it. */
  release(rest?: RestOfBody): void {
    for (const chunk of this.#queue) rest?.chunk(chunk);
    this.#queue = [];
    if (this.#state !== 'answering') {
      this.cancel();
      rest?.end(this.#failure === undefined ? 'complete' : 'broken');
      return;
    }
    this.#end(undefined);
    const timer = this.#options.clock.after(DRAIN_MS, () => {
      this.#endDrain('left');
    });
    this.#drain = { bytes: 0, timer, rest };
    this.#paused = false;
    this.#controller?.resume();
  }

  #start(): void {
    const { connections, method, url, headers, body, signal } = this.#options;
    if (signal?.aborted === true) {
      this.fail(abortFailure(signal));
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const options = { origin: url.origin, path: url.pathname + url.search, method, headers, body: body ?? null };
    connections.dispatching(
      (socket) => (this.#opening = socket),
      () => connections.dispatcher.dispatch(options, this.#handler()),
    );
    // A connection that is there takes the request at once.
    if (this.#state === 'connecting') this.#watch.connecting();
  }

  #handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        this.#onStart(controller);
      },
      onResponseStart: (_controller, status, headers) => {
        if (status >= 200) this.#onHead({ status, headers });
      },
      onResponseData: (_controller, chunk) => {
        this.#onData(chunk);
      },
      onResponseEnd: () => {
        this.#onEnd();
      },
      onResponseError: (_controller, error) => {
        this.#onError(error);
      },
    };
  }

  #onStart(controller: Dispatcher.DispatchController): void {
    this.#opening = undefined;
    this.#controller = controller;
    if (this.#state === 'ended') {
      this.#disconnect();
      return;
    }
    this.#state = 'sent';
    this.#watch.sending();
  }

  #onHead(head: Head): void {
    if (this.#state !== 'sent') return;
    this.#state = 'answering';
    this.#headSettles.resolve(head);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#drain !== undefined) {
      this.#drain.rest?.chunk(chunk);
      this.#drain.bytes += chunk.byteLength;
      if (this.#drain.bytes > DRAIN_BYTES) this.#endDrain('left');
      return;
    }
    if (this.#state !== 'answering') return;
    if (this.#sawByte) this.#watch.byte();
    else this.#watch.firstByte();
    this.#sawByte = true;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes >= QUEUE_BYTES) this.#pause();
    this.#notify();
  }

  #onEnd(): void {
    this.#options.connections.bodyEnded();
    if (this.#drain !== undefined) {
      this.#endDrain('complete');
      return;
    }
    if (this.#state !== 'ended') this.#end(undefined);
  }

  #onError(error: Error): void {
    this.#opening = undefined;
    if (this.#drain !== undefined) {
      this.#endDrain('broken');
      return;
    }
    if (this.#state === 'ended') return;
    this.#end(networkFailure(error, this.#state === 'answering', this.#target));
  }

  readonly #onAbort = (): void => {
    const { signal } = this.#options;
    if (signal === undefined || this.#state === 'ended') return;
    this.#queue = [];
    this.fail(abortFailure(signal));
  };

  #end(failure: ModelError | undefined): void {
    this.#state = 'ended';
    this.#failure = failure;
    this.#watch.stop();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (failure !== undefined) this.#headSettles.reject(failure);
    this.#notify();
  }

  #disconnect(): void {
    const reason = this.#failure ?? new ModelError({ kind: 'aborted', message: 'cancelled' });
    this.#opening?.destroy(reason);
    this.#opening = undefined;
    this.#controller?.abort(reason);
  }

  #endDrain(how: 'complete' | 'broken' | 'left'): void {
    const drain = this.#drain;
    drain?.timer.cancel();
    this.#drain = undefined;
    if (how === 'left') this.#disconnect();
    drain?.rest?.end(how);
  }

  #take(): readonly Uint8Array[] {
    const chunks = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#watch.delivered();
    return chunks;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#watch.paused();
    this.#controller?.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state === 'ended') return;
    this.#watch.resumed();
    this.#controller?.resume();
  }

  #notify(): void {
    const wake = this.#waiting;
    this.#waiting = undefined;
    wake?.();
  }
}
