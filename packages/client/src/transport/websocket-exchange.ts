import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { timerFailure } from '@turnwire/wire/internal/model/timer-failure';
import { abortFailure } from './failures.ts';
import { defaultTimers, ExchangeTimers, type HttpTimers } from './watch.ts';

/** UTF-16 code units that may wait for the consumer before the socket is paused; one socket read can come on top. */
const QUEUE_LENGTH = 64 * 1024;

export interface FrameExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** As for HTTP, without `connectMs`; `idleMs` also bounds the sending. Only messages count: pings do not. */
  readonly timers?: HttpTimers;
}

/** What an exchange needs of its socket. */
export interface ExchangePorts {
  readonly clock: Clock;
  readonly target: string;
  pause(): void;
  resume(): void;
  /** Called once; `keep` is false when the socket cannot be used again. */
  over(keep: boolean): void;
}

/**
 * One message sent over a WebSocket, and the messages that answer it. Ends exactly once: by `release`, by `cancel`, by
 * the close of the socket, or by a failure.
 */
export class FrameExchange {
  readonly #ports: ExchangePorts;
  readonly #signal: AbortSignal | undefined;
  readonly #watch: ExchangeTimers;
  readonly #send: Deadline;
  readonly #total: Deadline;
  #ended = false;
  #failure: ModelError | undefined;
  #queue: string[] = [];
  #queuedLength = 0;
  #paused = false;
  #sawFrame = false;
  /** Set while a `read` waits; calling it makes the read look again. */
  #waiting: (() => void) | undefined;

  constructor(options: FrameExchangeOptions, ports: ExchangePorts) {
    const { timers = {}, signal } = options;
    const idleMs = timers.idleMs ?? defaultTimers.idleMs;
    const totalMs = timers.totalMs ?? defaultTimers.totalMs;
    this.#ports = ports;
    this.#signal = signal;
    this.#watch = new ExchangeTimers(ports.clock, timers, (timer, ms) =>
      this.fail(timerFailure(timer, ms, ports.target)),
    );
    this.#send = new Deadline(ports.clock, idleMs, () => this.fail(sendFailure(idleMs, ports.target)));
    this.#total = new Deadline(ports.clock, totalMs, () => this.fail(timerFailure('total', totalMs, ports.target)));
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#send.start();
    this.#total.start();
  }

  /**
   * The messages that arrived since the last call, or the next ones, in order; `undefined` when the socket was closed
   * without a complaint. What arrived before a failure is delivered before the rejection, except after an abort. One
   * read at a time.
   */
  async read(): Promise<readonly string[] | undefined> {
    this.#watch.asked();
    for (;;) {
      if (this.#queue.length === 0) this.#resume();
      if (this.#queue.length > 0) return this.#take();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** A real event was decoded: the progress timer starts over. */
  progress(): void {
    this.#watch.progress();
  }

  /** A good end: the socket is free for the next exchange. */
  release(): void {
    this.#queue = [];
    if (!this.#ended) this.#end(undefined, true);
  }

  /** Gives up: the socket is closed at once. Nothing after the end. */
  cancel(): void {
    this.#queue = [];
    if (!this.#ended) this.#end(undefined, false);
  }

  /** Ends it badly, unless it has ended. */
  fail(failure: ModelError): void {
    if (!this.#ended) this.#end(failure, false);
  }

  /** The message was handed to the system: from here the server is waited for. */
  onSent(): void {
    if (this.#ended) return;
    this.#send.stop();
    this.#watch.sending();
    if (this.#sawFrame) this.#watch.firstByte();
  }

  onFrame(text: string): void {
    if (this.#ended) return;
    if (this.#sawFrame) this.#watch.byte();
    else this.#watch.firstByte();
    this.#sawFrame = true;
    this.#queue.push(text);
    this.#queuedLength += text.length;
    if (this.#queuedLength >= QUEUE_LENGTH) this.#pause();
    this.#notify();
  }

  onEnd(): void {
    if (!this.#ended) this.#end(undefined, false);
  }

  readonly #onAbort = (): void => {
    if (this.#signal === undefined || this.#ended) return;
    this.#queue = [];
    this.#end(abortFailure(this.#signal), false);
  };

  #end(failure: ModelError | undefined, keep: boolean): void {
    this.#ended = true;
    this.#failure = failure;
    this.#watch.stop();
    this.#send.stop();
    this.#total.stop();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#ports.over(keep);
    this.#notify();
  }

  #take(): readonly string[] {
    const frames = this.#queue;
    this.#queue = [];
    this.#queuedLength = 0;
    this.#watch.delivered();
    return frames;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#watch.paused();
    this.#ports.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#ended) return;
    this.#watch.resumed();
    this.#ports.resume();
  }

  #notify(): void {
    const wake = this.#waiting;
    this.#waiting = undefined;
    wake?.();
  }
}

function sendFailure(ms: number, target: string): ModelError {
  return new ModelError({
    kind: 'stream_idle',
    message: `idle timeout: ${target} took nothing of the request for ${ms} ms`,
  });
}
