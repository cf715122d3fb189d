/** One way in which a server says that a request does not fit into the model's window. */
export interface FullContextWording {
  /** Names the row; the mock has its example as `context-wording:SERVER`. */
  readonly server: string;
  readonly pattern: RegExp;
  /** What such a server sends. */
  readonly example: string;
  /** Where it was seen. */
  readonly source: string;
}

/** A full context in the words of the servers (docs/contract.md section 6). Patterns are as narrow as their servers allow. */
export const fullContextWordings: readonly FullContextWording[] = [
  {
    server: 'openai',
    pattern: /exceeds? the context window|context window (?:is|was) (?:full|exceeded)|context window exceeds/i,
    example: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
    source: 'earendil-works/pi#129',
  },
  {
    server: 'vllm',
    pattern: /maximum context length/i,
    example:
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4744 in the messages, 256 in the completion).",
    source: 'earendil-works/pi#5930, anomalyco/opencode#17762; DeepSeek, OpenRouter, Mistral and Together alike',
  },
  {
    server: 'sglang',
    pattern: /longer than the model's context length/i,
    example: "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    source: 'QwenLM/Qwen3#1321',
  },
  {
    server: 'llama.cpp',
    pattern: /exceeds? the (?:available )?context/i,
    example: 'the request exceeds the available context size, try increasing it',
    source: 'rpamis/maki#319, the server itself',
  },
  {
    server: 'llama-cpp-python',
    pattern: /exceed(?:s|ed)? (?:the )?context window/i,
    example: 'Requested tokens (600) exceed context window of 512',
    source: 'abetlen/llama-cpp-python#416',
  },
  {
    server: 'ollama',
    pattern: /exceed(?:s|ed)? (?:the )?max(?:imum)? context length|prompt too long/i,
    example: 'prompt too long; exceeded max context length by 4 tokens',
    source: 'earendil-works/pi#2626, openclaw/openclaw#36074',
  },
  {
    server: 'lm-studio',
    pattern: /(?:greater than the|loaded with) context length/i,
    example:
      'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input',
    source: 'anomalyco/opencode#2259, lmstudio-ai/lmstudio-bug-tracker#546',
  },
  {
    server: 'anthropic',
    pattern: /prompt is too long|`max_tokens` exceed context limit/i,
    example: 'prompt is too long: 209353 tokens > 199999 maximum',
    source: 'entropy-research/Devon#88, strands-agents/harness-sdk#1663',
  },
  {
    server: 'bedrock',
    pattern: /input is too long/i,
    example: 'Input is too long for requested model.',
    source: 'jin-bo/agentao#88',
  },
  {
    server: 'gemini',
    pattern: /input token count\b.*\bexceeds/i,
    example: 'The input token count (461428) exceeds the maximum number of tokens allowed (131072).',
    source: 'google-gemini/gemini-cli#11507',
  },
  {
    server: 'xai',
    pattern: /maximum prompt length is \d/i,
    example: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    source: 'earendil-works/pi#129, UKGovernmentBEIS/inspect_ai#1665',
  },
  {
    server: 'groq',
    pattern: /reduce the length of the messages|request too large for model/i,
    example: 'Please reduce the length of the messages or completion.',
    source: 'earendil-works/pi#129, UKGovernmentBEIS/inspect_ai#1665',
  },
  {
    server: 'kimi',
    pattern: /exceeded model token limit/i,
    example: 'Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)',
    source: 'MoonshotAI/kimi-cli#2011',
  },
  {
    server: 'glm',
    pattern: /prompt exceeds max length/i,
    example: 'Prompt exceeds max length',
    source: 'code 1261: earendil-works/pi#5677',
  },
  {
    server: 'cohere',
    pattern: /too many tokens\b.*\d/i,
    example: 'too many tokens: total number of tokens in the prompt cannot exceed 4081',
    source: 'jin-bo/agentao#88, which tells it from "Too many tokens, please wait"',
  },
  {
    server: 'litellm',
    pattern: /context[ _]?(?:length|window)[ _]?exceeded/i,
    example: 'litellm.BadRequestError: litellm.ContextWindowExceededError: the request does not fit',
    source: 'entropy-research/Devon#88',
  },
];

/** What throttles, whatever else it says: a rate goes by, and a conversation that was made shorter for it is lost. */
const THROTTLING =
  /\bper[ -]?(?:second|sec|minute|min|hour|day|month)\b|\b(?:tpm|tpd|rpm|rpd)\b|rate[ -]?limit|too many requests|throttl|please wait/i;

/** True for a message that tells of a full context and not of a rate. */
export function tellsFullContext(message: string): boolean {
  return !THROTTLING.test(message) && fullContextWordings.some(({ pattern }) => pattern.test(message));
}
