import { namedScenarios } from '../scenario/default.ts';
import { MockUsageError } from '../errors.ts';
import { nearest } from '@turnwire/wire/internal/base/nearest';
import type { Scenario } from '../scenario/scenario.ts';

/** What can be given as a scenario: one, a builder, the name of a built-in one, or the path of a file. */
export type ScenarioInput =
  | Scenario
  | string
  | {
      /** The scenario as it is now. */
      build(): Scenario;
    };

/**
 * The scenario that is meant. A text with a dot or a slash in it is a path.
 *
 * @throws MockUsageError for a name that is not built in, and for a file that is no scenario.
 */
export async function toScenario(input: ScenarioInput): Promise<Scenario> {
  if (typeof input !== 'string') return 'build' in input ? input.build() : input;
  const named = Object.hasOwn(namedScenarios, input) ? namedScenarios[input] : undefined;
  if (named !== undefined) return named;
  if (/[./\\]/.test(input)) return loadScenario(input);
  const names = Object.keys(namedScenarios);
  const near = nearest(input, names);
  const hint =
    near === undefined ? `there are ${names.join(', ')}, or give the path of a file` : `did you mean ${near}?`;
  throw new MockUsageError(`unknown scenario "${input}": ${hint}`);
}

/**
 * Reads a scenario file: JSON, or TOML when the name ends in `.toml`.
 *
 * @throws MockUsageError when it cannot be read, or says something that a scenario cannot say.
 */
export async function loadScenario(path: string): Promise<Scenario> {
  // The schemas are loaded only where a file is read: a mock starts without them.
  const { readScenarioFile } = await import('./scenario-file.ts');
  return readScenarioFile(path);
}
