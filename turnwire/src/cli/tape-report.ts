import { basename } from 'node:path';
import type { Command } from 'commander';
import { formatBugReport } from '../doctor/index.ts';
import type { CommandScope } from './command-scope.ts';
import { exitCode } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { readOneTape } from './read-tapes.ts';
import { checkFaultName } from './tape-fault.ts';
import { version } from './version.ts';

interface ReportFlags {
  readonly fault?: string;
}

export function createTapeReportCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('report', 'Writes markdown for the tracker of the server: what came, why it is wrong.', example)
    .argument('<tape>', 'one tape; secrets are masked, prompts and answers are not')
    .addOption(flag('--fault <name>', 'report this finding alone', 'what is broken, else what is odd'))
    .action(async (tape: string, { fault }: ReportFlags) => {
      const exchange = await readOneTape(tape, 'turnwire tape report', cli);
      checkFaultName(exchange, tape, fault);
      const platform = `Node.js ${process.version}, ${process.platform} ${process.arch}`;
      await out.write(await formatBugReport(exchange, { tape: basename(tape), version, platform, fault }));
      done(exitCode.done);
    });
}

const example = 'turnwire tape report tapes/0001-post-v1-chat-completions.tape.jsonl > report.md';
