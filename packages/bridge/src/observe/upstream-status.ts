import type { ErrorKind } from '@turnwire/wire/internal/model/errors';

/**
 * - `ready`: takes turns.
 * - `resting`: failed a moment ago.
 * - `due`: the rest is over; the next turn is the probe.
 * - `probing`: that one turn is under way.
 */
export type RestState = (typeof restStates)[number];

export const restStates = ['ready', 'resting', 'due', 'probing'] as const;

/** How one server is, for people. */
export interface UpstreamStatus {
  readonly label: string;
  readonly state: RestState;
  /** Milliseconds of its rest that are left. */
  readonly restMs: number;
  readonly open: number;
  readonly failures: ReadonlyMap<ErrorKind, number>;
}
