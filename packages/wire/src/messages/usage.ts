import { isObject, type JsonObject } from '../base/json.ts';
import { countIn } from '../dialects/usage-names.ts';
import type { Usage } from '../model/usage.ts';

/** Counts as they were told in the course of an answer: the later number wins, but zero, and what is below it, takes back none. */
export function mergeUsage(known: JsonObject, more: JsonObject): JsonObject {
  const merged = { ...known };
  for (const [name, value] of Object.entries(more)) {
    const before = merged[name];
    if (isObject(value)) merged[name] = mergeUsage(isObject(before) ? before : {}, value);
    else if (typeof value === 'number' && (value > 0 || typeof before !== 'number')) merged[name] = value;
  }
  return merged;
}

/** True for a usage that counts something. */
export function countsSomething(usage: JsonObject): boolean {
  return ['input', 'output', 'cached', 'cacheWrites'].some((what) => (countIn(usage, what as 'input') ?? 0) > 0);
}

/**
 * The usage of an answer in the Responses shape; undefined where it counts nothing. On this wire `input_tokens` leaves
 * out what came from the cache or went into it.
 */
export function usageFromMessages(usage: JsonObject): Usage | undefined {
  if (!countsSomething(usage)) return undefined;
  const cached = numberAt(usage, 'cache_read_input_tokens');
  const writes = numberAt(usage, 'cache_creation_input_tokens');
  const input = (countIn(usage, 'input') ?? 0) + cached + writes;
  const output = countIn(usage, 'output') ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, ...(writes === 0 ? {} : { cache_write_tokens: writes }) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: countIn(usage, 'reasoning') ?? 0 },
    total_tokens: input + output,
  };
}

function numberAt(usage: JsonObject, name: string): number {
  const value = usage[name];
  return typeof value === 'number' && value > 0 ? value : 0;
}
