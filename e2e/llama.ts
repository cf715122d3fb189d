import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/free-port.ts';

/** Two scripts beside the repository: one fetches llama-server and makes a tiny model, the other one starts it. */
const SCRIPTS = join(import.meta.dirname, '..', '..', 'shared', 'llama');

/** Fetching the server: 20 MB of packages. */
const SETUP_MS = 180_000;
/** The script gives up by itself before that. */
const START_MS = 90_000;
const HEALTH_MS = 30_000;
/** With a stream open the server takes until its next ping, up to 30 s. */
const STOP_MS = 40_000;

/** A llama-server to test with. */
export interface Llama {
  /** Without `/v1`. */
  readonly url: string;
  /** Ends it by its pid, if it was started here; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Why there is none. */
export interface NoLlama {
  readonly reason: string;
}

/**
 * The server that `LLAMA_URL` names; else one of its own on a free port, from the scripts of `../shared/llama` beside
 * the repository. A server that cannot be had is a reason; one that was had and does not come up is an error.
 */
export async function openLlama(): Promise<Llama | NoLlama> {
  const named = process.env.LLAMA_URL;
  if (named !== undefined && named !== '') {
    await healthy(named);
    return { url: named, stop: () => Promise.resolve() };
  }
  if (!existsSync(join(SCRIPTS, 'setup.sh')) || !existsSync(join(SCRIPTS, 'start.sh'))) {
    return { reason: 'no llama-server: LLAMA_URL names none, and there is no ../shared/llama beside the repository' };
  }
  const home = process.env.LLAMA_HOME ?? join(tmpdir(), 'llama');
  say(`setting llama-server up (the first time it fetches 20 MB)`);
  const setup = await script('setup.sh', { LLAMA_HOME: home }, SETUP_MS);
  if (setup.failed !== undefined) {
    return { reason: `no llama-server: setup.sh ${setup.failed}: ${lastLines(setup.stderr + setup.stdout)}` };
  }
  return start(home);
}

async function start(home: string): Promise<Llama> {
  const port = await freePort();
  // A tool call of the random model can be long; one that ran into the limit would fail Codex' turn.
  const started = await script('start.sh', { LLAMA_HOME: home, LLAMA_MAX: '8192', PORT: String(port) }, START_MS);
  if (started.failed !== undefined) {
    throw new Error(`llama-server: start.sh ${started.failed}: ${lastLines(started.stderr + started.stdout)}`);
  }
  const pid = Number(started.stdout.trim());
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new Error(`start.sh printed no pid: ${started.stdout}`);
  const onExit = (): void => void signal(pid, 'SIGKILL');
  process.once('exit', onExit);
  const stop = async (): Promise<void> => {
    await end(pid);
    process.off('exit', onExit);
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await healthy(url);
  } catch (error) {
    await stop();
    throw error;
  }
  say(`llama-server runs as ${pid} on ${url}`);
  return { url, stop };
}

interface Script {
  readonly stdout: string;
  readonly stderr: string;
  /** How it ended, when it did not end well. */
  readonly failed: string | undefined;
}

/** Runs one of the scripts; what it starts in the background lives on. What does not end in time is killed with it. */
async function script(name: string, env: Record<string, string>, ms: number): Promise<Script> {
  const child = spawn('sh', [join(SCRIPTS, name)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own
  });
  let [stdout, stderr, late] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
  }, ms);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (late) return { stdout, stderr, failed: `did not end within ${ms / 1000} s` };
    return { stdout, stderr, failed: code === 0 ? undefined : `ended with ${code ?? 'a signal'}` };
  } catch (error) {
    return { stdout, stderr, failed: `did not run (${String(error)})` };
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when `/health` says ok; else rejects with what it said last. */
async function healthy(url: string): Promise<void> {
  const deadline = Date.now() + HEALTH_MS;
  let seen = 'nothing';
  while (Date.now() < deadline) {
    try {
      const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(5000) });
      seen = `${response.status} ${(await response.text()).slice(0, 200)}`;
      if (response.ok) return;
    } catch (error) {
      seen = error instanceof Error ? `${error.message} (${String(error.cause)})` : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`llama-server at ${url} is not healthy after ${HEALTH_MS / 1000} s; seen last: ${seen}`);
}

async function end(pid: number): Promise<void> {
  const deadline = Date.now() + STOP_MS;
  signal(pid, 'SIGTERM');
  while (signal(pid, 0)) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** False when there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
