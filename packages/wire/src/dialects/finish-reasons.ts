/** What a chat `finish_reason` means (docs/contract.md 3.6). */
export type FinishClass =
  /** The answer is whole. */
  | 'stop'
  /** The model wants its calls run. */
  | 'calls'
  /** Cut at a limit on tokens; whose limit, the reason does not say. */
  | 'limit'
  /** Cut since the context window is full. */
  | 'full_context'
  /** Cut by a filter. */
  | 'filter'
  /** Cut by a failure of the server or of the model. */
  | 'failed'
  /** A word that nobody here knows: it completes like `stop`. */
  | 'other';

interface FinishRow {
  readonly class: FinishClass;
  /** In lower case, without a prefix. */
  readonly reasons: readonly string[];
  /** Who was seen to say it: public reports. */
  readonly source: string;
}

/** Every spelling of a finish that is known. A new one is a row, or a word in one. */
export const finishRows: readonly FinishRow[] = [
  { class: 'stop', reasons: ['stop'], source: 'Chat Completions; in capitals: Gemini (qwen-code#9884)' },
  {
    class: 'stop',
    reasons: ['end_turn', 'stop_sequence'],
    source: 'Anthropic models behind gateways (CLIProxyAPI#5439)',
  },
  { class: 'stop', reasons: ['eos', 'eos_token', 'end'], source: 'text-generation-inference (litellm#25825)' },
  { class: 'stop', reasons: ['completed', 'complete', 'finished', 'done'], source: 'Cohere, Ollama (litellm#25825)' },
  { class: 'calls', reasons: ['tool_calls', 'function_call'], source: 'Chat Completions, new and old' },
  { class: 'calls', reasons: ['tool_use'], source: 'Anthropic models behind gateways' },
  {
    class: 'calls',
    reasons: ['tool_call', 'function_calls'],
    source: 'home-made servers; in capitals: Gemini gateways',
  },
  { class: 'limit', reasons: ['length'], source: 'Chat Completions' },
  {
    class: 'limit',
    reasons: ['max_tokens', 'max_output_tokens'],
    source: 'Gemini and Anthropic models behind gateways (qwen-code#9882, inspect_ai#5143, CLIProxyAPI#5439)',
  },
  { class: 'limit', reasons: ['model_length'], source: 'Mistral' },
  { class: 'limit', reasons: ['token_limit', 'limit'], source: 'gateways (litellm#25825)' },
  {
    class: 'full_context',
    reasons: ['model_context_window_exceeded', 'context_length_exceeded', 'context_window_exceeded'],
    source: 'Anthropic models behind gateways, GLM',
  },
  { class: 'filter', reasons: ['content_filter', 'content_filtered'], source: 'Chat Completions, Azure, Bedrock' },
  {
    class: 'filter',
    reasons: ['safety', 'recitation', 'blocklist', 'prohibited_content', 'spii', 'language', 'image_safety'],
    source: 'Gemini behind gateways (qwen-code#9882)',
  },
  { class: 'filter', reasons: ['sensitive'], source: 'GLM' },
  { class: 'filter', reasons: ['refusal'], source: 'Anthropic models behind gateways' },
  { class: 'filter', reasons: ['guardrail', 'guardrail_intervened'], source: 'Bedrock' },
  { class: 'failed', reasons: ['error'], source: 'OpenRouter (genkit#6079)' },
  { class: 'failed', reasons: ['network_error'], source: 'GLM' },
  { class: 'failed', reasons: ['abort', 'aborted', 'cancelled', 'canceled'], source: 'vLLM, SGLang' },
  { class: 'failed', reasons: ['insufficient_system_resource'], source: 'DeepSeek' },
  { class: 'failed', reasons: ['engine_overloaded'], source: 'Moonshot' },
  { class: 'failed', reasons: ['malformed_function_call', 'unexpected_tool_call'], source: 'Gemini behind gateways' },
  { class: 'failed', reasons: ['repetition_truncation'], source: 'vLLM' },
];

const classes: ReadonlyMap<string, FinishClass> = new Map(
  finishRows.flatMap((row) => row.reasons.map((reason): [string, FinishClass] => [reason, row.class])),
);

/** Gemini's whole sentence about a call that it filtered: `function_call_filter: MALFORMED_FUNCTION_CALL …`. */
const FILTERED_CALL = 'function_call_filter';

/** The names of enumerations in front of a reason: `FinishReason.STOP`, `FINISH_REASON_MAX_TOKENS`. */
const PREFIX = /^.*(?:\.|finish_reason_)/s;

/** The words that the wire itself has. */
const OWN_WORDS: ReadonlySet<string> = new Set(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);

/** True for a reason that is spelled as the wire spells it. */
export function isOwnWord(reason: string): boolean {
  return OWN_WORDS.has(reason);
}

/** What a finish means, by any spelling. */
export function finishClass(reason: string): FinishClass {
  const known = classes.get(reason);
  if (known !== undefined) return known;
  const lower = reason.trim().toLowerCase();
  if (lower.startsWith(FILTERED_CALL)) return 'failed';
  const bare = lower.replace(PREFIX, '');
  return bare.startsWith(FILTERED_CALL) ? 'failed' : (classes.get(bare) ?? 'other');
}

/** The word that clients of the Chat Completions wire know for a class. */
const chatWords = {
  stop: 'stop',
  calls: 'tool_calls',
  limit: 'length',
  full_context: 'length',
  filter: 'content_filter',
} as const satisfies Partial<Record<FinishClass, string>>;

/** What a chat client is told: the word of the reason's class, or the server's own where the wire has none. */
export function chatWordFor(reason: string): string {
  const known = finishClass(reason);
  return known in chatWords ? chatWords[known as keyof typeof chatWords] : reason;
}
