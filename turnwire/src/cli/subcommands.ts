import type { Command } from 'commander';
import type { CommandScope, CreateCommand } from './command-scope.ts';
import { UsageError } from './exit.ts';

/** A command that is nothing but several others: without one of their names it says which there are. */
export function withSubcommands(command: Command, parts: readonly CreateCommand[], scope: CommandScope): Command {
  for (const create of parts) command.addCommand(create(scope));
  const names = command.commands.map((part) => part.name()).join(', ');
  return command
    .enablePositionalOptions()
    .argument('[command]')
    .action((name: string | undefined) => {
      throw new UsageError(
        name === undefined ? `which of these: ${names}?` : `no command ${name}; there are: ${names}`,
      );
    });
}
