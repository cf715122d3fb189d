import type { Repair } from '@turnwire/wire/internal/repairs';
import type { Finding } from './finding.ts';
import type { Evidence } from './proof/evidence.ts';
import type { ClientVerdict } from './quirks/clients.ts';
import type { QuirkLevel } from './quirks/quirk.ts';
import type { Rate } from './rates.ts';
import type { ProbeWire } from './wires.ts';

export type Verdict = 'ok' | QuirkLevel | 'skipped';

/**
 * What became of a check:
 *
 * - `pass`: nothing is broken; what is odd is told all the same
 * - `fault`: something is broken
 * - `model`: the model did not do what it was asked, so that there was nothing to see
 * - `not-offered`: the server does not have it
 * - `not-run`: it could not be looked at, because of what came before
 */
export type CheckOutcome = 'pass' | 'fault' | 'model' | 'not-offered' | 'not-run';

/** What one probe saw. */
export interface ProbeReport {
  readonly name: string;
  readonly wire: ProbeWire;
  readonly verdict: Verdict;
  readonly outcome: CheckOutcome;
  /** What was seen, or why the probe was not run. */
  readonly seen: string;
  /** Only those that no probe before it told. */
  readonly findings: readonly ReportedFinding[];
  /** Names of the findings that an earlier probe of this wire told already; they count for the verdict. */
  readonly again: readonly string[];
}

/** A finding with all that is known of it. */
export interface ReportedFinding extends Finding {
  readonly wire: ProbeWire;
  readonly level: QuirkLevel;
  readonly right: string;
  readonly stumbles: readonly string[];
  /** The same client by client, with those that were not measured. */
  readonly clients: readonly ClientVerdict[];
  readonly answer: string;
  /** Names of the bridge's repairs; empty where it has none. */
  readonly repairs: readonly Repair[];
  readonly mend: string;
  /** What was sent and what came; absent where there is no exchange to show. */
  readonly evidence?: Evidence;
}

/** How often each outcome was; `checks` is their sum. */
export type Tally = Readonly<Record<CheckOutcome | 'checks', number>>;

export interface DoctorReport {
  readonly url: string;
  readonly model: string;
  readonly probes: readonly ProbeReport[];
  readonly findings: readonly ReportedFinding[];
  /** Findings of level `broken`. */
  readonly broken: number;
  readonly tally: Tally;
  /** How often what is random went wrong; empty without `repeat`. */
  readonly rates: readonly Rate[];
}
