import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocolIds } from '@turnwire/wire/internal/protocols';
import {
  ConfigError,
  oneOf,
  optional,
  requireBoolean,
  requireString,
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
  /** For messages to people. */
  readonly name: string;
  /** `http:` or `https:`, as configured; {@link requestUrl} joins a path to it. */
  readonly baseUrl: string;
  readonly wireApi: ProtocolId;
  /** The model of requests that name none. */
  readonly model?: string;
  /** Name of the environment variable with the key, read anew for every request. */
  readonly envKey?: string;
  readonly httpHeaders: Readonly<Record<string, string>>;
  /** Header name to the name of the environment variable with its value; unset or blank ones are left out. */
  readonly envHttpHeaders: Readonly<Record<string, string>>;
  readonly queryParams: Readonly<Record<string, string>>;
  /** Extra attempts before a response's headers; at most 100. */
  readonly requestMaxRetries: number;
  /** Extra attempts after a stream began; at most 100. */
  readonly streamMaxRetries: number;
  readonly streamIdleTimeoutMs: number;
  readonly supportsWebsockets: boolean;
  readonly websocketConnectTimeoutMs: number;
  /** Chat: ask for token usage with `stream_options.include_usage`. */
  readonly askUsage: boolean;
  /** Chat: how long a finished answer waits for its usage. */
  readonly usageGraceMs: number;
  readonly connectTimeoutMs: number;
  /** From the request sent to the first byte of the body. Default: the idle timeout. */
  readonly firstByteTimeoutMs: number;
  readonly progressTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly onClose: 'error' | 'complete';
  readonly toolCallsOnStop: 'drop' | 'promote';
  /** The bound of requests that set none. */
  readonly maxOutputTokens?: number;
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
  const text = requireString(value, where);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new ConfigError(`${where} must be an http:// or https:// URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${where} must not hold a user or password: name the key with env_key`);
  }
  return text;
}

function requireRetries(value: unknown, where: string): number {
  return Math.min(wholeNumber({ min: 0 })(value, where), MAX_RETRIES);
}

function requireHeaderNames(value: unknown, where: string): Readonly<Record<string, string>> {
  const headers = requireStrings(value, where);
  if (Object.keys(headers).every((name) => headerName.test(name))) return headers;
  throw new ConfigError(`${where} has a name that no header can have`);
}

function requireHeaders(value: unknown, where: string): Readonly<Record<string, string>> {
  const headers = requireHeaderNames(value, where);
  if (Object.values(headers).every((text) => headerValue.test(text))) return headers;
  throw new ConfigError(`${where} has a value that no header can have`);
}

function withoutUndefined(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
