import { isObject } from '../base/json.ts';
import type { Usage } from '../model/events.ts';
import { count, detail } from '../usage-fields.ts';

/** `response.usage` with what may be missing filled in: the sum for the total, 0 for details. */
export function usageFromResponses(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = count(value['input_tokens']);
  const output = count(value['output_tokens']);
  const total = value['total_tokens'];
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: count(detail(value, 'input_tokens_details')['cached_tokens']) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: count(detail(value, 'output_tokens_details')['reasoning_tokens']) },
    total_tokens: typeof total === 'number' ? total : input + output,
  };
}
