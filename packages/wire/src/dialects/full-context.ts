/**
 * A full context in the words of the servers (docs/contract.md section 6). Patterns are as narrow as their servers allow. The server names
 * the row; `seen/full-context.ts` has what it says, and where.
 */
export const fullContextWordings = {
  openai: /exceeds? the context window|context window (?:is|was) (?:full|exceeded)|context window exceeds/i,
  vllm: /maximum context length/i,
  sglang: /longer than the model's context length/i,
  'llama.cpp': /exceeds? the (?:available )?context/i,
  'llama-cpp-python': /exceed(?:s|ed)? (?:the )?context window/i,
  ollama: /exceed(?:s|ed)? (?:the )?max(?:imum)? context length|prompt too long/i,
  'lm-studio': /(?:greater than the|loaded with) context length/i,
  anthropic: /prompt is too long|`max_tokens` exceed context limit/i,
  bedrock: /input is too long/i,
  gemini: /input token count\b.*\bexceeds/i,
  xai: /maximum prompt length is \d/i,
  groq: /reduce the length of the messages|request too large for model/i,
  kimi: /exceeded model token limit/i,
  glm: /prompt exceeds max length/i,
  cohere: /too many tokens\b.*\d/i,
  litellm: /context[ _]?(?:length|window)[ _]?exceeded/i,
} as const satisfies Readonly<Record<string, RegExp>>;

/** What throttles, whatever else it says: a rate goes by, and a conversation that was made shorter for it is lost. */
const THROTTLING =
  /\bper[ -]?(?:second|sec|minute|min|hour|day|month)\b|\b(?:tpm|tpd|rpm|rpd)\b|rate[ -]?limit|too many requests|throttl|please wait/i;

/** True for a message that tells of a full context and not of a rate. */
export function tellsFullContext(message: string): boolean {
  return !THROTTLING.test(message) && Object.values(fullContextWordings).some((pattern) => pattern.test(message));
}
