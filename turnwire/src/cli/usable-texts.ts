import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readPromptCommands, type PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { foldersBetween, repositoryRoot } from '@turnwire/agent/internal/project/repository';
import { readSkills, type Skill } from '@turnwire/agent/internal/project/skills';
import type { ReadOptions, TextFolder } from '@turnwire/agent/internal/project/text-folder';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { visible } from '@turnwire/wire/internal/base/printable';
import { reservedNames } from '../terminal/commands.ts';
import type { ConfigurationFlags } from './configuration.ts';
import type { CliContext } from './context.ts';
import { decideTrust } from './decide-trust.ts';
import { configFolder } from './user-folders.ts';

/** The texts of a kind that may be used, and what the person should know of the others, one line each. */
export interface UsableTexts<T> {
  readonly texts: readonly T[];
  readonly notes: readonly string[];
}

interface Kind<T> {
  /** The folder's name: beside `config.toml`, and in `.turnwire` of the project. */
  readonly folder: string;
  readonly read: (folder: string, options: ReadOptions) => Promise<TextFolder<T>>;
  /** What happens to the texts, for the question. */
  readonly use: string;
  readonly lineOf: (text: T) => string;
}

const commandKind: Kind<PromptCommand> = {
  folder: 'commands',
  read: readPromptCommands,
  use: 'Its texts go to the model as yours when you type',
  lineOf: ({ name, description }) => `/${name}: ${visible(description)}`,
};

const skillKind: Kind<Skill> = {
  folder: 'skills',
  read: readSkills,
  use: 'The model reads its texts, when it wants to, as instructions for',
  lineOf: ({ name, description, files = [] }) => `${name}: ${visible(description)}${besides(files.length - 1)}`,
};

/** Beside its `SKILL.md`. */
function besides(files: number): string {
  return files < 1 ? '' : ` (and ${files} more ${files === 1 ? 'file' : 'files'} in its folder)`;
}

type Flags = Pick<ConfigurationFlags, 'trustProject'>;

/** Commands as Markdown files, without those that have a name of turnwire's own. As {@link usableTexts}. */
export async function usableCommands(flags: Flags, cli: CliContext): Promise<UsableTexts<PromptCommand>> {
  const { texts, notes } = await usableTexts(commandKind, flags, cli);
  const isReserved = ({ name }: PromptCommand): boolean => reservedNames.has(name);
  return {
    texts: texts.filter((command) => !isReserved(command)),
    notes: [...notes, ...texts.filter(isReserved).map(reservedNote)],
  };
}

/** Skills. As {@link usableTexts}. */
export function usableSkills(flags: Flags, cli: CliContext): Promise<UsableTexts<Skill>> {
  return usableTexts(skillKind, flags, cli);
}

function reservedNote({ name, path }: PromptCommand): string {
  return `the command ${visible(path)} is not used: /${name} is a command of turnwire`;
}

/**
 * The person's own texts (beside `config.toml`), and those of the project (in `.turnwire` of the working directory and of each folder above
 * it up to the repository's root) once the person said yes to them, folder by folder; of two with one name the nearest. May ask on the terminal; fails then with a ModelError of kind
 * `aborted` for Ctrl-C.
 */
async function usableTexts<T extends { readonly name: string }>(
  kind: Kind<T>,
  flags: Flags,
  cli: CliContext,
): Promise<UsableTexts<T>> {
  const own = await kind.read(join(configFolder(cli), kind.folder), { followLinks: true });
  const project = await projectTexts(kind, flags, cli);
  const byName = new Map([...own.texts, ...project.texts].map((text) => [text.name, text]));
  return { texts: [...byName.values()], notes: [...own.notes, ...project.notes].map(visible) };
}

/** The nearest last. */
async function projectTexts<T>(kind: Kind<T>, flags: Flags, cli: CliContext): Promise<UsableTexts<T>> {
  const cwd = await realpath(cli.cwd).catch(() => undefined);
  if (cwd === undefined) return { texts: [], notes: [] };
  const found: UsableTexts<T>[] = [];
  // One after the other: each may be a question.
  for (const folder of foldersBetween(await repositoryRoot(cwd), cwd))
    found.push(await textsIn(join(folder, '.turnwire', kind.folder), kind, flags, cli));
  return { texts: found.flatMap(({ texts }) => texts), notes: found.flatMap(({ notes }) => notes) };
}

async function textsIn<T>(
  folder: string,
  kind: Kind<T>,
  { trustProject }: Flags,
  cli: CliContext,
): Promise<UsableTexts<T>> {
  const { texts, notes, sha256 } = await kind.read(folder, { followLinks: false });
  if (trustProject === true || texts.length === 0) return { texts, notes };
  const decision = await decideTrust(
    {
      folder,
      sha256,
      describe: () => texts.map((text) => `  ${kind.lineOf(text)}\n`).join(''),
      question: (what, why) =>
        `\nThe folder of ${kind.folder} ${quoteArgv([folder])} ${why}. ${kind.use}\n\n${what}\nUse them from now on, as they are? [y]es, [n]o: `,
      note: (why) =>
        `the ${kind.folder} in ${quoteArgv([folder])} are not used, for ${why}; start turnwire here in a terminal and say yes, or use --trust-project`,
    },
    cli,
  );
  return { texts: decision.isTrusted ? texts : [], notes: [...notes, ...decision.notes] };
}
