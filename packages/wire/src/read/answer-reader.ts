import type { Clock } from '../base/clock.ts';
import { JsonEnd } from '../base/json-end.ts';
import type { EndReason, StreamDecoder } from '../decoder.ts';
import { ModelError } from '../model/errors.ts';
import type { ModelEvent } from '../model/events.ts';
import type { ByteSource } from '../base/byte-source.ts';
import type { BatchSource } from './model-stream.ts';
import { joined } from './joined.ts';
import { UsageGrace } from './usage-grace.ts';

/** What one wait for the server brought. */
export type PollResult =
  | { readonly type: 'events'; readonly events: readonly ModelEvent[] }
  /** The body ended, or the socket was closed. */
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: ModelError };

export interface AnswerReaderOptions {
  readonly source: ByteSource;
  readonly decoder: StreamDecoder;
  readonly clock: Clock;
  /** Milliseconds that a finished answer waits for its usage. */
  readonly usageGraceMs: number;
  /** The answer says that it is JSON: it is over when its object is, though the connection may stay open. Default false. */
  readonly isJson?: boolean;
  /** The model has finished, and its usage is waited for. Default: nobody is told. */
  readonly onFinished?: (() => void) | undefined;
  /** After every wait: what came, and how long it took, in milliseconds. */
  readonly onPoll?: ((result: PollResult, waitedMs: number) => void) | undefined;
  /**
   * The model is done, before the source is let go; `outOfTime` where its usage did not come in time. Answers whether the source is
   * still read by somebody else, who then lets it go. Default: nobody reads it.
   */
  readonly onDone?: ((outOfTime: boolean) => boolean) | undefined;
}

const GRACE: EndReason = { type: 'grace' };

/** One answer as events: the driver between the bytes of a body and a decoder. Ends when the model is done, whatever the body does. */
export class AnswerReader implements BatchSource {
  readonly #options: AnswerReaderOptions;
  readonly #grace: UsageGrace;
  readonly #jsonEnd: JsonEnd | undefined;
  #cancelled = false;

  constructor(options: AnswerReaderOptions) {
    const { source, clock, usageGraceMs: ms, isJson = false, onFinished } = options;
    this.#options = options;
    this.#grace = new UsageGrace({ clock, ms, onBegin: onFinished, onOver: () => source.wake() });
    this.#jsonEnd = isJson ? new JsonEnd() : undefined;
  }

  get #hasEnded(): boolean {
    return this.#options.decoder.phase === 'ended';
  }

  /** Reads until there are events, or the answer is over. Throws what the answer failed with, behind its events. */
  async next(): Promise<readonly ModelEvent[] | undefined> {
    for (;;) {
      const events = await this.poll();
      if (events === undefined || events.length > 0) return events;
    }
  }

  /** The same for one wait: an empty list where it brought no events. */
  async poll(): Promise<readonly ModelEvent[] | undefined> {
    const { source, decoder, clock, onPoll } = this.#options;
    if (this.#cancelled) return undefined;
    if (this.#hasEnded) {
      if (decoder.failure !== undefined) throw decoder.failure;
      return undefined;
    }
    const startedAt = onPoll === undefined ? 0 : clock.now();
    let events: readonly ModelEvent[];
    try {
      events = this.#decode(await source.read(), startedAt);
    } catch (error) {
      events = this.#failed(error, startedAt);
    }
    return this.#came(events);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#grace.cancel();
    if (!this.#hasEnded) this.#options.source.cancel();
  }

  #came(events: readonly ModelEvent[]): readonly ModelEvent[] {
    const { source, decoder } = this.#options;
    if (this.#cancelled) return [];
    this.#grace.watch(decoder);
    if (this.#hasEnded) this.#settle();
    if (events.length > 0) source.progress();
    return events;
  }

  #failed(error: unknown, startedAt: number): readonly ModelEvent[] {
    const { decoder, clock, onPoll } = this.#options;
    if (!(error instanceof ModelError)) throw error;
    if (onPoll !== undefined) onPoll({ type: 'error', error }, clock.now() - startedAt);
    return decoder.end({ type: 'failed', error });
  }

  /** What the decoder makes of what came. */
  #decode(chunks: readonly Uint8Array[] | undefined, startedAt: number): readonly ModelEvent[] {
    const { decoder, clock, onPoll } = this.#options;
    if (chunks === undefined) {
      onPoll?.({ type: 'end' }, clock.now() - startedAt);
      return decoder.end({ type: 'close' });
    }
    const events = chunks.length > 0 ? this.#push(joined(chunks)) : this.#grace.isOver ? decoder.end(GRACE) : [];
    onPoll?.({ type: 'events', events }, clock.now() - startedAt);
    return events;
  }

  #push(bytes: Uint8Array): readonly ModelEvent[] {
    const { decoder } = this.#options;
    const events = decoder.push(bytes);
    return this.#jsonEnd?.push(bytes) === true ? [...events, ...decoder.end({ type: 'close' })] : events;
  }

  /** The model is done, whatever the connection does: gives it back, or closes it after a failure. */
  #settle(): void {
    const { source, decoder, onDone } = this.#options;
    this.#grace.cancel();
    if (onDone?.(this.#grace.isOver) === true) return;
    if (decoder.failure === undefined) source.release();
    else source.cancel();
  }
}
