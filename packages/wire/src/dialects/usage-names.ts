import { isObject, type JsonObject } from '../base/json.ts';

/** A path into a usage object. */
type Path = readonly string[];

/** Under which names servers count tokens, on either wire; the first that is a number counts. */
export const usageNames = {
  /** Responses and Anthropic; Chat Completions. */
  input: [['input_tokens'], ['prompt_tokens']],
  output: [['output_tokens'], ['completion_tokens']],
  total: [['total_tokens']],
  cached: [
    ['input_tokens_details', 'cached_tokens'],
    ['prompt_tokens_details', 'cached_tokens'],
    ['prompt_cache_hit_tokens'], // DeepSeek: langchain#39668
    ['cached_tokens'], // Kimi: pi#8119
    ['cache_read_input_tokens'], // Anthropic models behind gateways: hermes#65678
  ],
  cacheWrites: [
    ['input_tokens_details', 'cache_write_tokens'],
    ['prompt_tokens_details', 'cache_write_tokens'], // OpenRouter
    ['cache_creation_input_tokens'], // Anthropic models behind gateways
  ],
  reasoning: [
    ['output_tokens_details', 'reasoning_tokens'],
    ['completion_tokens_details', 'reasoning_tokens'],
    ['reasoning_tokens'], // Perplexity
    ['output_tokens_details', 'thinking_tokens'], // Anthropic
  ],
} as const satisfies Readonly<Record<string, readonly Path[]>>;

/** What a usage object counts under any of these names; `undefined`: it does not say, or says a number below zero, which counts nothing. */
export function countIn(usage: JsonObject, what: keyof typeof usageNames): number | undefined {
  for (const path of usageNames[what]) {
    let value: unknown = usage;
    for (const key of path) value = isObject(value) ? value[key] : undefined;
    if (typeof value === 'number' && value >= 0) return value;
  }
  return undefined;
}

/** Where a chunk or an event has its usage: beside the rest, or where Groq puts it. */
export function usageIn(event: JsonObject): unknown {
  return event['usage'] ?? (isObject(event['x_groq']) ? event['x_groq']['usage'] : undefined);
}
