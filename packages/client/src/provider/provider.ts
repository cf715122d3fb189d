import type { ProtocolId, ThinkTags } from '@turnwire/wire/internal/decoder';
import { protocolIds } from '@turnwire/wire/internal/protocols';
import { readHttpAddress } from '../platform/http-address.ts';
import { withoutEndpoint } from './base-url.ts';
import {
  ConfigError,
  oneOf,
  optional,
  requireBoolean,
  requireString,
  requireStringList,
  requireStrings,
  requireText,
  wholeNumber,
  type ConfigField,
} from './config-fields.ts';

/**
 * One model server and how to treat it: the keys of a `[model_providers.NAME]` table in camelCase, every default
 * filled in. Times are in milliseconds; 0 turns a timer off.
 */
export interface ProviderConfig {
  /** A name for messages to people. Default: the base URL. */
  readonly name: string;
  /**
   * `http:` or `https:`, as configured, but for an endpoint at its end (`/chat/completions`); {@link requestUrl} joins a path to it.
   * For `localhost:8080` and its like `http://` is put before it.
   */
  readonly baseUrl: string;
  /** The wire that the server speaks. Default `responses`. */
  readonly wireApi: ProtocolId;
  /** The model of requests that name none. Default: none is named. */
  readonly model?: string;
  /** Name of the environment variable with the key, read anew for every request. Default: no key is sent. */
  readonly envKey?: string;
  /** Send the key as `Authorization: Bearer` where the wire has another header for it (`x-api-key`). Default false. */
  readonly bearerKey: boolean;
  /** Headers of every request, by name. Default: none. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  /**
   * Headers whose values are in environment variables: header name to name of the variable. One that is unset or
   * blank is left out. Default: none.
   */
  readonly envHttpHeaders: Readonly<Record<string, string>>;
  /** Parameters of every address, by name. Default: none. */
  readonly queryParams: Readonly<Record<string, string>>;
  /** Number of attempts after the first, before the headers of an answer; at most 100. Default 4. */
  readonly requestMaxRetries: number;
  /** Number of attempts after the first, once an answer began; at most 100. Default 5. */
  readonly streamMaxRetries: number;
  /** Milliseconds without any byte after which an answer is given up; 0 is off. Default 300,000. */
  readonly streamIdleTimeoutMs: number;
  /** Whether a session of the Responses wire asks over a WebSocket. Default false. */
  readonly supportsWebsockets: boolean;
  /** Milliseconds until a WebSocket is open; 0 is off. Default 15,000. */
  readonly websocketConnectTimeoutMs: number;
  /** Chat: ask for token usage with `stream_options.include_usage`. Default true. */
  readonly askUsage: boolean;
  /** Chat: milliseconds that a finished answer waits for its usage. Default 250. */
  readonly usageGraceMs: number;
  /** Milliseconds until the connection stands; 0 is off. Default 15,000. */
  readonly connectTimeoutMs: number;
  /** Milliseconds from the request sent to the first byte of the body; 0 is off. Default: the idle timeout. */
  readonly firstByteTimeoutMs: number;
  /** Milliseconds without any event, though bytes such as comments come; 0 is off. Default 1,200,000. */
  readonly progressTimeoutMs: number;
  /** Milliseconds from the first to the last byte; 0 is off. Default 0. */
  readonly totalTimeoutMs: number;
  /**
   * What it means when the body ends without an end of the answer: an error `stream_truncated`, or a good end.
   * Default `error`.
   */
  readonly onClose: 'error' | 'complete';
  /**
   * What becomes of complete tool calls in an answer that ends with `stop`: they are left out, or handed on. Default
   * `drop`.
   */
  readonly toolCallsOnStop: 'drop' | 'promote';
  /**
   * Whether the text between `<think>` and its like at the very beginning of an answer is reasoning; `'opened'` where the
   * prompt ends in the opening tag. Default false: it stays text.
   */
  readonly thinkTags: ThinkTags;
  /**
   * What the system says between two turns is sent within what the user says, for templates that take it at the beginning
   * alone. Default false: it is sent at its place, and so only once a server has refused that.
   */
  readonly systemAsUser: boolean;
  /**
   * Tokens that fit into the model's context window: tells a full one from another limit of the server. Default: unknown.
   */
  readonly contextWindow?: number;
  /**
   * The names of the models that the server has, `*` standing for any text; a bridge sends it no others. Default: a bridge asks it.
   */
  readonly models?: readonly string[];
  /** Bound of answers in tokens, for requests that set none. Default: none is sent. */
  readonly maxOutputTokens?: number;
  /** Bound of one event of the stream, in bytes. Past it the answer fails with kind `protocol`. Default 16 MiB. */
  readonly maxEventBytes: number;
}

/** What a caller may give to {@link createProvider}: only `baseUrl` is needed. */
export type ProviderOptions = { readonly baseUrl: string } & {
  readonly [K in keyof ProviderConfig]?: ProviderConfig[K] | undefined;
};

const MAX_RETRIES = 100;
const MAX_TIMER_MS = 2_147_483_647; // what a timer of the platform can hold

/** Every default, in one place. `firstByteTimeoutMs` follows `streamIdleTimeoutMs`. */
export const providerDefaults = {
  wireApi: 'responses',
  bearerKey: false,
  httpHeaders: {},
  envHttpHeaders: {},
  queryParams: {},
  requestMaxRetries: 4,
  streamMaxRetries: 5,
  streamIdleTimeoutMs: 300_000,
  supportsWebsockets: false,
  websocketConnectTimeoutMs: 15_000,
  askUsage: true,
  usageGraceMs: 250,
  connectTimeoutMs: 15_000,
  progressTimeoutMs: 1_200_000,
  totalTimeoutMs: 0,
  onClose: 'error',
  toolCallsOnStop: 'drop',
  thinkTags: false,
  systemAsUser: false,
  maxEventBytes: 16 * 1024 * 1024,
} as const satisfies Partial<ProviderConfig>;

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

const milliseconds = wholeNumber({ min: 0, max: MAX_TIMER_MS, unit: 'milliseconds' });
const aboveZero = wholeNumber({ min: 1 });

/** How each option is read, in the order in which the first wrong one is told. */
const fields = {
  baseUrl: requireBaseUrl,
  name: requireText,
  wireApi: oneOf(protocolIds),
  model: optional(requireText),
  envKey: optional(requireText),
  bearerKey: requireBoolean,
  httpHeaders: requireHeaders,
  envHttpHeaders: requireHeaderNames,
  queryParams: requireStrings,
  requestMaxRetries: requireRetries,
  streamMaxRetries: requireRetries,
  streamIdleTimeoutMs: milliseconds,
  supportsWebsockets: requireBoolean,
  websocketConnectTimeoutMs: milliseconds,
  askUsage: requireBoolean,
  usageGraceMs: milliseconds,
  connectTimeoutMs: milliseconds,
  firstByteTimeoutMs: milliseconds,
  progressTimeoutMs: milliseconds,
  totalTimeoutMs: milliseconds,
  onClose: oneOf(['error', 'complete']),
  toolCallsOnStop: oneOf(['drop', 'promote']),
  thinkTags: requireThinkTags,
  systemAsUser: requireBoolean,
  contextWindow: optional(aboveZero),
  models: optional(requireStringList),
  maxOutputTokens: optional(aboveZero),
  maxEventBytes: aboveZero,
} satisfies { readonly [K in keyof Required<ProviderConfig>]: ConfigField<ProviderConfig[K]> };

/** Every option of a provider, in its camelCase spelling. */
export const providerOptionNames = Object.keys(fields) as readonly (keyof ProviderConfig)[];

/**
 * A checked provider with every default filled in.
 *
 * @param spell - how an option is called in an error message; default its own name
 * @throws ConfigError naming the first option that cannot be used
 */
export function createProvider(
  options: ProviderOptions,
  spell: (option: string) => string = (option) => option,
): ProviderConfig {
  const given = withoutUndefined(options);
  const values: Record<string, unknown> = {
    name: options.baseUrl,
    firstByteTimeoutMs: given.streamIdleTimeoutMs ?? providerDefaults.streamIdleTimeoutMs,
    ...providerDefaults,
    ...given,
  };
  const checked = providerOptionNames.map((option) => [option, fields[option](values[option], spell(option))] as const);
  return withoutUndefined(Object.fromEntries(checked)) as unknown as ProviderConfig;
}

function requireBaseUrl(value: unknown, where: string): string {
  const address = readHttpAddress(requireString(value, where));
  if ('wrong' in address) throw new ConfigError(`${where} ${address.wrong}`);
  return withoutEndpoint(address.text);
}

function requireThinkTags(value: unknown, where: string): ThinkTags {
  if (typeof value === 'boolean' || value === 'opened') return value;
  throw new ConfigError(`${where} must be true, false or "opened"`);
}

function requireRetries(value: unknown, where: string): number {
  return Math.min(wholeNumber({ min: 0 })(value, where), MAX_RETRIES);
}

/** Strings by the names of headers. */
export function requireHeaderNames(value: unknown, where: string): Readonly<Record<string, string>> {
  const headers = requireStrings(value, where);
  if (Object.keys(headers).every((name) => headerName.test(name))) return headers;
  throw new ConfigError(`${where} has a name that no header can have`);
}

/** Headers: names and values that they can have. */
export function requireHeaders(value: unknown, where: string): Readonly<Record<string, string>> {
  const headers = requireHeaderNames(value, where);
  if (Object.values(headers).every((text) => headerValue.test(text))) return headers;
  throw new ConfigError(`${where} has a value that no header can have`);
}

function withoutUndefined(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
