import type { JsonObject } from './base/json.ts';
import { countIn } from './dialects/usage-names.ts';
import type { Usage } from './model/usage.ts';

/** A usage object of either wire in the Responses shape: the sum for a total that is missing, 0 for details. */
export function usageOf(value: JsonObject): Usage {
  const input = countIn(value, 'input') ?? 0;
  const output = countIn(value, 'output') ?? 0;
  const writes = countIn(value, 'cacheWrites');
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: countIn(value, 'cached') ?? 0,
      ...(writes === undefined ? {} : { cache_write_tokens: writes }),
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: countIn(value, 'reasoning') ?? 0 },
    total_tokens: countIn(value, 'total') ?? input + output,
  };
}
