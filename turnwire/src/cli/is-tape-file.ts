import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CliContext } from './context.ts';

/** What a tape's first line begins with. */
const TAPE_START = /^\s*\{\s*"tape"\s*:/;

/** True when a file is a tape; one that cannot be read is none. */
export async function isTapeFile(path: string, cli: CliContext): Promise<boolean> {
  const file = await open(resolve(cli.cwd, path)).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return TAPE_START.test(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return false;
  } finally {
    await file.close();
  }
}
