/** What the kernel tells of a process, and processes that serve. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 15_000;

export interface Served {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

/** Microseconds of processor time that all threads of a process took so far. */
export function cpuUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((sum, ns) => sum + ns, 0) / 1000;
}

/** Resident memory of a process. */
export function rssKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** A file of this folder in a process of its own, which tells its port. */
export async function forkServer(file: string, args: readonly string[]): Promise<Served> {
  const child = fork(new URL(file, import.meta.url), [...args]);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { child, pid: child.pid ?? 0, port: message.port };
}

/** A program that is told its port, and does not tell when it listens. */
export async function spawnServer(command: string, args: readonly string[], port: number): Promise<Served> {
  const child = spawn(command, args, { stdio: 'ignore' });
  const until = performance.now() + START_MS;
  while (!(await listens(port))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`${command} does not listen`);
    await sleep(50);
  }
  return { child, pid: child.pid ?? 0, port };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function stop({ child }: Served): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
