import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that lasts as long as the run: for helpers, which several test files share. */
export function createRunFolder(name: string): string {
  return mkdtempSync(join(process.env.TURNWIRE_RUN_FOLDER ?? tmpdir(), `${name}-`));
}

/** The least that a process needs which a test starts: programs are found, and what Node compiled before is used again. */
export const childEnv = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
