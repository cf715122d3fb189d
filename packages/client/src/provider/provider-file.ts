import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { checkKeys, ConfigError, requireTable, unknownKey } from './config-fields.ts';
import { createProvider, providerOptionNames, type ProviderConfig, type ProviderOptions } from './provider.ts';

/** What a configuration file says about model servers. */
export interface ProviderFile {
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  /** `model_provider`: the one to use when the caller names none. */
  readonly modelProvider?: string;
  /** Top-level `model`: for providers whose table names none. */
  readonly model?: string;
  /** For the user: keys that were passed over, one line each, without their values. */
  readonly notes: readonly string[];
}

export interface ProviderFileOptions {
  /** What messages call the file. Default `turnwire.toml`. */
  readonly file?: string;
  /**
   * Whose file it is. In one of our own an unknown key is an error; Codex' own file has many keys that are not our
   * business, and a provider without `base_url` in it means the OpenAI API.
   */
  readonly dialect?: 'turnwire' | 'codex';
  /** Top-level keys that other readers of the same file know. */
  readonly otherKeys?: readonly string[];
}

const topLevelKeys = ['model', 'model_provider', 'model_providers'];

/** Codex' own keys of a provider table that have no meaning here. */
const ignoredCodexKeys = new Set([
  'experimental_bearer_token',
  'requires_openai_auth',
  'auth',
  'aws',
  'env_key_instructions',
]);

const OPENAI_BASE_URL = 'https://api.openai.com/v1';

const optionByKey = new Map(providerOptionNames.map((option) => [toSnakeCase(option), option]));

/**
 * Providers from a parsed TOML file.
 *
 * @throws ConfigError with one line that names the file, the table and the key, and the nearest key for an unknown one
 */
export function parseProviders(toml: JsonObject, options: ProviderFileOptions = {}): ProviderFile {
  const file = options.file ?? 'turnwire.toml';
  const codex = options.dialect === 'codex';
  const notes: string[] = [];
  if (!codex) checkKeys(`${file}:`, toml, [...topLevelKeys, ...(options.otherKeys ?? [])]);
  const tables = toml.model_providers ?? {};
  if (!isObject(tables)) throw new ConfigError(`${file}: model_providers must be a table of providers`);
  const model = topLevelText(file, toml, 'model');
  const modelProvider = topLevelText(file, toml, 'model_provider');
  const contextWindow = codex ? optionalCount(toml.model_context_window) : undefined;
  const context = { file, codex, notes, model, contextWindow };
  const providers = new Map(Object.entries(tables).map(([name, table]) => [name, parseProvider(name, table, context)]));
  return {
    providers,
    notes,
    ...(modelProvider === undefined ? {} : { modelProvider }),
    ...(model === undefined ? {} : { model }),
  };
}

interface FileContext {
  readonly file: string;
  readonly codex: boolean;
  readonly notes: string[];
  readonly model: string | undefined;
  /** Codex' `model_context_window`: that of its model, whatever the provider. */
  readonly contextWindow: number | undefined;
}

function parseProvider(name: string, value: unknown, context: FileContext): ProviderConfig {
  const where = `${context.file}: [model_providers.${name}]`;
  const table = requireTable(value, where);
  const options: Record<string, unknown> = { name };
  if (context.model !== undefined) options.model = context.model;
  if (context.contextWindow !== undefined) options.contextWindow = context.contextWindow;
  if (context.codex) options.baseUrl = OPENAI_BASE_URL;
  for (const [key, value] of Object.entries(table)) {
    const option = optionByKey.get(key);
    if (option !== undefined) options[option] = value;
    else if (context.codex || ignoredCodexKeys.has(key)) context.notes.push(`${where} ${key} is ignored`);
    else throw unknownKey(where, key, optionByKey.keys());
  }
  if (options.baseUrl === undefined) throw new ConfigError(`${where} base_url is missing`);
  return createProvider(options as unknown as ProviderOptions, (option) => `${where} ${toSnakeCase(option)}`);
}

/** Codex' file is Codex' business: what it would refuse is none of ours. */
function optionalCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function topLevelText(file: string, toml: JsonObject, key: string): string | undefined {
  const value = toml[key];
  if (value === undefined) return undefined;
  const text = nonEmpty(value);
  if (text === undefined) throw new ConfigError(`${file}: ${key} must be a string with something in it`);
  return text;
}

function toSnakeCase(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
