import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { LiveResponse } from '../store/index.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** Nobody waits for this answer: it is there for those who ask. So an error is its end, too, and never a status. */
export class BackgroundWriter implements ReplyWriter {
  readonly committed = true;
  readonly full = false;
  readonly #live: LiveResponse;
  readonly #clock: Clock;

  constructor(live: LiveResponse, clock: Clock) {
    this.#live = live;
    this.#clock = clock;
  }

  send(events: readonly WireEvent[]): void {
    if (events.length > 0) this.#live.add(events);
  }

  finish(events: readonly WireEvent[]): void {
    this.send(events);
    this.#live.end(this.#clock.now());
  }

  fail(events: readonly WireEvent[]): void {
    this.finish(events);
  }

  setHeaders(): void {
    // The request was answered long ago.
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  heartbeat(): void {
    // Followers have their own.
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  reject(): void {
    throw new Error('an answer in the background fails in its events');
  }
}
