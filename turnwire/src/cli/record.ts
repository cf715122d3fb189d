import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MockUsageError, recordTo, type TapeRecorder } from '@turnwire/testing';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, exitCode, UsageError } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { addListenFlags, listenOptionsOf, type ListenFlags } from './listen-flags.ts';
import { cannotListen, untilStopped, withServerInfo } from './serve.ts';

interface RecordFlags extends ListenFlags {
  readonly upstream?: string;
  readonly out?: string;
}

export function createRecordCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand(
    'turnwire record',
    'Records an upstream, chunk for chunk, without its secrets.',
    example,
  )
    .addOption(flag('--upstream <url>', 'the server that is recorded', 'none, it has to be given'))
    .addOption(flag('--out <dir>', 'folder for the tapes, one file for each exchange', 'none, it has to be given'));
  return addListenFlags(command).action(async (flags: RecordFlags) => {
    const recorder = await start(flags, cli);
    // Listened for before anybody is told where we are: a client may be quick.
    const stopped = untilStopped(cli);
    try {
      await withServerInfo(flags.serverInfo, recorder, cli, async () => {
        await out.write(`turnwire record: listening, base URL ${recorder.baseUrl}\n`);
        await stopped;
      });
    } finally {
      await recorder.close();
    }
    const n = recorder.exchanges;
    cli.stderr.write(`turnwire record: ${n} exchange${n === 1 ? '' : 's'} in ${flags.out ?? ''}\n`);
    done(exitCode.done);
  });
}

const example = 'turnwire record --upstream http://127.0.0.1:8080 --out tapes --port 18432';

async function start(flags: RecordFlags, cli: CliContext): Promise<TapeRecorder> {
  if (flags.upstream === undefined) throw new UsageError('--upstream URL is needed');
  if (flags.out === undefined) throw new UsageError('--out DIR is needed');
  const onProblem = (message: string): void => void cli.stderr.write(`turnwire record: ${message}\n`);
  try {
    const { upstream } = flags;
    return await recordTo(resolve(cli.cwd, flags.out), { upstream, ...listenOptionsOf(flags), onProblem });
  } catch (error) {
    if (error instanceof MockUsageError) throw new UsageError(error.message, { cause: error });
    if (isFileError(error)) throw new UsageError(`--out: cannot use ${flags.out}: ${describeSystemError(error)}`);
    throw cannotListen(error, flags.port);
  }
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'path' in error;
}
