import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { TapedExchange } from '@turnwire/testing';
import { encodeExchange } from '@turnwire/testing/internal/tape/encode';
import { cutBlocks, shrinkExchange, showsQuirk } from '../doctor/index.ts';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { readOneTape } from './read-tapes.ts';
import { failsLikeBefore } from './tape-command.ts';
import { checkFaultName, onlyFault } from './tape-fault.ts';

interface ShrinkFlags {
  readonly fault?: string;
  readonly out?: string;
  readonly tries: number;
  readonly timeout: number;
}

const COMMAND = 'turnwire tape shrink';

export function createTapeShrinkCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('shrink', 'Finds the smallest tape that still shows the fault.', example)
    .argument('<tape>', 'one tape')
    .argument('[command...]', 'behind --: a command that fails as long as the fault is there')
    .addOption(flag('--fault <name>', 'the finding to keep, by its name in the report', 'the only one'))
    .addOption(flag('--out <file>', 'where the small tape is written; never over another', 'beside the tape, as .min'))
    .addOption(numberFlag('--tries <n>', 'how many smaller tapes are tried', 1, 1000))
    .addOption(numberFlag('--timeout <ms>', 'a command that runs longer hangs, which is a failure, too', 1, 30_000))
    .action(async (tape: string, command: readonly string[], flags: ShrinkFlags) => {
      const stop = new AbortController();
      const off = cli.onSignal('SIGINT', () => stop.abort());
      try {
        const whole = await readOneTape(tape, COMMAND, cli);
        const { shows, what } = await testOf(whole, { tape, command, flags }, cli, stop.signal);
        const small = await shrinkExchange(whole, {
          tries: flags.tries,
          shows: async (candidate) => !stop.signal.aborted && (await shows(candidate)),
          onSmaller: (exchange, left) => void cli.stderr.write(`${COMMAND}: ${sizeOf(exchange)}, ${left} tries left\n`),
        });
        const path = await save(small.exchange, flags.out ?? besides(tape), cli);
        const rest = small.smallest ? '' : '; it may be smaller: --tries';
        await out.write(
          `${path}: ${sizeOf(small.exchange)} of ${sizeOf(whole)}, shows ${what}, ${small.tries} tries${rest}\n`,
        );
        done(stop.signal.aborted ? exitCode.interrupted : exitCode.done);
      } finally {
        off();
      }
    });
}

const example = [
  'turnwire tape shrink tapes/0001-post-v1-chat-completions.tape.jsonl --fault finish-then-hold',
  'turnwire tape shrink tapes/0001-post-v1-chat-completions.tape.jsonl -- python3 client.py',
].join('\n');

interface Wanted {
  readonly tape: string;
  readonly command: readonly string[];
  readonly flags: ShrinkFlags;
}

interface ShrinkTest {
  readonly shows: (candidate: TapedExchange) => boolean | Promise<boolean>;
  readonly what: string;
}

async function testOf(
  whole: TapedExchange,
  { tape, command, flags }: Wanted,
  cli: CliContext,
  signal: AbortSignal,
): Promise<ShrinkTest> {
  if (command.length > 0) {
    if (flags.fault !== undefined) throw new UsageError('--fault and a command contradict each other');
    const shows = await failsLikeBefore(whole, { command, timeoutMs: flags.timeout, signal }, cli);
    return { shows, what: 'what fails the command' };
  }
  checkFaultName(whole, tape, flags.fault);
  const fault = flags.fault ?? onlyFault(whole, tape);
  return { shows: (candidate) => showsQuirk(candidate, fault), what: fault };
}

/** Of the answer: the request stays as it was. */
function sizeOf({ chunks, messages }: TapedExchange): string {
  const came = messages.filter(({ from }) => from === 'server');
  const bytes = [...chunks, ...came].reduce((sum, { data }) => sum + data.length, 0);
  const pieces = came.length > 0 ? `${came.length} messages` : `${cutBlocks(chunks).length} events`;
  return `${pieces}, ${bytes} bytes`;
}

/** `x.tape.jsonl` becomes `x.min.tape.jsonl`. */
function besides(tape: string): string {
  const name = basename(tape).replace(/(\.tape)?\.jsonl$/, '');
  return join(dirname(tape), `${name}.min.tape.jsonl`);
}

async function save(exchange: TapedExchange, path: string, cli: CliContext): Promise<string> {
  try {
    await writeFile(resolve(cli.cwd, path), encodeExchange(exchange), { mode: 0o600, flag: 'wx' });
    return path;
  } catch (error) {
    const there = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw new UsageError(`--out: cannot write ${path}: ${there ? 'it is there already' : describeSystemError(error)}`);
  }
}
