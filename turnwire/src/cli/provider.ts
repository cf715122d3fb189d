import type { ModelServer } from '@turnwire/agent';
import { createProvider, type ProviderConfig, type ProviderOptions } from '@turnwire/client/internal/provider/provider';
import type { ProviderFile } from '@turnwire/client/internal/provider/provider-file';
import { answerOptionsOf } from './answer-flags.ts';
import { providersIn, withUsageErrors } from './config-file.ts';
import type { Configuration, IgnoredFile } from './configuration.ts';
import { UsageError } from './exit.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { noteOfUnlisted, rememberedProvider, withRememberedModel } from './remembered-server.ts';

/** The chosen model server; `undefined` means the embedded scripted one. */
export interface ProviderChoice {
  readonly provider?: ProviderConfig;
  /** For stderr: files and keys that were passed over. */
  readonly notes: readonly string[];
  /** Names of the other providers in the same file. */
  readonly others?: readonly string[];
}

/**
 * The provider that flags name, else the one that the conversation remembers, else that of the configuration files. Where
 * flags name the conversation's own server and no model, the model is the conversation's.
 *
 * @throws UsageError with one line: contradicting flags, an unknown name, a file that cannot be used
 */
export async function chooseProvider(
  flags: ProviderFlags,
  configuration: Configuration,
  remembered?: ModelServer,
): Promise<ProviderChoice> {
  checkFlags(flags);
  const choice =
    flags.baseUrl === undefined
      ? ((await fromThread(flags, configuration, remembered)) ?? (await fromFiles(flags, configuration)))
      : direct(flags, flags.baseUrl);
  if (choice.provider === undefined) return choice;
  const provider = withFlags(choice.provider, flags);
  return { ...choice, provider: flags.model === undefined ? withRememberedModel(provider, remembered) : provider };
}

function checkFlags(flags: ProviderFlags): void {
  if (flags.baseUrl === undefined) {
    if (flags.envKey !== undefined)
      throw new UsageError('--env-key belongs to --base-url; a provider names its own env_key');
    return;
  }
  if (flags.provider !== undefined) throw new UsageError('--base-url and --provider contradict each other');
  if (flags.codexConfig === true) throw new UsageError('--base-url and --codex-config contradict each other');
  if (flags.wire === undefined) throw new UsageError('--base-url needs --wire chat or --wire responses');
}

function direct(flags: ProviderFlags, baseUrl: string): ProviderChoice {
  const options: ProviderOptions = { baseUrl, wireApi: flags.wire, envKey: flags.envKey };
  return withUsageErrors(() => ({ provider: createProvider(options, spellAsFlag), notes: [] }));
}

function spellAsFlag(option: string): string {
  return option === 'wireApi' ? '--wire' : `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function withFlags(provider: ProviderConfig, flags: ProviderFlags): ProviderConfig {
  return {
    ...provider,
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(flags.wire === undefined ? {} : { wireApi: flags.wire }),
    ...answerOptionsOf(flags),
  };
}

/** Only where no flag names a server. */
async function fromThread(
  flags: ProviderFlags,
  configuration: Configuration,
  remembered: ModelServer | undefined,
): Promise<ProviderChoice | undefined> {
  if (remembered === undefined || flags.provider !== undefined || flags.codexConfig === true) return undefined;
  const { files } = await configuration.providerFiles();
  const provider = rememberedProvider(remembered, files);
  return provider && { provider, notes: [...configuration.takeNotes(), ...noteOfUnlisted(remembered, files)] };
}

async function fromFiles(flags: ProviderFlags, configuration: Configuration): Promise<ProviderChoice> {
  const { files, ignored } = await configuration.providerFiles();
  const seen: string[] = [];
  for (const configFile of files) {
    const file = providersIn(configFile);
    const { path, dialect } = configFile;
    const named = flags.provider ?? file.modelProvider ?? (dialect === 'codex' ? BUILT_IN : undefined);
    const provider = named === undefined ? undefined : pick(named, file, flags, path);
    if (provider !== undefined) {
      const others = [...file.providers.keys()].filter((name) => name !== named);
      const notes = file.notes.filter((note) => note.includes(`.${named}]`));
      return { provider, others, notes: [...configuration.takeNotes(), ...notes] };
    }
    seen.push(...file.providers.keys());
  }
  if (ignored !== undefined) refuseIgnored(flags, ignored);
  if (flags.provider !== undefined) throw new UsageError(unknownProvider(flags.provider, seen));
  return { notes: configuration.takeNotes() };
}

/** Nothing stands in for a provider that only an ignored file names: its answers would be taken for that one's. */
function refuseIgnored(flags: ProviderFlags, { file, note }: IgnoredFile): void {
  const { providers, modelProvider } = providersIn(file);
  const named = flags.provider ?? modelProvider;
  if (named === undefined || (flags.provider !== undefined && !providers.has(named))) return;
  throw new UsageError(`no provider ${JSON.stringify(named)} that may be used: ${note}`);
}

function pick(named: string, file: ProviderFile, flags: ProviderFlags, path: string): ProviderConfig | undefined {
  const provider = file.providers.get(named);
  if (provider !== undefined) return provider;
  if (flags.codexConfig === true && named === BUILT_IN) return openAi(file.model);
  if (flags.provider !== undefined) return undefined;
  throw new UsageError(`${path}: model_provider ${JSON.stringify(named)} has no table [model_providers.${named}]`);
}

/** The provider that Codex has built in, and takes when its file names none. */
const BUILT_IN = 'openai';

function openAi(model: string | undefined): ProviderConfig {
  return createProvider({ name: BUILT_IN, baseUrl: 'https://api.openai.com/v1', envKey: 'OPENAI_API_KEY', model });
}

function unknownProvider(name: string, seen: readonly string[]): string {
  const known = seen.length === 0 ? 'no configuration file names one' : `known: ${seen.join(', ')}`;
  return `no provider ${JSON.stringify(name)} (${known})`;
}
