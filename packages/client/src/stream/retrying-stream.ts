import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent, RetryingEvent } from '@turnwire/wire/internal/model/events';
import type { Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { decideRetry, type RetryLevelName, type RetryPolicy } from '@turnwire/wire/internal/model/retry-policy';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';
import type { BatchSource } from '@turnwire/wire/internal/read/model-stream';
import type { RequestWatch } from '../observer.ts';
import { unlessAborted, wait } from '../platform/wait.ts';

/** One try at a request. */
export interface Attempt extends BatchSource {
  /** The server accepted the request: from here a failure is the stream's. */
  readonly started: boolean;
  /** The model that its answer names, once it has. */
  readonly model: string | undefined;
}

/** What an attempt is made with. */
export interface AttemptContext {
  readonly signal: AbortSignal;
  readonly watch: RequestWatch | undefined;
  /** Counts from 1. */
  readonly number: number;
}

export interface SamplingOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  /** Fires when the owner of the connections closes them: an abort like the caller's. */
  readonly closing: AbortSignal;
  /** Makes one try; nothing is sent before its first `next`. */
  readonly open: (request: ModelRequest, context: AttemptContext) => Attempt;
  /**
   * A failure that is answered by another way to the server rather than by the same again: true when there is one. It
   * does not count as a retry.
   */
  readonly divert?: (error: ModelError, attempt: Attempt) => boolean;
  /** The input of a retry after output was delivered; default: the old input and the items that were done. */
  readonly rebuildInput?: (() => Promise<readonly Item[]>) | undefined;
  /** Returns the failure without what must not be shown. Default: the failure as it is. */
  readonly conceal?: ((error: ModelError) => ModelError) | undefined;
  /** Called when the first event is asked for. */
  readonly watch?: (() => RequestWatch | undefined) | undefined;
  /** Over, however it ended; only after something was asked for. */
  readonly onEnd?: () => void;
}

/**
 * One request of a turn until its answer: tries again as the policy says, each time after a `retrying` event and a
 * wait. A stream that broke is asked for again with what was done in it, so that nothing is redone.
 */
export class RetryingStream implements BatchSource {
  readonly #options: SamplingOptions;
  readonly #stop = new AbortController();
  readonly #used: Record<RetryLevelName, number> = { request: 0, stream: 0 };
  #request: ModelRequest;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #watch: RequestWatch | undefined;
  /** The model that the answer names, as it was told to the watch. */
  #model: string | undefined;
  /** What this attempt brought. */
  #answer = new TranscriptBuilder();
  /** Set between a failure and the next try. */
  #retry: { readonly at: number; readonly rebuild: boolean } | undefined;
  #following = false;
  #cancelled = false;
  #over = false;

  constructor(request: ModelRequest, options: SamplingOptions) {
    this.#request = request;
    this.#options = options;
  }

  async next(): Promise<readonly ModelEvent[] | undefined> {
    if (this.#over) return undefined;
    this.#follow();
    try {
      if (this.#retry !== undefined) await this.#beforeRetry(this.#retry);
      this.#attempt ??= this.#open();
      const batch = await this.#attempt.next();
      if (this.#cancelled) return undefined;
      if (batch === undefined) this.#end();
      else this.#note(batch);
      return batch;
    } catch (error) {
      return this.#cancelled ? undefined : [this.#onFailure(error)];
    }
  }

  cancel(): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.#attempt?.cancel();
    this.#stop.abort();
    this.#end();
  }

  #note(batch: readonly ModelEvent[]): void {
    for (const event of batch) this.#answer.take(event);
    const model = this.#attempt?.model;
    if (model !== undefined && model !== this.#model) this.#watch?.onModel?.(model);
    this.#model = model;
    this.#watch?.onEvents?.(batch);
  }

  /** The retry that answers a failure; throws what is final. */
  #onFailure(error: unknown): RetryingEvent {
    const known = error instanceof ModelError ? (this.#options.conceal?.(error) ?? error) : undefined;
    if (known !== undefined) this.#watch?.onAttemptFailed?.(known);
    try {
      if (known === undefined || this.#attempt === undefined) throw known ?? error;
      return this.#retryOrThrow(known, this.#attempt);
    } catch (final) {
      this.#end(known);
      throw final;
    }
  }

  #open(): Attempt {
    const { watch, open } = this.#options;
    if (this.#attempts++ === 0) this.#watch = watch?.();
    return open(this.#request, { signal: this.#stop.signal, watch: this.#watch, number: this.#attempts });
  }

  #retryOrThrow(error: ModelError, attempt: Attempt): RetryingEvent {
    const { policy, random, clock, divert, rebuildInput } = this.#options;
    const level = attempt.started ? 'stream' : 'request';
    const diverted = divert?.(error, attempt) === true;
    const plan = diverted
      ? { attempt: 1, max: policy[level].maxRetries, delayMs: 0 }
      : decideRetry(policy, level, error, this.#used[level], random);
    if (plan === undefined) throw error;
    if (diverted) Object.assign(this.#used, { request: 0, stream: 0 });
    else this.#used[level]++;
    const { kept, discarded } = this.#answer.settle(rebuildInput !== undefined);
    this.#answer = new TranscriptBuilder();
    this.#attempt = undefined;
    this.#retry = { at: clock.now() + plan.delayMs, rebuild: kept.length > 0 };
    if (kept.length > 0) this.#request = { ...this.#request, input: [...this.#request.input, ...kept] };
    return {
      type: 'retrying',
      attempt: plan.attempt,
      max: plan.max,
      delay_ms: plan.delayMs,
      error: error.toJSON(),
      discarded_item_ids: discarded,
    };
  }

  async #beforeRetry({ at, rebuild }: { readonly at: number; readonly rebuild: boolean }): Promise<void> {
    const { clock, rebuildInput } = this.#options;
    const { signal } = this.#stop;
    this.#retry = undefined;
    await wait(clock, at - clock.now(), signal);
    if (!rebuild || rebuildInput === undefined) return;
    const input = await unlessAborted(rebuildInput(), signal);
    if (input !== undefined) this.#request = { ...this.#request, input };
  }

  #end(error?: ModelError): void {
    this.#over = true;
    this.#watch?.onEnd?.(error);
    this.#options.onEnd?.();
    for (const signal of this.#followed()) signal.removeEventListener('abort', this.#onAbort);
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    for (const signal of this.#followed()) signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#onAbort();
  }

  readonly #onAbort = (): void => {
    const fired = this.#followed().find((signal) => signal.aborted);
    if (fired !== undefined) this.#stop.abort(fired.reason);
  };

  #followed(): readonly AbortSignal[] {
    const { signal, closing } = this.#options;
    return signal === undefined ? [closing] : [signal, closing];
  }
}
