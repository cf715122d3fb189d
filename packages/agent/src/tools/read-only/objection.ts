import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import type { Words } from './shell-words.ts';
import type { Workspace } from '../../workspace.ts';
import { gitCommand } from './git-commands.ts';
import { objectionToRepository } from './git-repository.ts';
import { parseArguments, type Arguments } from './parse-arguments.ts';
import { programNamed, type Program } from './programs.ts';

/** Where a command would run, and as what. */
export interface Surroundings {
  readonly workspace: Workspace;
  /** The folder of the session that it would run in. */
  readonly root: string;
  /** Absolute, without symbolic links, in the root. */
  readonly folder: string;
  /** Folders that programs are looked for in. */
  readonly path: string;
  /** An OS sandbox will hold it: it writes nothing, reaches no network and sees nothing of the person's other files. */
  readonly sandboxed: boolean;
}

/** Why this simple command may change something or read elsewhere; `undefined` when it may run unasked. */
export async function objectionTo(words: Words, where: Surroundings): Promise<string | undefined> {
  const [name, ...args] = words;
  const bad = name === 'git' ? await objectionToGit(args, where) : await objectionToProgram(name, args, where);
  return bad ?? (await objectionToPlace(name, where));
}

async function objectionToProgram(
  name: string,
  args: readonly string[],
  where: Surroundings,
): Promise<string | undefined> {
  const program = programNamed(name);
  if (program === undefined) return `${quoteArgv([name])} is not on the list of read-only commands`;
  if (program.sandboxed === true && !where.sandboxed) return `${name} is a read-only command in a sandbox only`;
  const isAboutItself = args.length === 1 && /^--(version|help)$/.test(args[0] ?? '');
  return program.anything === true || isAboutItself ? undefined : objectionToArguments(name, args, program, where);
}

async function objectionToGit(args: readonly string[], where: Surroundings): Promise<string | undefined> {
  if (args.length === 1 && args[0] === '--version') return undefined;
  const found = gitCommand(args);
  if (found === undefined) return `${quoteArgv(['git', ...args.slice(0, 1)])} is not on the list of read-only commands`;
  const rest = args.slice(found.at + 1);
  return (
    (await objectionToArguments(`git ${found.name}`, rest, found.command, where)) ??
    (await objectionToRepository(where.folder, where.root, where.sandboxed))
  );
}

async function objectionToArguments(
  name: string,
  args: readonly string[],
  program: Program,
  where: Surroundings,
): Promise<string | undefined> {
  const parsed = parseArguments(args, program);
  const bad = typeof parsed === 'string' ? parsed : badArgument(parsed, program);
  if (bad !== undefined) return `${name} with ${quoteArgv([bad])} is not on the list of read-only commands`;
  return typeof parsed === 'string' ? undefined : objectionToPaths(parsed, program, where);
}

function badArgument(parsed: Arguments, program: Program): string | undefined {
  return parsed.operands[program.operands ?? Infinity] ?? program.objection?.(parsed);
}

/** Every word may be a path, also one that looks like an option: another version of the program may think so. */
async function objectionToPaths(
  parsed: Arguments,
  program: Program,
  { workspace, folder, sandboxed }: Surroundings,
): Promise<string | undefined> {
  const has = (name: string): boolean => parsed.options.some((option) => option.name === name);
  const texts = program.pathsOnlyWith?.some(has) === true ? 0 : (program.texts ?? 0);
  // A sandbox hides them.
  const walks = program.walks === true && !sandboxed;
  const paths = parsed.operands.slice(texts);
  for (const word of [...parsed.others, ...(walks && paths.length === 0 ? ['.'] : paths)]) {
    const { real, inside, where } = await workspace.locate(word, folder);
    if (!inside) return `it may read ${quoteArgv([real])}, ${where}`;
    if (walks && workspace.hasSecretsBelow(real))
      return `it may read below ${quoteArgv([real])}, where keys may be kept`;
    if (program.foldersNeed !== undefined && !has(program.foldersNeed) && (await isFolder(real))) {
      return `it may follow links in the folder ${quoteArgv([word])}`;
    }
  }
  return undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** Why the program that would be run is not the one we know: a link to something that the model may have written. */
async function objectionToPlace(name: string, { workspace, path }: Surroundings): Promise<string | undefined> {
  for (const folder of path.split(':')) {
    const file = join(folder, name);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!runs) continue;
    const { real } = await workspace.locate(file);
    return workspace.contains(real) ? `${name} is ${quoteArgv([real])}, in ${workspace.name}` : undefined;
  }
  return undefined;
}
