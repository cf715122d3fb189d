import { isObject } from '../base/json.ts';
import type { Usage } from '../model/events.ts';
import { count, detail } from '../usage-fields.ts';

/**
 * A chat `usage` object in the Responses shape. `undefined` when it counts nothing: servers that send zeros on every
 * chunk do not know yet, and unknown is not 0 (docs/contract.md 3.10).
 */
export function usageFromChat(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = count(value['prompt_tokens']);
  const output = count(value['completion_tokens']);
  const total = count(value['total_tokens']);
  if (input === 0 && output === 0 && total === 0) return undefined;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: count(detail(value, 'prompt_tokens_details')['cached_tokens']) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: count(detail(value, 'completion_tokens_details')['reasoning_tokens']) },
    total_tokens: total === 0 ? input + output : total,
  };
}
