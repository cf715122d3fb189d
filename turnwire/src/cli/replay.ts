import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { MockUsageError, replayTape, type TapeServer } from '@turnwire/testing';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, exitCode, UsageError } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { addListenFlags, listenOptionsOf, type ListenFlags } from './listen-flags.ts';
import { cannotListen, untilStopped, withServerInfo } from './serve.ts';

interface ReplayFlags extends ListenFlags {
  readonly speed: number | 'max';
  readonly once?: boolean;
}

export function createReplayCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand('turnwire replay', 'Serves recorded exchanges again, chunk for chunk.', example)
    .argument('<tape>', 'a tape, or a folder of tapes')
    .addOption(
      new Option('--speed <x>', '2 is twice as fast as it was, max is without any wait')
        .default(1)
        .argParser(parseSpeed),
    )
    .addOption(flag('--once', 'serve each exchange to one request only', 'the most similar one is served again'));
  return addListenFlags(command).action(async (tape: string, flags: ReplayFlags) => {
    const server = await start(tape, flags, cli);
    for (const { file, message } of server.problems) cli.stderr.write(`turnwire replay: ${file}: ${message}\n`);
    // Listened for before anybody is told where we are: a client may be quick.
    const stopped = untilStopped(cli);
    try {
      await withServerInfo(flags.serverInfo, server, cli, async () => {
        await out.write(`turnwire replay: listening, base URL ${server.baseUrl}\n`);
        await stopped;
      });
    } finally {
      await server.close();
    }
    for (const line of remarks(server)) cli.stderr.write(`turnwire replay: ${line}\n`);
    done(exitCode.done);
  });
}

const example = 'turnwire replay tapes --speed max --port 18433';

async function start(tape: string, flags: ReplayFlags, cli: CliContext): Promise<TapeServer> {
  try {
    const { speed, once } = flags;
    return await replayTape(resolve(cli.cwd, tape), { speed, once, ...listenOptionsOf(flags) });
  } catch (error) {
    if (error instanceof MockUsageError) throw new UsageError(error.message, { cause: error });
    if (error instanceof Error && 'path' in error) {
      throw new UsageError(`cannot read ${tape}: ${describeSystemError(error)}`, { cause: error });
    }
    throw cannotListen(error, flags.port);
  }
}

function remarks({ unplayed, strangers }: TapeServer): string[] {
  const never = unplayed.map(({ file }) => `nobody asked for ${file}`);
  return [...never, ...strangers.map((request) => `the tape had no answer to ${request}`)];
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed <= 0) throw new InvalidArgumentError('A number above 0, or max, is wanted.');
  return speed;
}
