import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Port } from '@turnwire/bridge/internal/workers/channel';
import { UsageError } from './exit.ts';
import { portTo } from './process-port.ts';

/** Set for a process that is a worker of a bridge: its parent talks to it. */
export const WORKER_VARIABLE = 'WORKER_OF_TURNWIRE_BRIDGE';

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGTSTP' | 'SIGCONT';

export type InputStream = Readable & { readonly isTTY?: boolean };
/** `columns` and `rows`: of a terminal that tells its size. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Everything a command may know of the process it runs in; tests hand in their own. */
export interface CliContext {
  /** The arguments after `turnwire`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path: relative file arguments and `turnwire.toml` are looked up here. Fails with `UsageError` when it is gone. */
  readonly cwd: string;
  /** The home directory, where `~/.config` and `~/.codex` are. */
  readonly home: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** From now on the end of the process does not wait for the reader of stdout. */
  readonly leaveStdout?: (() => void) | undefined;
  /** The way to the process that started this one as a worker of a bridge. */
  readonly parent?: Port | undefined;
  /** Calls `listener` at every such signal until the returned function is called. */
  onSignal(signal: SignalName, listener: () => void): () => void;
}

/** The same process with another stderr. Its stdin is still only opened when asked for. */
export function withStderr(cli: CliContext, stderr: OutputStream): CliContext {
  const { args, env, home, stdout, parent, leaveStdout } = cli;
  return {
    args,
    parent,
    leaveStdout,
    env,
    get cwd() {
      return cli.cwd;
    },
    home,
    stdout,
    stderr,
    onSignal: (signal, listener) => cli.onSignal(signal, listener),
    get stdin() {
      return cli.stdin;
    },
  };
}

/** The context of a real process, with what its commands may ask of its end. */
export function contextOf(process: NodeJS.Process, { leaveStdout }: Pick<CliContext, 'leaveStdout'> = {}): CliContext {
  return {
    args: process.argv.slice(2),
    leaveStdout,
    env: process.env,
    parent: process.env[WORKER_VARIABLE] === undefined ? undefined : portTo(process),
    // A getter: it may be gone, which is no matter to a command that looks nothing up in it.
    get cwd() {
      return currentFolder(process);
    },
    home: homeOf(process.env.HOME),
    // A getter: opening stdin costs time, and a command that reads a file has no use for it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
  };
}

function currentFolder(process: NodeJS.Process): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new UsageError('the working directory is gone: change into another one, and try again', { cause: error });
  }
}

/** A `HOME` that is empty or relative would lead into the working directory, whose files are not the person's. */
function homeOf(variable: string | undefined): string {
  return variable !== undefined && isAbsolute(variable) ? variable : userInfo().homedir;
}
