/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

/**
 * What a command is walled in by:
 * - `off`: nothing.
 * - `read-only`: it sees the folders of the session and the system's programs, writes nothing, and reaches no network.
 * - `workspace`: it also writes below the folders of the session and in a scratch folder.
 */
export type SandboxLevel = 'off' | 'read-only' | 'workspace';

/** How one command is walled in. */
export interface WrapOptions {
  /** What the command may do. */
  readonly level: SandboxLevel;
  /** Absolute, without symbolic links: where the command runs. May lie outside of the folders of the session. */
  readonly cwd: string;
}

/** The operating system's wall around commands, for the folders of one session. */
export interface Sandbox {
  /** For approved commands that do not ask to leave it. */
  readonly level: SandboxLevel;
  /**
   * Whether commands that nobody is asked about run at level `read-only`. False where no sandbox can be had and when
   * `level` is `off`.
   */
  readonly works: boolean;
  /** Why no sandbox can be had, in one line. */
  readonly problem?: string;
  /** The command line that runs `argv` at this level. As it is where `works` is false or the level is `off`. */
  wrap(argv: Argv, options: WrapOptions): Argv;
}

/** Commands run as they are. `problem`: why it has to be so; absent when it was asked for. */
export function noSandbox(problem?: string): Sandbox {
  return { level: 'off', works: false, ...(problem === undefined ? {} : { problem }), wrap: (argv) => argv };
}
