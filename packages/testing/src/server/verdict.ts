import { junitXml } from '@turnwire/wire/internal/base/junit-xml';
import type { Difference } from '../scenario/expected-request.ts';

/** Something that is not as it was expected of the client. */
export interface VerdictProblem extends Partial<Difference> {
  readonly message: string;
  /** The number of the request, from 1, where it is about one. */
  readonly request?: number;
}

/** One thing that was expected. */
export interface VerdictCheck {
  readonly name: string;
  /** Empty when it came as expected. */
  readonly problems: readonly VerdictProblem[];
}

/** Whether a client did what was expected of it, so far. */
export interface Verdict {
  readonly passed: boolean;
  readonly checks: readonly VerdictCheck[];
  /** The requests that came, and how each answer was left: a line for each. */
  readonly requests: readonly string[];
}

/** The verdict in one text: what is wrong, and how the answers were left. */
export function describeVerdict({ checks, requests }: Verdict): string {
  return [...checks.flatMap(({ problems }) => problems.map(({ message }) => message)), ...requests].join('\n');
}

/** The verdict as JUnit XML: a test for each thing that was expected. */
export function verdictAsJunit({ checks, requests }: Verdict): string {
  const cases = checks.map(({ name, problems }) => ({ name, ...failureOf(problems.map(({ message }) => message)) }));
  return junitXml('turnwire mock', [{ name: 'turnwire mock', cases, output: requests.join('\n') }]);
}

function failureOf(messages: readonly string[]) {
  const [message] = messages;
  return message === undefined ? {} : { failure: { message, text: messages.join('\n') } };
}
