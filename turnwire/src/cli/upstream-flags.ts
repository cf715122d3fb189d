import { Option, type Command } from 'commander';
import type { BridgeOptions, UpstreamOptions } from '@turnwire/bridge';
import { labelOf } from '@turnwire/bridge/internal/upstream/member';
import { isOwnAddress } from '@turnwire/bridge/internal/upstream/own-address';
import { createProvider, type ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { requestHeaders } from '@turnwire/client/internal/provider/provider-request';
import { isSecretParameter } from '@turnwire/client/internal/platform/secret-names';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocolIds } from '@turnwire/wire/internal/protocols';
import { Configuration } from './configuration.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { flag, listFlag } from './flags.ts';
import { chooseProvider, type ProviderChoice } from './provider.ts';
import { codexProfileFlag, trustProjectFlag } from './provider-flags.ts';
import { readStdin } from './stdin.ts';
import { keyFrom, KeyFlag, withKeys, type NamedKey } from './upstream-keys.ts';

/** Which model servers a bridge stands in front of, as given on the command line. */
export interface UpstreamFlags {
  readonly upstream?: readonly string[];
  readonly provider?: readonly string[];
  readonly codexConfig?: boolean;
  readonly codexProfile?: string;
  readonly trustProject?: boolean;
  readonly wire: 'auto' | ProtocolId;
  readonly model?: string;
  readonly envKey?: readonly NamedKey[];
  /** The seed proxy's name for `envKey`. */
  readonly bearerEnv?: string;
  readonly apiKeyStdin?: boolean;
}

/** The flags that every command with a bridge has. */
export function addUpstreamFlags(command: Command, withoutUpstream: string): Command {
  return command
    .addOption(listFlag('--upstream <url>', 'base URL of a model server; may be given several times', withoutUpstream))
    .addOption(listFlag('--provider <name>', 'take an upstream from [model_providers.NAME] of turnwire.toml'))
    .addOption(flag('--codex-config', 'take it from ~/.codex/config.toml instead', 'off'))
    .addOption(codexProfileFlag())
    .addOption(trustProjectFlag())
    .addOption(
      new Option('--wire <wire>', "the upstreams' protocol; auto asks once")
        .choices(['auto', ...protocolIds])
        .default('auto'),
    )
    .addOption(new KeyFlag(command));
}

/** What a command says of itself when it looks for its model servers. */
export interface UpstreamQuestion {
  /** e.g. `turnwire bridge`, for what it writes to stderr. */
  readonly command: string;
  /** True for a flag that is on the command line, not only at its default. */
  readonly given: (name: string) => boolean;
  /** Where the bridge will listen, if that is known: a provider at that address is the bridge itself. */
  readonly place?: { readonly host: string; readonly port: number };
}

/** What a bridge has to be told of its model servers. */
export interface FoundUpstreams extends BridgeOptions {
  readonly upstreams: readonly UpstreamOptions[];
}

/**
 * The model servers that flags and configuration files name, and what a provider's table says of the bridge; `undefined`
 * when they name none.
 *
 * @throws UsageError with one line: contradicting flags, a key in an address, an unset variable, a file that cannot be used
 */
export async function findUpstreams(
  flags: UpstreamFlags,
  question: UpstreamQuestion,
  cli: CliContext,
): Promise<FoundUpstreams | undefined> {
  if (flags.upstream !== undefined) {
    if (flags.provider !== undefined) throw new UsageError('--upstream and --provider contradict each other');
    if (flags.codexConfig === true) throw new UsageError('--upstream and --codex-config contradict each other');
    const stdin = await keyOfStdin(flags, cli);
    return { upstreams: withKeys(withoutKeys(flags.upstream), keysIn(flags), cli), wire: flags.wire, ...stdin };
  }
  const configuration = new Configuration(flags, cli);
  const found: FoundUpstreams[] = [];
  for (const provider of flags.provider ?? [undefined]) {
    const { codexConfig } = flags;
    const choice = await chooseProvider(
      { ...(provider === undefined ? {} : { provider }), ...(codexConfig === undefined ? {} : { codexConfig }) },
      configuration,
    );
    if (choice.provider === undefined) return undefined;
    found.push(await ofProvider(choice, flags, question, cli));
  }
  const [first] = found;
  // Of several each has what its own table says; what a bridge has but once is that of the first.
  return first === undefined ? undefined : { ...first, upstreams: found.flatMap(({ upstreams }) => upstreams) };
}

async function ofProvider(
  { provider, notes, others = [] }: ProviderChoice,
  flags: UpstreamFlags,
  { command, given, place }: UpstreamQuestion,
  cli: CliContext,
): Promise<FoundUpstreams> {
  if (provider === undefined) throw new UsageError('no provider');
  const { baseUrl, models } = provider;
  if (place !== undefined && isOwnAddress(baseUrl, place.host, place.port)) throw itself(baseUrl, others);
  for (const note of notes) cli.stderr.write(`${command}: note: ${note}\n`);
  const { requestMaxRetries, model, ...own } = settingsOf(provider, given, cli);
  const stdin = await keyOfStdin(flags, cli);
  const [named] = withKeys([baseUrl], keysIn(flags), cli);
  const keys = named?.keys === undefined ? keysOfProvider(provider, stdin !== undefined, cli) : { keys: named.keys };
  const wire = flags.wire === 'auto' ? provider.wireApi : flags.wire;
  return {
    upstreams: [{ url: baseUrl, wire, ...own, ...keys, ...(models === undefined ? {} : { models }) }],
    ...(requestMaxRetries === undefined ? {} : { requestMaxRetries }),
    ...(model === undefined ? {} : { model }),
    ...stdin,
  };
}

/** What becomes of the block for Codex that this command prints, once Codex' file is read with `--codex-config`. */
function itself(baseUrl: string, others: readonly string[]): UsageError {
  const instead =
    others.length === 0
      ? 'name the model server with --upstream URL'
      : `name the model server with --provider NAME (known: ${others.join(', ')})`;
  return new UsageError(`the chosen provider, ${labelOf(baseUrl)}, is this bridge itself: ${instead}`);
}

/** What the provider's table says; a flag on the command line goes before it. */
function settingsOf(
  provider: ProviderConfig,
  given: UpstreamQuestion['given'],
  cli: CliContext,
): Omit<BridgeOptions, 'upstreams'> {
  const withoutKey = createProvider({ ...provider, envKey: undefined });
  return {
    upstreamHeaders: requestHeaders(withoutKey, (variable) => cli.env[variable]),
    upstreamQuery: provider.queryParams,
    connectTimeoutMs: provider.connectTimeoutMs,
    onClose: provider.onClose,
    thinkTags: provider.thinkTags,
    systemAsUser: provider.systemAsUser,
    ...(provider.contextWindow === undefined ? {} : { contextWindow: provider.contextWindow }),
    ...(given('idleTimeout') ? {} : { idleTimeoutMs: provider.streamIdleTimeoutMs }),
    ...(given('usageGrace') ? {} : { usageGraceMs: provider.usageGraceMs }),
    ...(given('requestRetries') ? {} : { requestMaxRetries: provider.requestMaxRetries }),
    ...(given('model') || provider.model === undefined ? {} : { model: provider.model }),
  };
}

/** A key of the command line goes before that of a provider. */
function keysOfProvider(
  { name, envKey, envHttpHeaders, httpHeaders }: ProviderConfig,
  isGiven: boolean,
  cli: CliContext,
): Pick<UpstreamOptions, 'keys' | 'apiKeySource'> {
  if (isGiven) return {};
  if (envKey !== undefined) {
    return { keys: [keyFrom('env_key', envKey, `env_key = "${envKey}" of the provider ${name}`, cli)] };
  }
  const headers = Object.keys({ ...envHttpHeaders, ...httpHeaders });
  return headers.length === 0 ? {} : { apiKeySource: `the headers of the provider ${name}` };
}

function keysIn({ envKey = [], bearerEnv }: UpstreamFlags): readonly NamedKey[] {
  return envKey.length > 0 || bearerEnv === undefined ? envKey : [bearerEnv];
}

async function keyOfStdin(
  flags: UpstreamFlags,
  cli: CliContext,
): Promise<Pick<BridgeOptions, 'apiKey' | 'apiKeySource'> | undefined> {
  if (flags.apiKeyStdin !== true) return undefined;
  if (keysIn(flags).length > 0) throw new UsageError('--env-key and --api-key-stdin contradict each other');
  const { apiKey } = await readStdin({ apiKey: true, prompt: false }, cli);
  return { apiKey: () => apiKey, apiKeySource: '--api-key-stdin' };
}

/** Whatever stands on the command line can be read by every user of the machine. */
function withoutKeys(upstreams: readonly string[]): readonly string[] {
  const names = upstreams.flatMap((text) => [...(URL.parse(text)?.searchParams.keys() ?? [])]);
  const secret = names.find((name) => isSecretParameter(name));
  if (secret === undefined) return upstreams;
  throw new UsageError(
    `--upstream must not hold a key (${secret}): use --env-key, or query_params of turnwire.toml with --provider`,
  );
}
