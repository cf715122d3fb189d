import { isObject } from '../base/json.ts';
import type { Usage } from '../model/usage.ts';
import { usageOf } from '../usage-fields.ts';

/**
 * A chat `usage` object in the Responses shape. `undefined` when it counts nothing: servers that send zeros on every
 * chunk do not know yet, and unknown is not 0 (docs/contract.md 3.10).
 */
export function usageFromChat(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const usage = usageOf(value);
  const { input_tokens: input, output_tokens: output, total_tokens: total } = usage;
  if (input === 0 && output === 0 && total === 0) return undefined;
  return total === 0 ? { ...usage, total_tokens: input + output } : usage;
}
