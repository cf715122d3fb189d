import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readPromptCommands, type PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { visible } from '@turnwire/wire/internal/base/printable';
import { reservedNames } from '../terminal/commands.ts';
import type { ConfigurationFlags } from './configuration.ts';
import type { CliContext } from './context.ts';
import { decideTrust } from './decide-trust.ts';
import { configFolder } from './user-folders.ts';

/** The commands that may be used, and what the person should know of the others, one line each. */
export interface UsableCommands {
  readonly commands: readonly PromptCommand[];
  readonly notes: readonly string[];
}

/**
 * The person's own commands (`commands` beside `config.toml`), and those of the project (`.turnwire/commands` in the working
 * directory) once the person said yes to them; of two with one name the project's. May ask on the terminal; fails then with a
 * ModelError of kind `aborted` for Ctrl-C.
 */
export async function usableCommands(
  flags: Pick<ConfigurationFlags, 'trustProject'>,
  cli: CliContext,
): Promise<UsableCommands> {
  const own = await readPromptCommands(join(configFolder(cli), 'commands'), { followLinks: true });
  const project = await projectCommands(flags, cli);
  const all = [...own.commands, ...project.commands];
  const byName = new Map(all.map((command) => [command.name, command]));
  const isUsable = ({ name }: PromptCommand): boolean => !reservedNames.has(name);
  return {
    commands: [...byName.values()].filter(isUsable),
    notes: [...own.notes, ...project.notes, ...all.filter((command) => !isUsable(command)).map(reservedNote)].map(
      visible,
    ),
  };
}

function reservedNote({ name, path }: PromptCommand): string {
  return `the command ${path} is not used: /${name} is a command of turnwire`;
}

async function projectCommands(
  { trustProject }: Pick<ConfigurationFlags, 'trustProject'>,
  cli: CliContext,
): Promise<UsableCommands> {
  const cwd = await realpath(cli.cwd).catch(() => undefined);
  if (cwd === undefined) return { commands: [], notes: [] };
  const folder = join(cwd, '.turnwire', 'commands');
  const { commands, notes, sha256 } = await readPromptCommands(folder, { followLinks: false });
  if (trustProject === true || commands.length === 0) return { commands, notes };
  const decision = await decideTrust(
    {
      folder,
      sha256,
      describe: () => listOf(commands),
      question: (what, why) => questionFor(folder, what, why),
      note: (why) =>
        `the commands in ${quoteArgv([folder])} are not used, for ${why}; start turnwire here in a terminal and say yes, or use --trust-project`,
    },
    cli,
  );
  return { commands: decision.isTrusted ? commands : [], notes: [...notes, ...decision.notes] };
}

/** The texts themselves go to the model alone, when one of these is typed, and are seen then. */
function listOf(commands: readonly PromptCommand[]): string {
  return commands.map(({ name, description }) => `  /${name}: ${visible(description)}\n`).join('');
}

function questionFor(folder: string, what: string, why: string): string {
  return `\nThe folder of commands ${quoteArgv([folder])} ${why}. Its texts go to the model as yours when you type\n\n${what}\nUse them from now on, as they are? [y]es, [n]o: `;
}
