import { isObject } from '../base/json.ts';
import type { Usage } from '../model/usage.ts';
import { countIn } from '../dialects/usage-names.ts';
import { usageOf } from '../usage-fields.ts';

/** `response.usage` with what may be missing filled in. `undefined` when it counts nothing: unknown is not 0. */
export function usageFromResponses(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const known = (['input', 'output', 'total'] as const).some((what) => countIn(value, what) !== undefined);
  return known ? usageOf(value) : undefined;
}
