import type { ScenarioInput } from '../load/scenario-input.ts';
import type { ExpectedRequest } from '../scenario/expected-request.ts';
import type { Match } from '../scenario/scenario.ts';
import type { FaultLike } from '../faults/fault.ts';
import type { Expectation } from './expectations.ts';
import type { RecordedRequest } from './recorder.ts';
import type { Verdict } from './verdict.ts';

/** What one test has of a mock server: its script, its faults, its expectations, and the requests that came. */
export interface MockTest {
  /** e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  /** `url` with `/v1`: what clients take as base URL. */
  readonly baseUrl: string;
  /** Model requests that arrived, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Expects this many model requests, or some that match: see {@link Expectation}. */
  expect(expectation: number | Expectation): void;
  /** Expects requests that match, in this order; others may stand between them. */
  expectInOrder(matches: readonly Match[]): void;
  /** Expects these requests and no others, the n-th like the n-th. A scenario's `expect` does the same. */
  expectRequests(expected: readonly ExpectedRequest[]): void;
  /** Takes every expectation back. */
  forgetExpectations(): void;
  /** What came and did not come of what was expected, so far. */
  verdict(): Verdict;
  /** Throws `MockVerificationError` when something expected did not come, or something else did. */
  verify(): void;
  /** Waits until this many model requests arrived. Ends with an error when the signal aborts. */
  waitForRequests(n: number, signal?: AbortSignal): Promise<void>;
  /**
   * Puts a scenario in the place of the one before, with what it expects; what arrived before is forgotten. Rejects with
   * `MockUsageError` for one that does not exist.
   */
  setScenario(scenario: ScenarioInput): Promise<void>;
  /** Puts these faults in the place of those before. Throws `MockUsageError` for one that does not exist. */
  setFaults(faults: readonly FaultLike[]): void;
  /** As it was at the start: scenario, faults, expectations, and no request. Answers under way go on. */
  reset(): void;
}
