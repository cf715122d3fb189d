import type { RestState } from '../observe/upstream-status.ts';

/** The first rest; each failure after it doubles it. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;
/** A server that asks for a longer pause is asked once in this time all the same. */
const LONGEST_ASKED_MS = 600_000;
/** A probing turn that streams for as long as the rest was, at most for this time, has proved enough. */
const LONGEST_PROOF_MS = 5000;

/** What a failure asks for, in milliseconds. */
export interface RestDemand {
  /** At least so long. */
  readonly leastMs: number;
  /** The server's own word, in place of the doubling. */
  readonly askedMs: number | undefined;
}

/** How a rest is, for other workers of the same bridge. Times are durations: their clocks have other origins. */
export interface RestStanding {
  readonly failures: number;
  readonly lengthMs: number;
  /** What is left of it. */
  readonly restMs: number;
}

/** Which rest, and how it is. */
export interface RestNews extends RestStanding {
  /** The id of the server. */
  readonly server: string;
  /** The key of the upstream, where the rest is that of one key alone. */
  readonly upstream?: string | undefined;
  /** The model, where it is for that alone. */
  readonly model?: string | undefined;
}

/** One turn on a server: tells the server's rest how it went. */
export interface RestTurn {
  /** The first event is there. */
  began(): void;
  succeeded(): void;
  /** True when this failure began a new rest, rather than being one more of those that the last one already answers. */
  failed(demand: RestDemand): boolean;
  /** It ended without a verdict. */
  left(): void;
}

/**
 * The rest of a server that fails: a circuit breaker with a doubling cool-down and one half-open probe. No timer: its state
 * is asked for when a turn looks for a server.
 */
export class Rest {
  readonly #now: () => number;
  #failures = 0;
  /** Counts rests, so that a turn knows whether one began after it did. */
  #rests = 0;
  #until = 0;
  #lengthMs = 0;
  #probe: { beganAt: number | undefined } | undefined;
  #since = 0;

  readonly #onChange: ((standing: RestStanding) => void) | undefined;

  /**
   * @param now - milliseconds that only grow
   * @param onChange - told when a new rest begins, and when the server is good again
   */
  constructor(now: () => number, onChange?: (standing: RestStanding) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** Another worker has found out how the server is. Each sends a probe of its own. */
  adopt({ failures, lengthMs, restMs }: RestStanding): void {
    const now = this.#now();
    if (failures === 0) {
      this.#failures = 0;
      return;
    }
    if (this.#failures === 0) this.#since = now;
    this.#failures = Math.max(this.#failures, failures);
    this.#rests++;
    this.#lengthMs = lengthMs;
    this.#until = Math.max(this.#until, now + restMs);
    this.#probe = undefined;
  }

  /** Failures in a row: those that came while the server rested count as one. */
  get failures(): number {
    return this.#failures;
  }

  /** When the rest ends, or ended. */
  get until(): number {
    return this.#until;
  }

  /** When the first of the failures in a row came. */
  get since(): number {
    return this.#since;
  }

  get state(): RestState {
    if (this.#failures === 0) return 'ready';
    const now = this.#now();
    if (now < this.#until) return 'resting';
    if (this.#probe === undefined) return 'due';
    const { beganAt } = this.#probe;
    const proofMs = Math.min(this.#lengthMs, LONGEST_PROOF_MS);
    return beganAt !== undefined && now - beganAt >= proofMs ? 'ready' : 'probing';
  }

  begin(): RestTurn {
    // What began before a failure says nothing about the server after it.
    const at = this.#rests;
    const probe = this.state === 'due' ? { beganAt: undefined as number | undefined } : undefined;
    if (probe !== undefined) this.#probe = probe;
    const left = (): void => {
      if (probe !== undefined && this.#probe === probe) this.#probe = undefined;
    };
    return {
      began: () => {
        if (probe !== undefined) probe.beganAt ??= this.#now();
      },
      succeeded: () => {
        left();
        if (this.#rests === at) this.#recover();
      },
      failed: (demand) => {
        left();
        return this.#failed(demand, this.#rests === at);
      },
      left,
    };
  }

  #recover(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#onChange?.({ failures: 0, lengthMs: 0, restMs: 0 });
  }

  #failed({ leastMs, askedMs }: RestDemand, isNew: boolean): boolean {
    const now = this.#now();
    const asked = askedMs === undefined || askedMs === 0 ? undefined : Math.min(askedMs, LONGEST_ASKED_MS);
    if (!isNew) {
      this.#until = Math.max(this.#until, now + Math.max(leastMs, asked ?? 0));
      return false;
    }
    if (this.#failures === 0) this.#since = now;
    const doubled = Math.min(FIRST_REST_MS * 2 ** this.#failures, LONGEST_REST_MS);
    this.#failures++;
    this.#rests++;
    this.#lengthMs = Math.max(leastMs, asked ?? doubled);
    this.#until = now + this.#lengthMs;
    this.#probe = undefined;
    this.#onChange?.({ failures: this.#failures, lengthMs: this.#lengthMs, restMs: this.#lengthMs });
    return true;
  }
}
