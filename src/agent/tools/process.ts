import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { HeadTail } from './head-tail.ts';

/** From a friendly end (SIGTERM) to a hard one (SIGKILL). */
const KILL_AFTER_MS = 1500;
/** After the command itself ended: for output that is still in the pipe, or held open by something it left behind. */
const DRAIN_MS = 250;

export interface ProcessOptions {
  /** The program and its arguments; no shell is added. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Bytes kept of the output's start and of its end. */
  readonly headBytes: number;
  readonly tailBytes: number;
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

export type ProcessEnd =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'killed'; readonly signal: string }
  | { readonly type: 'timeout' }
  | { readonly type: 'aborted' }
  | { readonly type: 'not_started'; readonly message: string };

export interface ProcessResult {
  readonly end: ProcessEnd;
  /** stdout and stderr as they came. */
  readonly output: HeadTail;
}

/**
 * Runs a program in a process group of its own and waits for it. Ended by its exit, by `timeoutMs`, or by `signal`; in
 * each case nothing of its group lives on. Memory is bounded whatever it prints. Never rejects.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const output = new HeadTail(options.headBytes, options.tailBytes);
  if (options.signal.aborted) return { end: { type: 'aborted' }, output };
  const [program, ...args] = options.argv;
  let child: ChildProcess;
  try {
    // `detached` makes it the leader of a new group, so that everything it starts can be ended with it.
    child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    return { end: { type: 'not_started', message: String(error) }, output };
  }
  const read = (name: 'stdout' | 'stderr', stream: Readable | null): void => {
    stream?.on('data', (chunk: Buffer) => {
      output.append(chunk);
      options.onOutput?.(name, chunk);
    });
    stream?.on('error', () => undefined); // The pipe is destroyed at the end on purpose.
  };
  read('stdout', child.stdout);
  read('stderr', child.stderr);
  return { end: await endOf(child, options), output };
}

async function endOf(child: ChildProcess, options: ProcessOptions): Promise<ProcessEnd> {
  const { clock, signal, timeoutMs } = options;
  let reason: 'timeout' | 'aborted' | undefined;
  let killTimer: Timer | undefined;
  const stop = (why: 'timeout' | 'aborted'): void => {
    if (reason !== undefined) return;
    reason = why;
    killGroup(child, 'SIGTERM');
    killTimer = clock.after(KILL_AFTER_MS, () => killGroup(child, 'SIGKILL'));
  };
  const onAbort = (): void => stop('aborted');
  const timer = clock.after(timeoutMs, () => stop('timeout'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const end = await exitOf(child);
    if (end.type !== 'not_started') await drained(child, clock);
    return reason === undefined ? end : { type: reason };
  } finally {
    timer.cancel();
    killTimer?.cancel();
    signal.removeEventListener('abort', onAbort);
    killGroup(child, 'SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function exitOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ type: 'not_started', message: error.message });
    });
    child.once('exit', (code, signal) => {
      resolve(code === null ? { type: 'killed', signal: signal ?? 'unknown' } : { type: 'exited', code });
    });
  });
}

/** Waits until both pipes are at their end, at most `DRAIN_MS`. */
async function drained(child: ChildProcess, clock: Clock): Promise<void> {
  let timer: Timer | undefined;
  const closed = new Promise<void>((resolve) => {
    if (child.stdout?.closed === true && child.stderr?.closed === true) resolve();
    child.once('close', () => resolve());
    timer = clock.after(DRAIN_MS, resolve);
  });
  await closed;
  timer?.cancel();
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nothing of the group is left.
  }
}
