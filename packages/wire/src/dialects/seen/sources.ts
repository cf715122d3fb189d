import type { uncarriedFields } from '../answer-extras.ts';
import type { errorShapes } from '../error-shapes.ts';
import type { finishWords } from '../finish-reasons.ts';
import type { reasoningFields } from '../reasoning-shapes.ts';
import type { thinkTags } from '../think-tags.ts';

interface SeenWords {
  readonly words: readonly (typeof finishWords)[keyof typeof finishWords][number][];
  readonly source: string;
}

/** Who was seen to say each word of `finishWords`: public reports. */
export const seenFinishWords: readonly SeenWords[] = [
  { words: ['stop'], source: 'Chat Completions; in capitals: Gemini (qwen-code#9884)' },
  { words: ['end_turn', 'stop_sequence'], source: 'Anthropic models behind gateways (CLIProxyAPI#5439)' },
  { words: ['eos', 'eos_token', 'end'], source: 'text-generation-inference (litellm#25825)' },
  { words: ['completed', 'complete', 'finished', 'done'], source: 'Cohere, Ollama (litellm#25825)' },
  { words: ['tool_calls', 'function_call'], source: 'Chat Completions, new and old' },
  { words: ['tool_use'], source: 'Anthropic models behind gateways' },
  { words: ['tool_call', 'function_calls'], source: 'home-made servers; in capitals: Gemini gateways' },
  { words: ['length'], source: 'Chat Completions' },
  {
    words: ['max_tokens', 'max_output_tokens'],
    source: 'Gemini and Anthropic models behind gateways (qwen-code#9882, inspect_ai#5143, CLIProxyAPI#5439)',
  },
  { words: ['model_length'], source: 'Mistral' },
  { words: ['token_limit', 'limit'], source: 'gateways (litellm#25825)' },
  {
    words: ['model_context_window_exceeded', 'context_length_exceeded', 'context_window_exceeded'],
    source: 'Anthropic models behind gateways, GLM',
  },
  { words: ['content_filter', 'content_filtered'], source: 'Chat Completions, Azure, Bedrock' },
  {
    words: ['safety', 'recitation', 'blocklist', 'prohibited_content', 'spii', 'language', 'image_safety'],
    source: 'Gemini behind gateways (qwen-code#9882)',
  },
  { words: ['sensitive'], source: 'GLM' },
  { words: ['refusal'], source: 'Anthropic models behind gateways' },
  { words: ['guardrail', 'guardrail_intervened'], source: 'Bedrock' },
  { words: ['error'], source: 'OpenRouter (genkit#6079)' },
  { words: ['network_error'], source: 'GLM' },
  { words: ['abort', 'aborted', 'cancelled', 'canceled'], source: 'vLLM, SGLang' },
  { words: ['insufficient_system_resource'], source: 'DeepSeek' },
  { words: ['engine_overloaded'], source: 'Moonshot' },
  { words: ['malformed_function_call', 'unexpected_tool_call'], source: 'Gemini behind gateways' },
  { words: ['repetition_truncation'], source: 'vLLM' },
];

/** Who was seen to send each of `errorShapes`. */
export const seenErrorShapes: Readonly<Record<keyof typeof errorShapes, string>> = {
  anthropic: 'the Messages API: {"type": "error", "error": {"type", "message"}, "request_id"}; its type is its code',
  error: 'every server: an object or a text; true or a number beside a message (ragflow#17292)',
  base_resp: 'MiniMax (ragflow#17292, OpenMausBot#1200)',
  errors: 'Cloudflare: a list of errors beside success: false',
  success: 'gateways: success is false',
  flat: 'DashScope, GLM, vLLM up to 0.9 (crush#1237): a message beside a code or a status',
  object: 'vLLM up to 0.9: {"object": "error"}',
  type: 'the Responses API: {"type": "error"} with its fields beside it',
  detail: 'servers built on FastAPI: {"detail": …} and nothing else',
};

/** Whose each of `reasoningFields` is. */
export const seenReasoning: Readonly<Record<(typeof reasoningFields)[number], string>> = {
  reasoning: 'Groq, vLLM, OpenRouter: a text, or an object with text or content',
  reasoning_content: 'DeepSeek, Kimi, GLM, llama.cpp',
  reasoning_details: 'OpenRouter: entries with text or summary',
  thinking_blocks: 'LiteLLM before Bedrock and Anthropic: entries with thinking',
  thinking: 'Ollama and gateways before Anthropic: a text, or parts',
};

/** Whose answers begin with each of `thinkTags`. */
export const seenThinkTags: Readonly<Record<(typeof thinkTags)[number]['open'], string>> = {
  '<think>': 'DeepSeek R1, QwQ, Qwen3, MiniMax-M2 (MiniMax-M2#105, qwen-code#3411)',
  '<thinking>': 'MiniMax-M2.5 and M3 (qwen-code#3228, opencode#36569)',
  '<thought>': 'Gemini behind gateways, with include_thoughts (hajimi#292)',
  '<reasoning>': 'Reka Flash 3, and models tuned like it',
  '<mm:think>': 'MiniMax, where its template has tags of its own',
};

/** Whose answers have each of `uncarriedFields`. */
export const seenUncarried: Readonly<Record<(typeof uncarriedFields)[number], string>> = {
  audio: 'Chat Completions with modalities: audio',
  images: 'OpenRouter: models that draw',
};
