import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a program left behind. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it works. */
  readonly cwd: string;
  /** All of its environment, beside `PATH`. */
  readonly env: Readonly<Record<string, string>>;
  /** It and all that it started is killed after so many milliseconds. Default 120 s. */
  readonly timeoutMs?: number | undefined;
}

/** Runs a program without standard input, in a process group of its own, until it ends or its time is over. */
export async function runProgram({ command, args, cwd, env, timeoutMs = 120_000 }: ProgramOptions): Promise<Ended> {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** A home and a working folder of a client under test. */
export interface ClientFolders {
  readonly home: string;
  readonly folder: string;
}

/** Makes both for the time of `use`. */
export async function withFolders<T>(name: string, use: (folders: ClientFolders) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), `turnwire-${name}-`));
  const folders = { home: join(root, 'home'), folder: join(root, 'work') };
  try {
    await mkdir(folders.home);
    await mkdir(folders.folder);
    return await use(folders);
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
