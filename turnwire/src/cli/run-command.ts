import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Argument, Option, type Command } from 'commander';
import { destination, pino } from 'pino';
import { foldersOf, findProgram } from '@turnwire/agent/internal/sandbox/paths';
import type { Bridge } from '@turnwire/bridge';
import { parseBaseUrl } from '@turnwire/bridge/internal/options';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { visible } from '@turnwire/wire/internal/base/printable';
import { addAnswerFlags, answerOptionsOf, type AnswerFlags } from './answer-flags.ts';
import { modelOptionsOf } from './bridge-models.ts';
import { claude } from './clients/claude.ts';
import type { LaunchableClient, LaunchTarget } from './clients/client.ts';
import { codex } from './clients/codex.ts';
import { opencode } from './clients/opencode.ts';
import { clientArguments } from './clients/client-arguments.ts';
import { runClient } from './clients/run-client.ts';
import { Tally } from './clients/tally.ts';
import type { CommandScope } from './command-scope.ts';
import { ownConfigFile } from './configuration.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { rawStream } from './output.ts';
import { proxyFromEnv } from './proxy.ts';
import { addSearchFlags, searchOf, type SearchFlags } from './search-flags.ts';
import { chooseServer, type ModelServer } from './servers/choose-server.ts';
import { shortLabelOf } from './servers/server-problem.ts';
import { startBridge } from './start-bridge.ts';
import { addUpstreamFlags, type UpstreamFlags } from './upstream-flags.ts';

/** The clients that can be started, in the order of the help. */
const clients: readonly LaunchableClient[] = [codex, claude, opencode];

interface RunFlags extends AnswerFlags, SearchFlags, UpstreamFlags {
  readonly log?: string;
  readonly logLevel: string;
}

const COMMAND = 'turnwire run';

export function createRunCommand({ cli, done }: CommandScope): Command {
  const command = createCommand(
    COMMAND,
    'Starts a coding agent on any model server, with a bridge between them.',
    example,
  )
    .addArgument(new Argument('<client>', 'what to start').choices(clients.map(({ name }) => name)))
    .argument('[args...]', "the client's own arguments, from the first that is no flag of turnwire's, or behind --");
  addUpstreamFlags(command, 'a server of this machine is looked for')
    .addOption(flag('--model <name>', 'the model to use', "the server's only one; of several it is asked"))
    .addOption(flag('--log <file>', "append the bridge's log to this file", 'no log'))
    .addOption(new Option('--log-level <level>', 'how much of it').choices(['info', 'debug', 'trace']).default('info'));
  addSearchFlags(addAnswerFlags(command));
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (argv) => parse(clientArguments(argv, command.options));
  return command.action(async (name: string, args: readonly string[], flags: RunFlags) => {
    const client = clients.find((known) => known.name === name);
    if (client === undefined) throw new UsageError(`unknown client ${name}`);
    const program = findClient(client, cli);
    const given = (flagName: string): boolean => command.getOptionValueSource(flagName) === 'cli';
    const models = modelOptionsOf([], await ownConfigFile(cli));
    const server = await chooseServer(flags, { command: COMMAND, given, modelMap: models.modelMap }, cli);
    done(await runWithBridge({ client, program, args, server, flags, models }, cli));
  });
}

const example = [
  'turnwire run codex --upstream http://127.0.0.1:8080',
  'turnwire run claude --model tiny -p "Say hello"',
].join('\n');

function findClient({ name, program, install }: LaunchableClient, cli: CliContext): string {
  const found = findProgram(program, foldersOf(cli.env.PATH));
  if (found !== undefined) return found;
  throw new UsageError(`${name} is not installed: there is no ${program} in PATH. Install it with: ${install}`);
}

interface Run {
  readonly client: LaunchableClient;
  /** Path of its program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly server: ModelServer;
  readonly flags: RunFlags;
  readonly models: ReturnType<typeof modelOptionsOf>;
}

/** The bridge lives as long as the client; what it did is one line when the client has given the terminal back. */
async function runWithBridge(run: Run, cli: CliContext): Promise<number> {
  const { server } = run;
  const tally = new Tally(logFile(run.flags, cli));
  const token = randomHex(32);
  const bridge = await startBridge({ ...bridgeOptions(run, tally, token, cli), ...run.models });
  const title = new Title(cli);
  const model = visible(server.model);
  const servers = server.upstreams.upstreams.map(({ url }) => shortLabelOf(parseBaseUrl(url)));
  try {
    title.show(`${run.client.name} on ${model} (turnwire)`);
    // A client that works without a screen says nothing until its first answer is there.
    cli.stderr.write(`turnwire: starting ${run.client.name} on ${model} at ${servers.join(' and ')}\n`);
    return await launch(run, bridge, token, cli);
  } finally {
    await bridge.close();
    title.restore();
    const where = tally.servers.length === 0 ? servers : tally.servers.map(shortLabelOf);
    cli.stderr.write(`turnwire: ${model} at ${where.join(' and ')}: ${tally.toString()}\n`);
  }
}

function bridgeOptions({ server, flags }: Run, tally: Tally, token: string, cli: CliContext) {
  return {
    ...server.upstreams,
    model: server.model,
    ...(server.contextWindow === undefined ? {} : { contextWindow: server.contextWindow }),
    ...answerOptionsOf(flags),
    ...searchOf(flags, cli),
    port: 0,
    authToken: token,
    // Whoever would wait for an answer has left.
    drainTimeoutMs: 0,
    proxy: proxyFromEnv(cli.env),
    logger: pino({ level: flags.logLevel, base: null }, tally),
  };
}

async function launch(
  { client, program, args, server, flags }: Run,
  bridge: Bridge,
  token: string,
  cli: CliContext,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-run-'));
  try {
    const { model, contextWindow } = server;
    const search = flags.searchUrl !== undefined;
    const target: LaunchTarget = { url: bridge.url, model, contextWindow, search, token, folder };
    const { args: ours, env, files } = client.launch(target, cli.env);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    return await runClient({ program, args: [...ours, ...args], env: { ...cli.env, ...env } }, cli);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function logFile({ log }: RunFlags, cli: CliContext): ReturnType<typeof destination> | undefined {
  if (log === undefined) return undefined;
  try {
    return destination({ dest: resolve(cli.cwd, log), sync: true, append: true });
  } catch (error) {
    throw new UsageError(`--log: cannot write ${log}: ${describeSystemError(error)}`);
  }
}

/** The title of the terminal's window, put back at the end (xterm: OSC 0, and CSI 22 and 23 t). */
class Title {
  readonly #terminal: NodeJS.WritableStream | undefined;

  constructor(cli: CliContext) {
    this.#terminal = cli.stderr.isTTY === true ? rawStream(cli.stderr) : undefined;
  }

  /** @param text - clean */
  show(text: string): void {
    this.#terminal?.write(`\x1b[22;0t\x1b]0;${text}\x07`);
  }

  restore(): void {
    this.#terminal?.write('\x1b[23;0t');
  }
}
