import type { Command } from 'commander';
import type { CommandScope } from './command-scope.ts';
import { createCommand } from './flags.ts';
import { withSubcommands } from './subcommands.ts';
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
  return withSubcommands(command, parts, scope);
}

const example = [
  'turnwire record --upstream http://127.0.0.1:8080 --out tapes',
  'turnwire tape show tapes',
  'turnwire tape shrink tapes/0001-post-v1-chat-completions.tape.jsonl --out small.tape.jsonl',
  'turnwire tape report small.tape.jsonl > report.md',
].join('\n');
