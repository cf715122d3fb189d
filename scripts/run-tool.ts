import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The repository's folder. */
export const root = join(import.meta.dirname, '..');

export interface ToolOptions {
  /** Default: the repository. */
  readonly cwd?: string;
  readonly input?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: five minutes. */
  readonly timeoutMs?: number;
}

export interface ToolResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 300_000;

/** The environment of every tool: programs of the development dependencies first, above all their Node. */
export const toolEnv = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
};

/** Runs a program to its end and keeps what it printed. */
export function runTool(command: string, args: readonly string[], options: ToolOptions = {}): ToolResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    input: options.input ?? '',
    env: { ...toolEnv, ...options.env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: options.timeoutMs ?? TIMEOUT_MS,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** Like {@link runTool}, for what has to succeed: shows the output and ends the script when it does not. */
export function mustRun(command: string, args: readonly string[], options: ToolOptions = {}): string {
  const result = runTool(command, args, options);
  if (result.status === 0) return result.stdout;
  process.stderr.write(result.stdout + result.stderr);
  fail(`${command} ${args.join(' ')} exited with ${result.status}`);
}

/** Ends the script with one line. */
export function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
