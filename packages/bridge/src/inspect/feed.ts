import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

/** What happens meanwhile is gathered: a page is told at most so often. */
const GATHER_MS = 250;
/** A page that takes nothing for so long is let go; it comes back by itself when it is there. */
const STUCK_MS = 30_000;
/** So that both sides notice that the other has gone. */
const ALIVE_MS = 15_000;

/** What a page is to be told. */
export interface FeedSource {
  /** The next message as JSON; undefined when there is nothing new. */
  pull(): string | undefined;
  /** No message will follow. */
  readonly ended: boolean;
}

/**
 * Messages for one page, as server-sent events. Nothing is queued for it: the next message is made when the page has
 * taken the last one.
 */
export class Feed {
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  readonly #source: FeedSource;
  readonly #onClose: () => void;
  #timer: Timer | undefined;
  #alive: Timer | undefined;
  #stuck: Timer | undefined;

  /** @param onClose - called once, however it ends */
  constructor(res: ServerResponse, clock: Clock, source: FeedSource, onClose: () => void) {
    this.#res = res;
    this.#clock = clock;
    this.#source = source;
    this.#onClose = onClose;
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    res.write('retry: 1000\n\n');
    res.once('close', () => this.#close());
    this.#after(0);
  }

  /** Something is new. */
  wake(): void {
    this.#timer ??= this.#clock.after(GATHER_MS, () => this.#tell());
  }

  #tell(): void {
    this.#timer = undefined;
    if (this.#stuck !== undefined || this.#res.destroyed) return;
    const message = this.#source.pull();
    if (message === undefined) {
      if (this.#source.ended) this.#res.end();
      else this.#beAlive();
      return;
    }
    this.#beAlive();
    if (this.#res.write(`data: ${message}\n\n`))
      this.#after(0); // the streams of others have their turn in between
    else this.#awaitDrain();
  }

  /** Waits until the page has taken what was written. */
  #awaitDrain(): void {
    this.#stuck = this.#clock.after(STUCK_MS, () => this.#res.destroy());
    this.#res.once('drain', () => {
      this.#stuck?.cancel();
      this.#stuck = undefined;
      this.#after(0);
    });
  }

  #after(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, () => this.#tell());
  }

  #beAlive(): void {
    this.#alive?.cancel();
    this.#alive = this.#clock.after(ALIVE_MS, () => {
      this.#res.write(': alive\n\n');
      this.#beAlive();
    });
  }

  #close(): void {
    for (const timer of [this.#timer, this.#alive, this.#stuck]) timer?.cancel();
    this.#onClose();
  }
}
