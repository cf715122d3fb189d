import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { childEnv } from '../run-folder.ts';

const MAIN = new URL('../../turnwire/src/cli/main.ts', import.meta.url).pathname;

/** `turnwire bridge` in a process of its own. */
export interface Command {
  readonly child: ChildProcess;
  readonly url: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts one on a free port; settles when it listens, and rejects with its stderr when it ends before. */
export async function startCommand(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin?: string,
): Promise<Command> {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-bridge-'));
  const info = join(folder, 'info.json');
  const child = spawn(process.execPath, [MAIN, 'bridge', '--port', '0', '--server-info', info, ...args], {
    env: { ...childEnv, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  child.stdin.end(stdin ?? '');
  const exit = once(child, 'exit') as Promise<[number | null]>;
  while (!stdout.includes('OPENAI_BASE_URL')) {
    const [chunk] = (await Promise.race([
      once(child.stdout, 'data'),
      exit.then(() => Promise.reject(new Error(stderr))),
    ])) as [Buffer];
    stdout += String(chunk);
  }
  const { url, pid, port } = JSON.parse(readFileSync(info, 'utf8')) as { url: string; pid: number; port: number };
  expect([pid, url]).toEqual([child.pid, `http://127.0.0.1:${port}`]);
  rmSync(folder, { recursive: true });
  return {
    child,
    url,
    stdout: () => stdout,
    stderr: () => stderr,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return (await exit)[0];
    },
  };
}
