import { remembered } from './base/remembered.ts';

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
  /**
   * Whose server it is, a name that several hosts share or the address: what its maker made goes back to it, what others
   * made does not. None: everything goes back.
   */
  readonly maker: string | undefined;
  /** Ids of calls have nine letters or digits; others are refused. */
  readonly nineLetterCallIds: boolean;
  /** Raw reasoning and ids that are not the server's own are refused: only what it encrypted itself goes back. */
  readonly ownReasoningOnly: boolean;
  /** Messages: thinking goes back only with the signature that the server gave it; other thinking is refused. */
  readonly checksSignatures: boolean;
  /** Messages: the server takes `role: system` between turns; else such text goes into what the user says. */
  readonly systemBetweenTurns: boolean;
  /** The server reuses what it has read, up to marks in the request (`cache_control`). */
  readonly cacheMarks: boolean;
  /** Messages: the model decides how much it thinks, from an effort; else it is given a budget of tokens. */
  readonly adaptiveThinking: boolean;
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
  maker: undefined,
  nineLetterCallIds: false,
  ownReasoningOnly: false,
  checksSignatures: false,
  systemBetweenTurns: false,
  cacheMarks: false,
  adaptiveThinking: false,
};

interface QuirkRow {
  /** Matched against the host of the base URL, in lower case. */
  readonly host?: RegExp;
  /** Matched against the model's name, in lower case. */
  readonly model?: RegExp;
  readonly quirks: Partial<ChatQuirks>;
}

/** Microsoft serves OpenAI's API, with its rules, under three names. */
const openAiHosts =
  /(^|\.)(openai\.com|chatgpt\.com|openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com)$/;

const anthropicHosts = /(^|\.)anthropic\.com$/;

/** Reasoning on every message with calls, be it an empty text. */
const reasoningOnCalls = {
  reasoningField: 'reasoning_content',
  reasoningScope: 'all',
  reasoningOnEveryCall: true,
} as const;

/** Every row that matches is applied in this order; a later one wins, so models stand before hosts. */
const rows: readonly QuirkRow[] = [
  // "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9": opencode#1680, vllm#47734.
  { model: /(mi|magi|mini|dev|code)stral|mixtral|pixtral/, quirks: { nineLetterCallIds: true } },
  // Harmony models keep the reasoning of the running turn between its tool calls.
  { model: /gpt-oss/, quirks: { reasoningField: 'reasoning', reasoningScope: 'turn' } },
  // The templates of these drop what they do not need of older turns themselves.
  { model: /qwen-?3|minimax-m/, quirks: { reasoningField: 'reasoning_content', reasoningScope: 'turn' } },
  {
    model: /glm-?(4\.[5-9]|[5-9])/,
    quirks: { reasoningField: 'reasoning_content', reasoningScope: 'all' },
  },
  // A call without it is refused; an empty text will do: continue#11711, obsidian-yolo#243.
  { model: /kimi-k[2-9]/, quirks: reasoningOnCalls },
  // Thinking mode answers 400 when an assistant message with tool calls, of any turn, comes without its reasoning.
  {
    model: /deepseek-(v[4-9]|v3\.[1-9]|reasoner|chat|flash)/,
    quirks: reasoningOnCalls,
  },
  {
    host: /(^|\.)deepseek\.com$/,
    quirks: { ...reasoningOnCalls, jsonSchema: false, maker: 'deepseek' },
  },
  { host: /(^|\.)(moonshot\.(ai|cn)|kimi\.com)$/, quirks: { ...reasoningOnCalls, maker: 'moonshot' } },
  // "Function call is missing a thought_signature": the state of its calls and texts.
  { host: /(^|[.-])(generativelanguage|aiplatform)\.googleapis\.com$/, quirks: { maker: 'google' } },
  {
    host: /(^|\.)openrouter\.ai$/,
    quirks: {
      reasoningField: 'reasoning',
      reasoningScope: 'all',
      reasoningOnEveryCall: false,
      effortField: 'reasoning',
      maker: 'openrouter',
    },
  },
  // openrouter.ai/docs, "Prompt caching": Anthropic's models want to be told; others need no marks.
  { host: /(^|\.)openrouter\.ai$/, model: /claude/, quirks: { cacheMarks: true } },
  // "Invalid `signature` in `thinking` block", wherever the model is served.
  { model: /claude/, quirks: { checksSignatures: true } },
  // platform.claude.com/docs/en/build-with-claude/adaptive-thinking: from Opus and Sonnet 4.6 on.
  { model: /claude-(?:opus|sonnet|haiku)-(?:4-[6-9]|[5-9])\b/, quirks: { adaptiveThinking: true } },
  // "role 'system' is not supported on this model": from Opus 4.8 on it is.
  { model: /claude-opus-(?:4-[89]|[5-9])\b/, quirks: { systemBetweenTurns: true } },
  { host: anthropicHosts, quirks: { checksSignatures: true, cacheMarks: true, maker: 'anthropic' } },
  // These refuse fields of a message that they do not know.
  {
    host: openAiHosts,
    quirks: {
      maker: 'openai',
      ownReasoningOnly: true,
      reasoningField: undefined,
      reasoningOnEveryCall: false,
      maxTokensField: 'max_completion_tokens',
      developerRole: true,
    },
  },
  {
    host: /(^|\.)mistral\.ai$/,
    quirks: { reasoningField: undefined, reasoningOnEveryCall: false, nineLetterCallIds: true, maker: 'mistral' },
  },
];

/** The makers that have a name: what they take is known. */
export const namedMakers: ReadonlySet<string> = new Set(rows.flatMap(({ quirks }) => quirks.maker ?? []));

/** True for servers of OpenAI's own API. */
export function isOpenAiHost(baseUrl: string): boolean {
  return openAiHosts.test(hostOf(baseUrl));
}

/** True for servers of Anthropic's own API. */
export function isAnthropicHost(baseUrl: string): boolean {
  return anthropicHosts.test(hostOf(baseUrl));
}

/** Whose server it is: a name that several hosts share, or the address itself. */
export function makerOf(baseUrl: string): string | undefined {
  return chatQuirksOf(baseUrl, '').maker;
}

function hostOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).hostname.toLowerCase() : '';
}

/**
 * The quirks of a chat server, by the host of its base URL and the name of the model.
 *
 * @param baseUrl - something that is no URL has no host, and only the model counts
 */
export function chatQuirksOf(baseUrl: string, model: string): ChatQuirks {
  return quirksOfServer(baseUrl)(model);
}

/** A client's requests go to few servers, and name few models. */
const quirksOfServer = remembered(
  (baseUrl) => remembered((model) => findQuirks(baseUrl, model), { most: 100, longest: 200 }),
  { most: 100, longest: 2000 },
);

function findQuirks(baseUrl: string, model: string): ChatQuirks {
  const host = hostOf(baseUrl);
  const name = model.toLowerCase();
  const matching = rows.filter((row) => (row.host?.test(host) ?? true) && (row.model?.test(name) ?? true));
  const address = URL.canParse(baseUrl) ? new URL(baseUrl).host.toLowerCase() : undefined;
  return Object.assign({}, commonChatQuirks, { maker: address }, ...matching.map((row) => row.quirks)) as ChatQuirks;
}
