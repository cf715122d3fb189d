import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import type { CliContext, SignalName } from '../context.ts';
import { describeSystemError, UsageError } from '../exit.ts';

/** A client's program, ready to start. */
export interface ClientProcess {
  /** The program's path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a client in this terminal until it ends, and gives its exit code back: 128 and the signal's number when a signal ended
 * it, as shells have it.
 *
 * The client ends when it wants to: signals to us are passed on, and a second SIGTERM or SIGHUP kills it. Ctrl-C is told by the
 * terminal to both of us, so it is passed on only where there is none: clients take two in a row as "leave at once".
 *
 * @throws UsageError when the program cannot be started
 */
export async function runClient({ program, args, env }: ClientProcess, cli: CliContext): Promise<number> {
  const child = spawn(program, args, { cwd: cli.cwd, env, stdio: 'inherit' });
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  let ends = 0;
  const passOn: Readonly<Record<'SIGINT' | 'SIGTERM' | 'SIGHUP', () => void>> = {
    SIGINT: () => {
      if (!hasTerminal) child.kill('SIGINT');
    },
    SIGTERM: () => void child.kill(ends++ === 0 ? 'SIGTERM' : 'SIGKILL'),
    SIGHUP: () => void child.kill(ends++ === 0 ? 'SIGHUP' : 'SIGKILL'),
  };
  const offs = Object.entries(passOn).map(([name, listener]) => cli.onSignal(name as SignalName, listener));
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) =>
        reject(new UsageError(`cannot start ${program}: ${describeSystemError(error)}`, { cause: error })),
      );
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const off of offs) off();
  }
}
