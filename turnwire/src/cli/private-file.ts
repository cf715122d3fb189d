import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { claim, describeHolder } from '@turnwire/agent/internal/process/claim';
import { randomFraction, randomHex } from '@turnwire/client/internal/platform/random';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import type { Clock } from '@turnwire/wire/internal/base/clock';

/** A change takes milliseconds: who is waited for longer does not run, or not well. */
const PATIENCE_MS = 5000;

/** The last change of each file that this process makes or waits for. */
const changes = new Map<string, Promise<void>>();

/**
 * Writes what `next` makes of a file that only the person may read, and that it reads itself: no other turnwire changes the file
 * meanwhile, so that of two changes at once none is lost. Fails with the system's error, and after five seconds with one line that says
 * who holds the file.
 */
export async function changePrivateFile(
  path: string,
  next: () => Promise<string>,
  clock: Clock = systemClock,
): Promise<void> {
  // A claim holds off other processes alone.
  const change = (changes.get(path) ?? Promise.resolve()).then(() => changeAlone(path, next, clock));
  const settled = change.catch(() => undefined);
  changes.set(path, settled);
  try {
    await change;
  } finally {
    if (changes.get(path) === settled) changes.delete(path);
  }
}

async function changeAlone(path: string, next: () => Promise<string>, clock: Clock): Promise<void> {
  const release = await lock(path, clock);
  try {
    await writePrivateFile(path, await next());
  } finally {
    release();
  }
}

async function lock(path: string, clock: Clock): Promise<() => void> {
  const end = clock.now() + PATIENCE_MS;
  for (;;) {
    const answer = await claim(join(dirname(path), 'locks'), basename(path, '.json'));
    if (answer.type === 'held') return answer.release;
    if (clock.now() >= end)
      throw new Error(
        `${path} is being changed by another turnwire (${describeHolder(answer.by)}); if it does not run any more, delete ${answer.path}`,
      );
    // Two that stepped back from each other do not come again at the same time.
    await wait(clock, 5 + 45 * randomFraction());
  }
}

/** Whole or not at all: another turnwire may read it now. */
async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomHex(16)}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
