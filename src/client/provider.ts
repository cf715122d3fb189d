import { z } from 'zod';
import type { ProtocolId } from '../wire/decoder.ts';
import { protocolIds } from '../wire/protocols.ts';

/** Wrong configuration: one clear line for the user, never with a value that could be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

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

const milliseconds = z.int('must be a whole number of milliseconds').min(0, 'must not be negative').max(MAX_TIMER_MS);
const retries = z
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .transform((n) => Math.min(n, MAX_RETRIES));
const name = z.string('must be a string').min(1, 'must not be empty');
const texts = z.record(z.string(), z.string('must be a string'), 'must be a table of strings');
const headerNames = texts.refine(
  (table) => Object.keys(table).every((key) => headerName.test(key)),
  'has a name that no header can have',
);

const schema = z.object({
  name,
  baseUrl: z.string('must be a string').superRefine(checkBaseUrl),
  wireApi: z.enum(protocolIds, `must be ${protocolIds.map((id) => JSON.stringify(id)).join(' or ')}`),
  model: name.optional(),
  envKey: name.optional(),
  httpHeaders: headerNames.refine(
    (table) => Object.values(table).every((value) => headerValue.test(value)),
    'has a value that no header can have',
  ),
  envHttpHeaders: headerNames,
  queryParams: texts,
  requestMaxRetries: retries,
  streamMaxRetries: retries,
  streamIdleTimeoutMs: milliseconds,
  supportsWebsockets: z.boolean('must be true or false'),
  websocketConnectTimeoutMs: milliseconds,
  askUsage: z.boolean('must be true or false'),
  usageGraceMs: milliseconds,
  connectTimeoutMs: milliseconds,
  firstByteTimeoutMs: milliseconds,
  progressTimeoutMs: milliseconds,
  totalTimeoutMs: milliseconds,
  onClose: z.enum(['error', 'complete'], 'must be "error" or "complete"'),
  toolCallsOnStop: z.enum(['drop', 'promote'], 'must be "drop" or "promote"'),
  maxOutputTokens: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
  maxEventBytes: z.int('must be a whole number').min(1, 'must be at least 1'),
});

/** Every option of a provider, in its camelCase spelling. */
export const providerOptionNames = Object.keys(schema.shape) as readonly (keyof ProviderConfig)[];

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
  const result = schema.safeParse({
    name: options.baseUrl,
    firstByteTimeoutMs: given.streamIdleTimeoutMs ?? providerDefaults.streamIdleTimeoutMs,
    ...providerDefaults,
    ...given,
  });
  if (result.success) return withoutUndefined(result.data) as unknown as ProviderConfig;
  const issue = result.error.issues[0];
  const [option, ...inner] = (issue?.path ?? []).map(String);
  const where = [spell(option ?? 'provider'), ...inner].join('.');
  throw new ConfigError(`${where} ${issue?.message ?? 'cannot be used'}`);
}

function checkBaseUrl(value: string, context: z.RefinementCtx): void {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    context.addIssue({ code: 'custom', message: 'must be an http:// or https:// URL' });
  } else if (url.username !== '' || url.password !== '') {
    context.addIssue({ code: 'custom', message: 'must not hold a user or password: name the key with env_key' });
  }
}

function withoutUndefined(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
