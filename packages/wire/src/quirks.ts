/** How one chat server departs from the common form. Data only: the request builder reads it, nothing branches on names. */
export interface ChatQuirks {
  /** The field of an assistant message in which the server wants the model's reasoning back; none: it is left out. */
  readonly reasoningField: 'reasoning_content' | 'reasoning' | undefined;
  /** Which reasoning goes back: that since the last user message, or all of it. */
  readonly reasoningScope: 'turn' | 'all';
  /** The field has to be there, though empty, on every message with tool calls. */
  readonly reasoningOnEveryCall: boolean;
  /** The field in which the server takes the bound of the answer. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** The server knows the role `developer`; else it becomes `system`. */
  readonly developerRole: boolean;
  /** `response_format` may be a `json_schema`; else only `json_object`. */
  readonly jsonSchema: boolean;
  /** Where the wanted effort of reasoning stands: `reasoning_effort: E` or `reasoning: {effort: E}`. */
  readonly effortField: 'reasoning_effort' | 'reasoning';
  /** Whether a `tool` message may hold images; else they follow in a `user` message. */
  readonly imagesInToolMessages: boolean;
}

/** What a server that is in no row is taken for. */
export const commonChatQuirks: ChatQuirks = {
  reasoningField: undefined,
  reasoningScope: 'turn',
  reasoningOnEveryCall: false,
  maxTokensField: 'max_tokens',
  developerRole: false,
  jsonSchema: true,
  effortField: 'reasoning_effort',
  imagesInToolMessages: false,
};

interface QuirkRow {
  /** Matched against the host of the base URL, in lower case. */
  readonly host?: RegExp;
  /** Matched against the model's name, in lower case. */
  readonly model?: RegExp;
  readonly quirks: Partial<ChatQuirks>;
}

/** Every row that matches is applied in this order; a later one wins, so models stand before hosts. */
const rows: readonly QuirkRow[] = [
  // Harmony models keep the reasoning of the running turn between its tool calls.
  { model: /gpt-oss/, quirks: { reasoningField: 'reasoning', reasoningScope: 'turn' } },
  // The templates of these drop what they do not need of older turns themselves.
  { model: /qwen-?3|minimax-m/, quirks: { reasoningField: 'reasoning_content', reasoningScope: 'turn' } },
  {
    model: /glm-?(4\.[5-9]|[5-9])|kimi-k[2-9]/,
    quirks: { reasoningField: 'reasoning_content', reasoningScope: 'all' },
  },
  // Thinking mode answers 400 when an assistant message with tool calls, of any turn, comes without its reasoning.
  {
    model: /deepseek-(v[4-9]|v3\.[1-9]|reasoner|chat|flash)/,
    quirks: { reasoningField: 'reasoning_content', reasoningScope: 'all', reasoningOnEveryCall: true },
  },
  {
    host: /(^|\.)deepseek\.com$/,
    quirks: {
      reasoningField: 'reasoning_content',
      reasoningScope: 'all',
      reasoningOnEveryCall: true,
      jsonSchema: false,
    },
  },
  { host: /(^|\.)moonshot\.(ai|cn)$/, quirks: { reasoningField: 'reasoning_content', reasoningScope: 'all' } },
  {
    host: /(^|\.)openrouter\.ai$/,
    quirks: {
      reasoningField: 'reasoning',
      reasoningScope: 'all',
      reasoningOnEveryCall: false,
      effortField: 'reasoning',
    },
  },
  // These refuse fields of a message that they do not know.
  {
    host: /(^|\.)(openai\.com|openai\.azure\.com)$/,
    quirks: {
      reasoningField: undefined,
      reasoningOnEveryCall: false,
      maxTokensField: 'max_completion_tokens',
      developerRole: true,
    },
  },
  { host: /(^|\.)mistral\.ai$/, quirks: { reasoningField: undefined, reasoningOnEveryCall: false } },
];

/**
 * The quirks of a chat server, by the host of its base URL and the name of the model.
 *
 * @param baseUrl - something that is no URL has no host, and only the model counts
 */
export function chatQuirksOf(baseUrl: string, model: string): ChatQuirks {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname.toLowerCase() : '';
  const name = model.toLowerCase();
  const matching = rows.filter((row) => (row.host?.test(host) ?? true) && (row.model?.test(name) ?? true));
  return Object.assign({}, commonChatQuirks, ...matching.map((row) => row.quirks)) as ChatQuirks;
}
