import { spawn } from 'node:child_process';
import { replayTape, type TapedExchange } from '@turnwire/testing';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { sdkVariables } from './sdk-variables.ts';

export interface ShrinkCommand {
  readonly command: readonly string[];
  /** Longest run, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What became of a run: its exit code, or that it hung. */
type Result = number | 'hangs';

/**
 * A test that says whether a command fails upon a tape as it does upon the whole one: with the same exit code, or by hanging. It
 * finds the server that plays the tape in `OPENAI_BASE_URL` and `ANTHROPIC_BASE_URL`.
 *
 * @throws UsageError when the command succeeds, or cannot be started
 */
export async function failsLikeBefore(
  whole: TapedExchange,
  how: ShrinkCommand,
  cli: CliContext,
): Promise<(candidate: TapedExchange) => Promise<boolean>> {
  const wanted = await runAgainst(whole, how, cli);
  if (wanted === 0)
    throw new UsageError('the command succeeds upon the whole tape: it has to fail as long as the fault is there');
  return async (candidate) => (await runAgainst(candidate, how, cli)) === wanted;
}

async function runAgainst(exchange: TapedExchange, how: ShrinkCommand, cli: CliContext): Promise<Result> {
  await using server = await replayTape({ exchanges: [exchange], problems: [] });
  return await run(how, { ...cli.env, ...sdkVariables(server) }, cli.cwd);
}

async function run(
  { command: [program = '', ...args], timeoutMs, signal }: ShrinkCommand,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<Result> {
  const posix = process.platform !== 'win32';
  // A group of its own: what the command started ends with it.
  const child = spawn(program, args, { env, cwd, stdio: 'ignore', detached: posix });
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(posix ? -child.pid : child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  let hangs = false;
  const timer = systemClock.after(timeoutMs, () => {
    hangs = true;
    kill();
  });
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await new Promise<Result>((resolve, reject) => {
      child.once('error', (error) => reject(new UsageError(`cannot start ${program}: ${error.message}`)));
      child.once('exit', (code) => resolve(hangs ? 'hangs' : (code ?? -1)));
    });
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', kill);
    kill();
  }
}
