import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  listFaults,
  MockUsageError,
  MockVerificationError,
  parseFault,
  startMock,
  type MockOptions,
  type MockServer,
} from '@turnwire/testing';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { runClient } from './clients/run-client.ts';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, listFlag, numberFlag } from './flags.ts';
import { addListenFlags, listenOptionsOf, type ListenFlags } from './listen-flags.ts';
import { sdkVariables } from './sdk-variables.ts';
import { cannotListen, untilStopped, withServerInfo } from './serve.ts';
import { secretFrom } from './upstream-keys.ts';
import { protocolIds } from '@turnwire/wire/internal/protocols';

interface MockFlags extends ListenFlags {
  readonly wire?: ProtocolId;
  readonly scenario?: string;
  readonly fault?: readonly string[];
  readonly faults?: boolean;
  readonly authTokenEnv?: string;
  readonly expect?: number;
}

export function createMockCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand(
    'turnwire mock',
    'A scripted model server with named wire faults, on loopback.',
    example,
  )
    .argument('[command...]', 'behind --: what is run against it; it ends with the command, and with its exit code')
    .addOption(flag('--wire <wire>', 'the protocol that is answered', 'all').choices(protocolIds))
    .addOption(
      flag('--scenario <file>', 'what the model says: a file, or the name of a built-in one', 'that it is scripted'),
    )
    .addOption(listFlag('--fault <name[:arg]>', 'a fault of the wire; may be given several times'))
    .addOption(flag('--faults', 'list every fault (of --wire) with one line, and end', 'off'))
    .addOption(numberFlag('--expect <n>', 'exit 1 when another number of requests came', 0, 'not checked'))
    .addOption(flag('--auth-token-env <variable>', 'environment variable with the token that clients send', 'none'));
  return addListenFlags(command).action(async (command: readonly string[], flags: MockFlags) => {
    refuseStray(command, cli.args);
    if (flags.faults === true) {
      await out.write(faultTable(flags.wire));
      done(exitCode.done);
      return;
    }
    const server = await start(flags, cli);
    try {
      done(await serve(server, command, flags, { cli, out }));
    } finally {
      await server.close();
    }
  });
}

/** A word that is neither a flag nor behind `--` is a mistake, not a program that is run. */
function refuseStray([stray, ...more]: readonly string[], args: readonly string[]): void {
  const at = args.indexOf('--');
  const behind = at < 0 ? 0 : args.length - at - 1;
  if (stray === undefined || more.length < behind) return;
  throw new UsageError(`there is no argument ${stray}: a command to run stands behind -- (see turnwire mock --help)`);
}

const example = [
  'turnwire mock --fault finish-then-hold --port 18431 --expect 2',
  'turnwire mock --scenario weather.toml --expect 2 -- npm test',
].join('\n');

type Said = Pick<CommandScope, 'cli' | 'out'>;

/** Until it is stopped, or its command has ended. */
async function serve(
  server: MockServer,
  command: readonly string[],
  flags: MockFlags,
  { cli, out }: Said,
): Promise<number> {
  // Listened for before anybody is told where we are: a client may be quick.
  const stopped = command.length === 0 ? untilStopped(cli) : undefined;
  let code: number = exitCode.done;
  await withServerInfo(flags.serverInfo, server, cli, async () => {
    await announce(server, flags, cli, (text) => (command.length === 0 ? out.write(text) : cli.stderr.write(text)));
    if (command.length > 0) code = await runAgainst(server, command, flags, cli);
    else await stopped;
  });
  return verdict(server, cli) === exitCode.done ? code : code || exitCode.failed;
}

function runAgainst(
  server: MockServer,
  [name = '', ...args]: readonly string[],
  flags: MockFlags,
  cli: CliContext,
): Promise<number> {
  const env = { ...cli.env, ...sdkVariables(server, tokenOf(flags, cli)) };
  return runClient({ program: name, args, env }, cli);
}

async function start(flags: MockFlags, cli: CliContext): Promise<MockServer> {
  const options: MockOptions = {
    wire: flags.wire,
    scenario: flags.scenario === undefined ? undefined : scenarioOf(flags.scenario, cli),
    faults: flags.fault,
    ...listenOptionsOf(flags),
    authToken: tokenOf(flags, cli),
    expect: flags.expect,
  };
  try {
    return await startMock(options);
  } catch (error) {
    if (error instanceof MockUsageError) throw new UsageError(error.message);
    throw cannotListen(error, flags.port);
  }
}

function tokenOf({ authTokenEnv: variable }: MockFlags, cli: CliContext): string | undefined {
  return variable === undefined ? undefined : secretFrom('--auth-token-env', variable, cli);
}

/** A path is relative to the working directory; a name has neither dot nor slash. */
function scenarioOf(scenario: string, cli: CliContext): string {
  return /[./\\]/.test(scenario) ? resolve(cli.cwd, scenario) : scenario;
}

/** @param say - where the address goes: what a command prints is its own */
async function announce(server: MockServer, flags: MockFlags, cli: CliContext, say: (text: string) => unknown) {
  for (const line of (flags.fault ?? []).map(aliasLine)) cli.stderr.write(line);
  await say(`turnwire mock: listening, base URL ${server.baseUrl}\n`);
}

/** Which fault an alias is: reports name it by its own name. */
function aliasLine(text: string): string {
  const { name } = parseFault(text).spec;
  const [given = ''] = text.split(/[:@]/);
  return given.trim() === name ? '' : `turnwire mock: ${given.trim()} is the fault ${name}\n`;
}

/** Whether what was expected came; asked before the server closes, while every stream is as its client left it. */
function verdict(server: MockServer, cli: CliContext): number {
  try {
    server.verify();
    return exitCode.done;
  } catch (error) {
    if (!(error instanceof MockVerificationError)) throw error;
    cli.stderr.write(`${error.message}\n`);
    return exitCode.failed;
  }
}

function faultTable(wire: ProtocolId | undefined): string {
  const faults = listFaults(wire).map(({ name, args, summary, aliases }) => ({
    title: args === undefined ? name : `${name}:${args}`,
    summary: aliases.length === 0 ? summary : `${summary} Also: ${aliases.join(', ')}.`,
  }));
  const width = Math.max(...faults.map(({ title }) => title.length));
  return faults.map(({ title, summary }) => `${title.padEnd(width)}  ${summary}\n`).join('');
}
