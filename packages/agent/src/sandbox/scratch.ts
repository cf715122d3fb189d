import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One folder for temporary files of commands, made when it is first asked for, and taken away when the process exits. */
export class Scratch {
  #folder: string | undefined;

  /** Its path, without symbolic links. Fails when the system's folder for temporary files cannot be written. */
  get folder(): string {
    this.#folder ??= createFolder();
    return this.#folder;
  }
}

const folders = new Set<string>();

function createFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'turnwire-')));
  // One listener for all: a program may make many agents.
  if (folders.size === 0) process.once('exit', removeAll);
  folders.add(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // At the end of a process there is nobody to tell; the system clears this folder from time to time.
    }
  }
}
