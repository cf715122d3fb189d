import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ProtocolId } from '../packages/wire/src/index.ts';

const MAIN = join(import.meta.dirname, '..', 'turnwire', 'src', 'cli', 'main.ts');
const START_MS = 60_000;
const STOP_MS = 20_000;

/** A `turnwire bridge` that runs as a process of its own. Leaving the scope ends it, and fails if it did not end well. */
export interface BridgeProcess extends AsyncDisposable {
  /** What clients take as base URL, with `/v1`. */
  readonly baseUrl: string;
  /** The lines for Codex' `config.toml` that it printed. */
  readonly codexBlock: string;
  /** Its log so far: one object per line. */
  log(): readonly LogLine[];
}

export interface LogLine {
  readonly msg?: string;
  readonly route?: string;
  readonly outcome?: string;
  readonly [field: string]: unknown;
}

export interface BridgeFlags {
  readonly upstream: string;
  readonly wire: ProtocolId;
  readonly model?: string;
  /** Further flags. */
  readonly more?: readonly string[];
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts it on a free port and waits until it says that it listens; at most a minute. */
export async function startBridge({ upstream, wire, model, more = [] }: BridgeFlags): Promise<BridgeProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-bridge-'));
  const info = join(folder, 'server.json');
  const named = model === undefined ? [] : ['--model', model];
  const place = ['--port', '0', '--server-info', info, '--drain-timeout', '0', ...more];
  const child = spawn(process.execPath, [MAIN, 'bridge', '--upstream', upstream, '--wire', wire, ...named, ...place], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  try {
    await announced(child, said);
    const { url } = JSON.parse(await readFile(info, 'utf8')) as { readonly url: string };
    return {
      baseUrl: `${url}/v1`,
      codexBlock: codexBlockOf(said.stdout),
      log: () => logLines(said.stderr),
      [Symbol.asyncDispose]: () => stop(child, folder, said),
    };
  } catch (error) {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Resolves when the announcement is whole; rejects when the process ends before, or after a minute. */
function announced(child: Child, said: { stdout: string; readonly stderr: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`turnwire bridge ${why}\n${said.stdout}${said.stderr}`));
    const timer = setTimeout(() => fail('said nothing for a minute'), START_MS);
    child.once('error', reject);
    child.once('exit', (code) => fail(`ended with ${code ?? 'a signal'}`));
    child.once('exit', () => clearTimeout(timer));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
      if (!/^For other clients: .*\n/m.test(said.stdout)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function codexBlockOf(stdout: string): string {
  const block = /^For Codex, .*\n\n([^]*?\n)\nFor other clients/m.exec(stdout)?.[1];
  if (block === undefined) throw new Error(`turnwire bridge printed no block for Codex:\n${stdout}`);
  return block;
}

function logLines(stderr: string): readonly LogLine[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as LogLine);
}

async function stop(child: Child, folder: string, said: { readonly stderr: string }): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  try {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
  if (child.exitCode !== 0)
    throw new Error(`turnwire bridge ended with ${child.exitCode ?? 'a signal'}\n${said.stderr}`);
}
