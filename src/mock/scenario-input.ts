import { namedScenarios } from './default-scenario.ts';
import { MockUsageError } from './errors.ts';
import { nearestName } from './nearest.ts';
import type { Scenario } from './scenario.ts';

/** What can be given as a scenario: one, the name of a built-in one, or a builder. */
export type ScenarioInput = Scenario | string | { build(): Scenario };

/**
 * The scenario that is meant.
 *
 * @throws MockUsageError for a name that is not built in.
 */
export function toScenario(input: ScenarioInput): Scenario {
  if (typeof input !== 'string') return 'build' in input ? input.build() : input;
  const named = Object.hasOwn(namedScenarios, input) ? namedScenarios[input] : undefined;
  if (named !== undefined) return named;
  const names = Object.keys(namedScenarios);
  const near = nearestName(input, names);
  throw new MockUsageError(
    `unknown scenario "${input}": ${near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}
