import type { Command } from 'commander';
import type { CommandScope } from './command-scope.ts';
import { UsageError } from './exit.ts';
import { createCommand } from './flags.ts';
import { createTapeFromTraceCommand } from './tape-from-trace.ts';
import { createTapeReportCommand } from './tape-report.ts';
import { createTapeShowCommand } from './tape-show.ts';
import { createTapeShrinkCommand } from './tape-shrink.ts';

/** What can be done with tapes beside recording and replaying them. */
export function createTapeCommand(scope: CommandScope): Command {
  const parts = [createTapeShowCommand, createTapeReportCommand, createTapeShrinkCommand, createTapeFromTraceCommand];
  const command = createCommand(
    'turnwire tape',
    'Looks at recorded exchanges, and makes bug reports of them.',
    example,
  );
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

const example = [
  'turnwire record --upstream http://127.0.0.1:8080 --out tapes',
  'turnwire tape show tapes',
  'turnwire tape shrink tapes/0001-post-v1-chat-completions.tape.jsonl --out small.tape.jsonl',
  'turnwire tape report small.tape.jsonl > report.md',
].join('\n');
