import { Option, type Command } from 'commander';
import { DoctorUsageError, examine, formatReport, type DoctorReport } from '../doctor/index.ts';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { CommandScope } from './command-scope.ts';
import { Configuration } from './configuration.ts';
import type { CliContext } from './context.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { chooseProvider } from './provider.ts';
import { codexProfileFlag, trustProjectFlag } from './provider-flags.ts';
import { readStdin } from './stdin.ts';
import { protocolIds } from '@turnwire/wire/internal/protocols';

interface DoctorFlags {
  readonly provider?: string;
  readonly codexConfig?: boolean;
  readonly codexProfile?: string;
  readonly trustProject?: boolean;
  readonly model?: string;
  readonly json?: boolean;
  readonly wire?: ProtocolId;
  readonly envKey?: string;
  readonly apiKeyStdin?: boolean;
  readonly timeout: number;
  readonly hold: number;
  readonly concurrency: number;
}

export function createDoctorCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('turnwire doctor', 'Examines a model server and says what its wire does wrong.', example)
    .argument('[url]', 'base URL of the server; /v1 is added when it has no path (default: that of --provider)')
    .addOption(flag('--provider <name>', 'examine the server of [model_providers.NAME] of turnwire.toml', 'none'))
    .addOption(flag('--codex-config', 'take it from ~/.codex/config.toml instead', 'off'))
    .addOption(codexProfileFlag())
    .addOption(trustProjectFlag())
    .addOption(flag('--model <name>', 'the model to ask', 'the first that the server lists'))
    .addOption(flag('--json', 'print one JSON object instead of a table', 'off'))
    .addOption(new Option('--wire <wire>', 'examine this wire alone (default: all)').choices(protocolIds))
    .addOption(flag('--env-key <variable>', 'environment variable with the key', 'no key'))
    .addOption(flag('--api-key-stdin', 'the first line of stdin is the key', 'off'))
    .addOption(numberFlag('--timeout <ms>', 'longest silence of the server', 1, 15_000))
    .addOption(numberFlag('--hold <ms>', 'how long a finished answer is watched for its end', 1, 3000))
    .addOption(numberFlag('--concurrency <n>', 'requests at the same time', 1, 3))
    .action(async (url: string | undefined, flags: DoctorFlags) => {
      const stop = new AbortController();
      const off = cli.onSignal('SIGINT', () => stop.abort());
      try {
        const report = await run(url, flags, cli, stop.signal);
        if (flags.json === true) await out.writeLines([report]);
        else await out.write(formatReport(report));
        if (stop.signal.aborted) done(exitCode.interrupted);
        else done(report.broken > 0 ? exitCode.failed : exitCode.done);
      } finally {
        off();
      }
    });
}

const example = 'turnwire doctor http://127.0.0.1:8080 --model tiny';

async function run(
  url: string | undefined,
  flags: DoctorFlags,
  cli: CliContext,
  signal: AbortSignal,
): Promise<DoctorReport> {
  const server = url === undefined ? await fromProvider(flags, cli) : direct(url, flags);
  const { envKey } = server;
  try {
    return await examine({
      url: server.url,
      model: server.model,
      apiKey: await keyOf({ ...flags, ...(envKey === undefined ? {} : { envKey }) }, cli),
      wires: flags.wire === undefined ? undefined : [flags.wire],
      timeoutMs: flags.timeout,
      holdMs: flags.hold,
      concurrency: flags.concurrency,
      signal,
      onProbe: ({ wire, name, verdict }) => void cli.stderr.write(`turnwire doctor: ${wire}, ${name}: ${verdict}\n`),
    });
  } catch (error) {
    if (error instanceof DoctorUsageError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

interface Server {
  readonly url: string;
  readonly model?: string | undefined;
  readonly envKey?: string | undefined;
}

function direct(url: string, flags: DoctorFlags): Server {
  if (flags.provider !== undefined) throw new UsageError('a URL and --provider contradict each other');
  if (flags.codexConfig === true) throw new UsageError('a URL and --codex-config contradict each other');
  return { url, model: flags.model };
}

/** The server of a configuration file. Of its table only the address, the model and the key are used. */
async function fromProvider(flags: DoctorFlags, cli: CliContext): Promise<Server> {
  const { provider, codexConfig } = flags;
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
  return { url: baseUrl, model: flags.model ?? model, envKey: flags.envKey ?? envKey };
}

async function keyOf(flags: DoctorFlags, cli: CliContext): Promise<string | undefined> {
  if (flags.apiKeyStdin === true) return (await readStdin({ apiKey: true, prompt: false }, cli)).apiKey;
  if (flags.envKey === undefined) return undefined;
  const key = cli.env[flags.envKey];
  if (key === undefined || key === '') throw new UsageError(`the environment variable ${flags.envKey} is not set`);
  return key;
}
