import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

/** So many refusals of one kind are told one by one. */
const TOLD = 5;
const MINUTE_MS = 60_000;

/** What refusals of one kind have in common. Each is of a small set. */
export interface RefusalKind {
  readonly route: string;
  readonly status: number;
  readonly code: string | undefined;
}

/** Refusals of one kind that go on. */
interface Run {
  told: number;
  /** Not told in the minute that runs. */
  more: number;
  timer: Timer;
}

/**
 * Keeps a scanner, or a client that tries again and again, from filling the log: the first few refusals of a kind are told, then
 * once a minute how many there were, until a minute is without.
 */
export class RefusalLimit {
  readonly #clock: Clock;
  readonly #tellMore: (kind: RefusalKind, times: number) => void;
  readonly #runs = new Map<string, { readonly kind: RefusalKind; readonly run: Run }>();

  /** @param tellMore - is told how many there were in the minute that has ended */
  constructor(clock: Clock, tellMore: (kind: RefusalKind, times: number) => void) {
    this.#clock = clock;
    this.#tellMore = tellMore;
  }

  /** True for one that is to be told; it is counted in any case. */
  tells(kind: RefusalKind): boolean {
    const key = JSON.stringify([kind.route, kind.status, kind.code]);
    const known = this.#runs.get(key)?.run;
    if (known === undefined) this.#runs.set(key, { kind, run: { told: 1, more: 0, timer: this.#minute(key) } });
    else if (known.told < TOLD) known.told++;
    else known.more++;
    return known === undefined || known.more === 0;
  }

  /** Tells what was not told yet. */
  close(): void {
    for (const { kind, run } of this.#runs.values()) {
      run.timer.cancel();
      if (run.more > 0) this.#tellMore(kind, run.more);
    }
    this.#runs.clear();
  }

  #minute(key: string): Timer {
    return this.#clock.after(MINUTE_MS, () => this.#endMinute(key));
  }

  #endMinute(key: string): void {
    const ended = this.#runs.get(key);
    if (ended === undefined) return;
    const { kind, run } = ended;
    if (run.more === 0) {
      this.#runs.delete(key);
      return;
    }
    this.#tellMore(kind, run.more);
    run.more = 0;
    run.timer = this.#minute(key);
  }
}
