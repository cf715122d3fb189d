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

/** Every spelling of a finish that is known, in lower case and without a prefix. Who says it: `seen/sources.ts`. */
export const finishWords = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token', 'end', 'completed', 'complete', 'finished', 'done'],
  calls: ['tool_calls', 'function_call', 'tool_use', 'tool_call', 'function_calls'],
  limit: ['length', 'max_tokens', 'max_output_tokens', 'model_length', 'token_limit', 'limit'],
  full_context: ['model_context_window_exceeded', 'context_length_exceeded', 'context_window_exceeded'],
  filter: [
    'content_filter',
    'content_filtered',
    'safety',
    'recitation',
    'blocklist',
    'prohibited_content',
    'spii',
    'language',
    'image_safety',
    'sensitive',
    'refusal',
    'guardrail',
    'guardrail_intervened',
  ],
  failed: [
    'error',
    'network_error',
    'abort',
    'aborted',
    'cancelled',
    'canceled',
    'insufficient_system_resource',
    'engine_overloaded',
    'malformed_function_call',
    'unexpected_tool_call',
    'repetition_truncation',
  ],
} as const satisfies Readonly<Record<Exclude<FinishClass, 'other'>, readonly string[]>>;

const classes: ReadonlyMap<string, FinishClass> = new Map(
  Object.entries(finishWords).flatMap(([kind, words]) => words.map((word) => [word, kind as FinishClass] as const)),
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
