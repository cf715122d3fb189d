import type { fullContextWordings } from '../full-context.ts';

/** A refusal as a server was seen to word it. */
interface SeenWording {
  /** What such a server sends; the mock says it as `context-wording:SERVER`. */
  readonly example: string;
  /** Where it was seen. */
  readonly source: string;
}

/** Where each row of `fullContextWordings` was seen. */
export const seenFullContexts: Readonly<Record<keyof typeof fullContextWordings, SeenWording>> = {
  openai: {
    example: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
    source: 'earendil-works/pi#129',
  },
  vllm: {
    example:
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4744 in the messages, 256 in the completion).",
    source: 'earendil-works/pi#5930, anomalyco/opencode#17762; DeepSeek, OpenRouter, Mistral and Together alike',
  },
  sglang: {
    example: "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    source: 'QwenLM/Qwen3#1321',
  },
  'llama.cpp': {
    example: 'the request exceeds the available context size, try increasing it',
    source: 'rpamis/maki#319, the server itself',
  },
  'llama-cpp-python': {
    example: 'Requested tokens (600) exceed context window of 512',
    source: 'abetlen/llama-cpp-python#416',
  },
  ollama: {
    example: 'prompt too long; exceeded max context length by 4 tokens',
    source: 'earendil-works/pi#2626, openclaw/openclaw#36074',
  },
  'lm-studio': {
    example:
      'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input',
    source: 'anomalyco/opencode#2259, lmstudio-ai/lmstudio-bug-tracker#546',
  },
  anthropic: {
    example: 'prompt is too long: 209353 tokens > 199999 maximum',
    source: 'entropy-research/Devon#88, strands-agents/harness-sdk#1663',
  },
  bedrock: { example: 'Input is too long for requested model.', source: 'jin-bo/agentao#88' },
  gemini: {
    example: 'The input token count (461428) exceeds the maximum number of tokens allowed (131072).',
    source: 'google-gemini/gemini-cli#11507',
  },
  xai: {
    example: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    source: 'earendil-works/pi#129, UKGovernmentBEIS/inspect_ai#1665',
  },
  groq: {
    example: 'Please reduce the length of the messages or completion.',
    source: 'earendil-works/pi#129, UKGovernmentBEIS/inspect_ai#1665',
  },
  kimi: {
    example: 'Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)',
    source: 'MoonshotAI/kimi-cli#2011',
  },
  glm: { example: 'Prompt exceeds max length', source: 'code 1261: earendil-works/pi#5677' },
  cohere: {
    example: 'too many tokens: total number of tokens in the prompt cannot exceed 4081',
    source: 'jin-bo/agentao#88, which tells it from "Too many tokens, please wait"',
  },
  litellm: {
    example: 'litellm.BadRequestError: litellm.ContextWindowExceededError: the request does not fit',
    source: 'entropy-research/Devon#88',
  },
};
