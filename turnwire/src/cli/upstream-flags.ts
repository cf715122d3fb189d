import { Option, type Command } from 'commander';
import type { BridgeOptions } from '@turnwire/bridge';
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
import { chooseProvider } from './provider.ts';
import { trustProjectFlag } from './provider-flags.ts';
import { readStdin } from './stdin.ts';

/** Which model servers a bridge stands in front of, as given on the command line. */
export interface UpstreamFlags {
  readonly upstream?: readonly string[];
  readonly provider?: string;
  readonly codexConfig?: boolean;
  readonly trustProject?: boolean;
  readonly wire: 'auto' | ProtocolId;
  readonly model?: string;
  readonly envKey?: string;
  /** The seed proxy's name for `envKey`. */
  readonly bearerEnv?: string;
  readonly apiKeyStdin?: boolean;
}

/** The flags that every command with a bridge has. */
export function addUpstreamFlags(command: Command, withoutUpstream: string): Command {
  return command
    .addOption(listFlag('--upstream <url>', 'base URL of a model server; may be given several times', withoutUpstream))
    .addOption(flag('--provider <name>', 'take the upstream from [model_providers.NAME] of turnwire.toml', 'none'))
    .addOption(flag('--codex-config', 'take it from ~/.codex/config.toml instead', 'off'))
    .addOption(trustProjectFlag())
    .addOption(
      new Option('--wire <wire>', "the upstreams' protocol; auto asks once")
        .choices(['auto', ...protocolIds])
        .default('auto'),
    )
    .addOption(flag('--env-key <variable>', "environment variable with the upstreams' key", 'no key'));
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
  /** Base URLs. */
  readonly upstreams: readonly string[];
}

/**
 * The model servers that flags and configuration files name, and what a provider's table says of the bridge; `undefined`
 * when they name none.
 *
 * @throws UsageError with one line: contradicting flags, a key in an address, an unset variable, a file that cannot be used
 */
export async function findUpstreams(
  flags: UpstreamFlags,
  { command, given, place }: UpstreamQuestion,
  cli: CliContext,
): Promise<FoundUpstreams | undefined> {
  const key = await keyOf(flags, cli);
  if (flags.upstream !== undefined) {
    if (flags.provider !== undefined) throw new UsageError('--upstream and --provider contradict each other');
    if (flags.codexConfig === true) throw new UsageError('--upstream and --codex-config contradict each other');
    return { upstreams: withoutKeys(flags.upstream), wire: flags.wire, ...key };
  }
  const { provider, notes, others } = await chooseProvider(
    {
      ...(flags.provider === undefined ? {} : { provider: flags.provider }),
      ...(flags.codexConfig === undefined ? {} : { codexConfig: flags.codexConfig }),
    },
    new Configuration(flags, cli),
  );
  if (provider === undefined) return undefined;
  if (place !== undefined && isOwnAddress(provider.baseUrl, place.host, place.port)) {
    throw itself(provider.baseUrl, others ?? []);
  }
  for (const note of notes) cli.stderr.write(`${command}: note: ${note}\n`);
  return {
    upstreams: [provider.baseUrl],
    wire: flags.wire === 'auto' ? provider.wireApi : flags.wire,
    ...settingsOf(provider, given, cli),
    ...(key ?? keyOfProvider(provider, cli)),
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

type Key = Pick<BridgeOptions, 'apiKey' | 'apiKeySource'>;

function keyOfProvider({ name, envKey, envHttpHeaders, httpHeaders }: ProviderConfig, cli: CliContext): Key {
  if (envKey !== undefined) {
    return { apiKey: fromEnv('env_key', envKey, cli), apiKeySource: `env_key = "${envKey}" of the provider ${name}` };
  }
  const headers = Object.keys({ ...envHttpHeaders, ...httpHeaders });
  return headers.length === 0 ? {} : { apiKeySource: `the headers of the provider ${name}` };
}

async function keyOf(flags: UpstreamFlags, cli: CliContext): Promise<Key | undefined> {
  const variable = flags.envKey ?? flags.bearerEnv;
  if (variable !== undefined && flags.apiKeyStdin === true) {
    throw new UsageError('--env-key and --api-key-stdin contradict each other');
  }
  if (variable !== undefined) {
    return { apiKey: fromEnv('--env-key', variable, cli), apiKeySource: `--env-key ${variable}` };
  }
  if (flags.apiKeyStdin !== true) return undefined;
  const { apiKey } = await readStdin({ apiKey: true, prompt: false }, cli);
  return { apiKey: () => apiKey, apiKeySource: '--api-key-stdin' };
}

/** Read anew for every request; that it is there is checked now. */
function fromEnv(flagName: string, variable: string, cli: CliContext): () => string | undefined {
  if ((cli.env[variable] ?? '').trim() === '') throw unset(flagName, variable);
  return () => cli.env[variable];
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

/** A flag names a variable that has no value. */
export function unset(flagName: string, variable: string): UsageError {
  return new UsageError(`${flagName}: the environment variable ${variable} is not set`);
}
