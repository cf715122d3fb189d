import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import { HeadTail } from './head-tail.ts';
import { processPlatform } from './platform.ts';

/** From a friendly end (SIGTERM) to a hard one (SIGKILL). */
const KILL_AFTER_MS = 1500;
/** After the command itself ended: for output that is still in the pipe, or held open by something it left behind. */
const DRAIN_MS = 250;

const platform = processPlatform();

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
  /** The group also ends when this process is killed and can end nothing any more. Not on Windows. Default false. */
  readonly endWithParent?: boolean;
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
  let child: ChildProcess;
  try {
    child = start(options);
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
  return { end: await waitForEnd(child, options), output };
}

/**
 * Runs `"$@"` beside a watcher that reads from a pipe of ours to which nobody writes: its end means that we are gone.
 * The shell stays as the parent of both and reaps them, for in a container there often is nobody else to do so; it
 * outlives a SIGTERM, so that the command has its time to end.
 */
const LEASH = [
  'trap : TERM',
  '{ read -r _ <&3; kill -9 0; } >/dev/null 2>&1 & watcher=$!',
  'exec 4>&2 2>/dev/null', // What this shell itself has to say is not the command's output.
  '"$@" 2>&4 3<&- 4>&-',
  'code=$?',
  'kill -9 $watcher',
  'wait $watcher',
  'exit $code',
].join('\n');

function start(options: ProcessOptions): ChildProcess {
  const { argv, cwd, env } = options;
  const endWithParent = options.endWithParent === true && platform.isPosix;
  const [program, ...args] = endWithParent ? (['/bin/sh', '-c', LEASH, 'sh', ...argv] as const) : argv;
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...(endWithParent ? ['pipe' as const] : [])];
  const child = spawn(program, args, { cwd, env, stdio, ...platform.spawnOptions });
  child.stdio[3]?.on('error', () => undefined); // Destroyed at the end on purpose.
  return child;
}

async function waitForEnd(child: ChildProcess, options: ProcessOptions): Promise<ProcessEnd> {
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
    const end = await waitForExit(child);
    if (end.type !== 'not_started') await drained(child, clock);
    return reason === undefined ? end : { type: reason };
  } finally {
    timer.cancel();
    killTimer?.cancel();
    signal.removeEventListener('abort', onAbort);
    killGroup(child, 'SIGKILL');
    for (const stream of child.stdio) stream?.destroy();
  }
}

function waitForExit(child: ChildProcess): Promise<ProcessEnd> {
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
  const late = Promise.withResolvers<undefined>();
  const timer = clock.after(DRAIN_MS, () => late.resolve(undefined));
  await Promise.race([late.promise, Promise.all([endOfStream(child.stdout), endOfStream(child.stderr)])]);
  timer.cancel();
}

function endOfStream(stream: Readable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null || stream.readableEnded || stream.destroyed) resolve();
    else stream.once('close', resolve);
  });
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  const { pid, exitCode, signalCode } = child;
  if (pid !== undefined) platform.endTree({ pid, hasEnded: exitCode !== null || signalCode !== null }, signal);
}
