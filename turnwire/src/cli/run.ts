import { CommanderError } from 'commander';
import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { commands, type CommandEntry } from './commands.ts';
import { contextOf, withStderr, type CliContext } from './context.ts';
import { BrokenPipe, describeFailure, exitCode, ServerProblem, UsageError } from './exit.ts';
import { createCommand } from './flags.ts';
import { Messages, Output } from './output.ts';
import { version } from './version.ts';

/** Runs the process's command line and ends the process. */
export async function main(process: NodeJS.Process): Promise<void> {
  const left = new AbortController();
  const code = await runCli(contextOf(process, { leaveStdout: () => left.abort() }));
  await unlessAborted(new Output(process.stdout).flush(), left.signal);
  await new Output(process.stderr).flush();
  // Not process.exitCode: nothing that a command left open (a stdin, a socket) may keep a finished one waiting.
  process.exit(code);
}

/** One command line from start to end; never throws for what a user or a server did. */
export async function runCli(given: CliContext): Promise<number> {
  const cli = withStderr(given, new Messages(given.stderr));
  const { entry, args } = select(cli.args);
  const name = entry === undefined ? 'turnwire' : `turnwire ${entry.name}`;
  try {
    return entry === undefined ? await runRoot(cli, args) : await runCommand(entry, cli, args);
  } catch (error) {
    return reportFailure(error, name, cli);
  }
}

/** No command means chat; what is no command of ours goes to the root, which answers help, version and mistakes. */
function select(args: readonly string[]): { entry?: CommandEntry; args: readonly string[] } {
  const [first, ...rest] = args;
  const find = (name: string | undefined): CommandEntry | undefined => commands.find((entry) => entry.name === name);
  const rootFlags = ['-h', '--help', '-V', '--version'];
  if (first === undefined || (first.startsWith('-') && !rootFlags.includes(first)))
    return withEntry(find('chat'), args);
  if (first !== 'help') return find(first) === undefined ? { args } : withEntry(find(first), rest);
  return rest.length === 0 ? { args: ['--help'] } : withEntry(find(rest[0]), find(rest[0]) ? ['--help'] : rest);
}

function withEntry(entry: CommandEntry | undefined, args: readonly string[]): ReturnType<typeof select> {
  return entry === undefined ? { args } : { entry, args };
}

async function runCommand(entry: CommandEntry, cli: CliContext, args: readonly string[]): Promise<number> {
  const create = await entry.load();
  const out = new Output(cli.stdout);
  let code: number = exitCode.done;
  const command = create({ cli, out, done: (result) => (code = result) });
  for (const one of [command, ...command.commands]) {
    one.configureOutput({ writeOut: (text) => void cli.stdout.write(text) });
  }
  await command.parseAsync(args, { from: 'user' });
  await out.end();
  return code;
}

async function runRoot(cli: CliContext, args: readonly string[]): Promise<number> {
  const root = createCommand('turnwire', 'Makes model streams trustworthy.', 'echo "Say hello" | turnwire exec')
    .version(version, '-V, --version', 'show the version')
    .configureOutput({ writeOut: (text) => void cli.stdout.write(text) })
    .helpCommand('help [command]', 'show the help of a command');
  for (const { name, summary } of commands) root.command(name).description(summary);
  await root.parseAsync(args, { from: 'user' });
  return exitCode.done;
}

function reportFailure(error: unknown, name: string, cli: CliContext): number {
  if (error instanceof BrokenPipe) return exitCode.done;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.done;
    cli.stderr.write(`${name}: ${oneLine(error.message.replace(/^error: /, ''))} (see ${name} --help)\n`);
    return exitCode.usage;
  }
  if (error instanceof UsageError) {
    cli.stderr.write(`${name}: ${oneLine(error.message)}\n`);
    return exitCode.usage;
  }
  if (error instanceof ServerProblem) {
    cli.stderr.write(`${name}: ${oneLine(error.message)}\n`);
    return exitCode.failed;
  }
  if (error instanceof ModelError) {
    cli.stderr.write(`${name}: ${describeFailure(error)}\n`);
    return error.kind === 'aborted' ? exitCode.interrupted : exitCode.failed;
  }
  cli.stderr.write(
    `${name}: this is a bug in turnwire: ${error instanceof Error ? (error.stack ?? '') : String(error)}\n`,
  );
  return exitCode.failed;
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, ' ').trim();
}
