import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Configuration } from './configuration.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { chooseProvider } from './provider.ts';
import { readStdin } from './stdin.ts';

export interface ServerFlags {
  readonly provider?: string;
  readonly codexConfig?: boolean;
  readonly codexProfile?: string;
  readonly trustProject?: boolean;
  readonly model?: string;
  readonly envKey?: string;
  readonly apiKeyStdin?: boolean;
}

/** A server to examine. */
export interface ExaminedServer {
  readonly url: string;
  readonly model?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** The one server that is meant: by its address, or by a configuration file. */
export async function findServer(
  address: string | undefined,
  flags: ServerFlags,
  cli: CliContext,
): Promise<ExaminedServer> {
  if (address === undefined) return await fromProvider(flags, flags.provider, cli);
  if (flags.provider !== undefined) throw new UsageError('a URL and --provider contradict each other');
  if (flags.codexConfig === true) throw new UsageError('a URL and --codex-config contradict each other');
  return { url: address, model: flags.model, apiKey: await keyOf(flags, flags.envKey, cli) };
}

/** Several of them: addresses, and names of providers. One key for all of them would be a key told to strangers. */
export async function findServers(
  names: readonly string[],
  flags: ServerFlags,
  cli: CliContext,
): Promise<readonly ExaminedServer[]> {
  if (names.length === 0) throw new UsageError('--matrix needs servers: their URLs, or names of providers');
  if (flags.provider !== undefined)
    throw new UsageError('--matrix and --provider contradict each other: name it as a server');
  if (flags.envKey !== undefined || flags.apiKeyStdin === true)
    throw new UsageError('--matrix takes keys from providers alone (env_key): one key is not sent to several servers');
  const servers: ExaminedServer[] = [];
  for (const name of names) {
    servers.push(isName(name) ? await fromProvider(flags, name, cli) : { url: name, model: flags.model });
  }
  return servers;
}

/** Neither a colon nor a dot nor a slash: no address. */
function isName(text: string): boolean {
  return /^[\w-]+$/.test(text) && text !== 'localhost';
}

/** True for the path of a tape, or of a folder of them, which is no address. */
export async function isTape(text: string, cli: CliContext): Promise<boolean> {
  if (/^[a-z]+:\/\//i.test(text)) return false;
  return text.endsWith('.jsonl') || (await stat(resolve(cli.cwd, text)).catch(() => undefined)) !== undefined;
}

/** The server of a configuration file. Of its table only the address, the model and the key are used. */
async function fromProvider(
  flags: ServerFlags,
  provider: string | undefined,
  cli: CliContext,
): Promise<ExaminedServer> {
  const { codexConfig } = flags;
  const choice = await chooseProvider(
    { ...(provider === undefined ? {} : { provider }), ...(codexConfig === undefined ? {} : { codexConfig }) },
    new Configuration(flags, cli),
  );
  for (const note of choice.notes) cli.stderr.write(`turnwire doctor: note: ${note}\n`);
  if (choice.provider === undefined) throw new UsageError('a server is needed: its URL, or --provider NAME');
  const { baseUrl, model, envKey, httpHeaders, envHttpHeaders, queryParams } = choice.provider;
  if ([httpHeaders, envHttpHeaders, queryParams].some((table) => Object.keys(table).length > 0)) {
    cli.stderr.write("turnwire doctor: note: the provider's headers and query_params are not sent\n");
  }
  const apiKey = await keyOf(flags, flags.envKey ?? envKey, cli);
  return { url: baseUrl, model: flags.model ?? model, apiKey };
}

async function keyOf(flags: ServerFlags, envKey: string | undefined, cli: CliContext): Promise<string | undefined> {
  if (flags.apiKeyStdin === true) return (await readStdin({ apiKey: true, prompt: false }, cli)).apiKey;
  if (envKey === undefined) return undefined;
  const key = cli.env[envKey];
  if (key === undefined || key === '') throw new UsageError(`the environment variable ${envKey} is not set`);
  return key;
}
