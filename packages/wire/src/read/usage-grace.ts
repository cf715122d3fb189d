import type { Clock, Timer } from '../base/clock.ts';
import type { StreamDecoder } from '../decoder.ts';

export interface UsageGraceOptions {
  readonly clock: Clock;
  /** Milliseconds that a finished answer waits for its usage. */
  readonly ms: number;
  /** The time begins. Default: nobody is told. */
  readonly onBegin?: (() => void) | undefined;
  /** The time is over: the reader has to stop waiting for bytes, and to end the decoder with `grace`. */
  readonly onOver: () => void;
}

/**
 * The wait for usage (docs/contract.md, section 3): the model is done, the connection stays open, and only usage may
 * still come. The time runs once, from when the decoder first said so.
 */
export class UsageGrace {
  readonly #options: UsageGraceOptions;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(options: UsageGraceOptions) {
    this.#options = options;
  }

  /** True once the time has run out. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** To be called after bytes were decoded. */
  watch(decoder: Pick<StreamDecoder, 'phase'>): void {
    if (decoder.phase !== 'awaiting_usage' || this.#timer !== undefined) return;
    const { clock, ms, onBegin, onOver } = this.#options;
    onBegin?.();
    const end = (): void => {
      this.#isOver = true;
      onOver();
    };
    this.#timer = clock.after(ms, end, { keepAlive: true });
  }

  /** The answer is over, one way or another. */
  cancel(): void {
    this.#timer?.cancel();
  }
}
