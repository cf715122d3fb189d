import { quoteForShell } from '@turnwire/client/internal/platform/quote-argv';
import type { Argv } from '../../sandbox/sandbox.ts';
import type { ToolsetContext } from '../../tool-context.ts';
import { simpleCommands, type SimpleCommand, type Words } from './shell-words.ts';
import type { Place } from '../../workspace.ts';
import type { ProcessPlatform } from '../../process/platform.ts';
import { freeEnvironment } from './free-environment.ts';
import { gitCommand, gitEnvironment } from './git-commands.ts';
import { objectionTo } from './objection.ts';

/** What the model asks for: a line for the shell, or a program with its arguments. */
export type ShellCommand = string | readonly string[];

/** A command that may run unasked, as it is run; or why it has to be asked for. */
export type Verdict =
  | { readonly type: 'free'; readonly argv: Argv; readonly env: Readonly<Record<string, string>> }
  | { readonly type: 'ask'; readonly reason: string };

/**
 * A free command is not run as the model wrote it, but as we understood it: a line is written anew from its words, so
 * that no shell can read it in another way.
 */
export async function judge(
  command: ShellCommand,
  place: Place,
  context: ToolsetContext,
  platform: ProcessPlatform,
): Promise<Verdict> {
  const { workspace, sandbox } = context;
  if (!platform.isPosix) return { type: 'ask', reason: 'here it is not known what a command does' };
  const root = workspace.rootOf(place.real);
  if (root === undefined || !place.inside) return { type: 'ask', reason: `it runs ${place.where}` };
  const line = lineOf(command);
  const commands = line === undefined ? [{ words: wordsOf(command) }] : simpleCommands(line);
  if (commands === undefined) return { type: 'ask', reason: 'it uses more of the shell than plain commands' };
  const env = freeEnvironment(context.env, workspace);
  // A shell would look for programs in the folder that it runs in.
  if (env['PATH'] === '') return { type: 'ask', reason: 'the search path has no folder outside the working directory' };
  const where = { workspace, root, folder: place.real, path: env['PATH'] ?? '', sandboxed: sandbox.works };
  for (const { words } of commands) {
    const reason = await objectionTo(words, where);
    if (reason !== undefined) return { type: 'ask', reason };
  }
  const usesGit = commands.some(({ words }) => words[0] === 'git');
  return {
    type: 'free',
    argv: line === undefined ? withInsertions(wordsOf(command)) : platform.shellArgv(rewritten(commands)),
    env: { ...env, ...(usesGit ? gitEnvironment(root) : {}) },
  };
}

/** `undefined` for a program with its arguments. */
function lineOf(command: ShellCommand): string | undefined {
  if (typeof command === 'string') return command;
  const [program = '', option = '', script] = command;
  // `["bash", "-lc", "…"]`, as some models write it. It is run without the files that a login shell reads.
  return command.length === 3 && /^(ba)?sh$/.test(program) && /^-l?c$/.test(option) ? script : undefined;
}

function wordsOf(command: ShellCommand): Words {
  const [program = '', ...args] = typeof command === 'string' ? [command] : command;
  return [program, ...args];
}

function rewritten(commands: readonly SimpleCommand[]): string {
  const parts = commands.flatMap(({ words, operator = '' }) => [quoteForShell(withInsertions(words)), operator]);
  return parts.join(' ').trim();
}

function withInsertions(words: Words): Argv {
  const [name, ...args] = words;
  const found = name === 'git' ? gitCommand(args) : undefined;
  if (found?.command.insert === undefined) return words;
  return [name, ...args.slice(0, found.at + 1), ...found.command.insert, ...args.slice(found.at + 1)];
}
