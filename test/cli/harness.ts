import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { CliContext, InputStream, SignalName } from '../../turnwire/src/cli/context.ts';
import { runCli } from '../../turnwire/src/cli/run.ts';
import { childEnv, createRunFolder } from '../run-folder.ts';

export const root = join(import.meta.dirname, '..', '..');
export const captures = join(root, 'test', 'captures');

/** A home folder without any configuration, where conversations may be kept. */
const home = createRunFolder('home');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliSetup {
  readonly stdin?: string | Uint8Array | InputStream;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly home?: string;
  /** Stdin, stdout and stderr are a terminal. */
  readonly tty?: boolean;
}

/** A command line that runs inside this process, with its own streams and signals. */
export interface RunningCli {
  readonly result: Promise<CliResult>;
  readonly stdout: PassThrough;
  /** What was printed so far. */
  printed(): { readonly stdout: string; readonly stderr: string };
  signal(name: SignalName): void;
  /** Resolves once stdout or stderr matches; the test's own timeout is the bound. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export function startInProcess(args: readonly string[], setup: CliSetup = {}): RunningCli {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  const collect = (name: keyof typeof printed) => (chunk: Buffer) => {
    printed[name] += chunk.toString('utf8');
    for (const watcher of watchers) watcher();
  };
  stdout.on('data', collect('stdout'));
  stderr.on('data', collect('stderr'));
  const listeners = new Set<{ readonly name: SignalName; readonly listener: () => void }>();
  const cli: CliContext = {
    args,
    env: setup.env ?? {},
    cwd: setup.cwd ?? captures,
    home: setup.home ?? home,
    stdin: Object.assign(streamOf(setup.stdin ?? ''), { isTTY: setup.tty === true }),
    stdout: Object.assign(stdout, { isTTY: setup.tty === true }),
    stderr: Object.assign(stderr, { isTTY: setup.tty === true }),
    onSignal: (name, listener) => {
      const entry = { name, listener };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
  };
  return {
    result: runCli(cli).then((code) => ({ code, ...printed })),
    stdout,
    printed: () => ({ ...printed }),
    signal: (name) => {
      for (const entry of [...listeners]) if (entry.name === name) entry.listener();
    },
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          const match = pattern.exec(printed.stdout) ?? pattern.exec(printed.stderr);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Runs a command line inside this process. */
export async function runInProcess(args: readonly string[], setup: CliSetup = {}): Promise<CliResult> {
  return await startInProcess(args, setup).result;
}

function streamOf(input: string | Uint8Array | InputStream): InputStream {
  if (input instanceof Readable) return input;
  return Readable.from([Buffer.from(input)], { objectMode: false });
}

/** The real executable, from source, as `npx turnwire` would start it in a clone. */
export function spawnCli(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = captures) {
  return spawn(process.execPath, [join(root, 'turnwire', 'src', 'cli', 'main.ts'), ...args], {
    cwd,
    env: { ...childEnv, HOME: home, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** What a spawned process printed, once it has ended. */
export async function resultOf(child: ReturnType<typeof spawnCli>): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  return await new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** JSON lines, parsed. */
export function linesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
