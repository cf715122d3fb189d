import type { Clock, Timer } from '../base/clock.ts';

/** What is bounded, and by how many milliseconds; 0, or infinite, is no bound. */
export type Bounds<Name extends string> = Readonly<Record<Name, number>>;

/** A timer is left alone between two waits if it fires this soon: chunks that follow each other have one timer in a second. */
const SOON_MS = 1000;

/** Bounds on the time that is spent waiting, over many waits: what lies between them does not count. One timer serves them all. */
export class Patience<Name extends string> {
  readonly #clock: Clock;
  readonly #bounds: Bounds<Name>;
  readonly #expire: (name: Name) => void;
  /** What is left of each bound. */
  readonly #left: Map<Name, number>;
  /** When the wait began, or was looked at last; absent between two waits. */
  #since: number | undefined;
  #timer: Timer | undefined;
  #isSoon = false;

  /** @param expire called for a bound that is used up while somebody waits; the first of several */
  constructor(clock: Clock, bounds: Bounds<Name>, expire: (name: Name) => void) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#expire = expire;
    const names = Object.keys(bounds) as Name[];
    this.#left = new Map(names.filter((name) => isBound(bounds[name])).map((name) => [name, bounds[name]]));
  }

  /** A wait begins; nothing keeps the process for it but the wait itself. */
  begin(): void {
    if (this.#left.size === 0) return;
    this.#since = this.#clock.now();
    if (this.#timer === undefined) this.#arm(SOON_MS);
  }

  /** The wait is over. A timer may go on for a second, for the next wait. */
  end(): void {
    this.#spend();
    this.#since = undefined;
    if (!this.#isSoon) this.#disarm();
  }

  /** What was waited for came: the whole time counts again. */
  renew(name: Name): void {
    if (this.#left.has(name)) this.#left.set(name, this.#bounds[name]);
  }

  /** What was waited for came, and is not waited for again. */
  drop(name: Name): void {
    this.#left.delete(name);
  }

  /** Nobody will wait any more. */
  close(): void {
    this.#left.clear();
    this.#since = undefined;
    this.#disarm();
  }

  #spend(): void {
    if (this.#since === undefined) return;
    const now = this.#clock.now();
    const waited = now - this.#since;
    for (const [name, left] of this.#left) this.#left.set(name, left - waited);
    this.#since = now;
  }

  #arm(most: number): void {
    const left = Math.min(...this.#left.values());
    this.#isSoon = left <= SOON_MS || most <= SOON_MS;
    this.#timer = this.#clock.after(Math.max(0, Math.min(left, most)), () => {
      this.#timer = undefined;
      if (this.#since !== undefined) this.#look();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#spend();
    for (const [name, left] of this.#left) {
      if (left > 0) continue;
      this.#expire(name);
      return;
    }
    if (this.#left.size > 0) this.#arm(Infinity);
  }
}

function isBound(ms: number): boolean {
  return ms > 0 && Number.isFinite(ms);
}
