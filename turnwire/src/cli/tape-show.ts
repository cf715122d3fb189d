import type { Command } from 'commander';
import { formatTimeline, timelineOf } from '../doctor/index.ts';
import type { CommandScope } from './command-scope.ts';
import { exitCode } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { readTapes } from './read-tapes.ts';

interface ShowFlags {
  readonly json?: boolean;
  readonly all?: boolean;
}

/** Columns where stdout is no terminal, or does not say. */
const WIDTH = 120;

export function createTapeShowCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('show', 'Shows exchanges in time: what came when, and how long nothing did.', example)
    .argument('<tape>', 'a tape, or a folder of tapes')
    .addOption(flag('--json', 'print one JSON object for each exchange', 'off'))
    .addOption(flag('--all', 'show every chunk of a long exchange', 'the first, the last, and those after a wait'))
    .action(async (tape: string, flags: ShowFlags) => {
      const { columns } = cli.stdout as { readonly columns?: number };
      const width = cli.stdout.isTTY === true ? (columns ?? WIDTH) : WIDTH;
      for (const exchange of await readTapes(tape, 'turnwire tape show', cli)) {
        const timeline = timelineOf(exchange);
        if (flags.json === true) await out.writeLines([timeline]);
        else await out.write(`${formatTimeline(timeline, { width, all: flags.all === true })}\n`);
      }
      done(exitCode.done);
    });
}

const example = 'turnwire tape show tapes/0001-post-v1-chat-completions.tape.jsonl';
