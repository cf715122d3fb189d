import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Who holds something: told by the name of an empty file, so that there is no half-written one. */
export interface Claim {
  readonly pid: number;
  /** When the process began, as the system counts; `0` where it does not tell. A pid is used again, both are not. */
  readonly start: string;
  readonly host: string;
}

/** How often this process claimed each of its files. */
const held = new Map<string, number>();

/** Held until `release` is called; or somebody else's, who left the file `path`. */
export type ClaimAnswer =
  | { readonly type: 'held'; readonly release: () => void }
  | { readonly type: 'in_use'; readonly by: Claim; readonly path: string };

/**
 * Makes this process the one that holds what `id` names, as files in `folder` tell it. A process may hold the same thing several times.
 *
 * Each process first leaves its own file, then looks for others: of two that come at the same time at least one sees
 * the other and steps back. Files of processes that are gone are taken away; their names are never used again.
 * Fails with the system's error.
 */
export async function claim(folder: string, id: string): Promise<ClaimAnswer> {
  const own = toFileName(id, {
    pid: process.pid,
    start: (await readProcessState(process.pid))?.start ?? '0',
    host: hostname(),
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const release = hold(join(folder, own));
  try {
    for (const name of await readdir(folder)) {
      if (name === own || !name.startsWith(`${id}.`)) continue;
      const path = join(folder, name);
      const by = parseClaim(name);
      if (by !== undefined && !(await isGone(by))) {
        release();
        return { type: 'in_use', by, path };
      }
      await rm(path, { force: true });
    }
    return { type: 'held', release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Where it runs, for people: `process 12 on db`. */
export function describeHolder({ pid, host }: Claim): string {
  return host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
}

/** At once, not in steps: another conversation of this process may claim and release the same thing. */
function hold(path: string): () => void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(path, '', { mode: 0o600 });
  held.set(path, (held.get(path) ?? 0) + 1);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    const left = (held.get(path) ?? 1) - 1;
    held.set(path, left);
    if (left > 0) return;
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/** A name that every system takes: without dots and with none of the characters that Windows or a shell reads in a way of its own. */
export function toFileName(id: string, { pid, start, host }: Claim): string {
  return `${id}.${pid}.${start}.${encodeURIComponent(host).replaceAll(/[.*'()!~]/g, toPercent)}`;
}

function toPercent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** `undefined` for another file's name. */
export function parseClaim(name: string): Claim | undefined {
  const [, pid, start, host] = /^[^.]+\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (start === undefined || host === undefined) return undefined;
  try {
    return { pid: Number(pid), start, host: decodeURIComponent(host) };
  } catch {
    return undefined;
  }
}

/** Of another machine's processes (a home on the network) we know nothing. */
async function isGone(claim: Claim): Promise<boolean> {
  if (claim.host !== hostname()) return false;
  try {
    process.kill(claim.pid, 0);
  } catch (error) {
    // Another failure is that of a process of another user, which may have the number of one of ours that is gone.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true;
  }
  const now = await readProcessState(claim.pid);
  return now !== undefined && (now.isDead || now.start !== claim.start);
}

/** From `/proc`; `undefined` where there is none. */
async function readProcessState(pid: number): Promise<{ start: string; isDead: boolean } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets, with anything in it.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const start = fields?.[19];
  return start === undefined ? undefined : { start, isDead: fields?.[0] === 'Z' || fields?.[0] === 'X' };
}
