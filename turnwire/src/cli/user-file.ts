import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';

/**
 * The text of a file that a flag names, relative to the working directory.
 *
 * @throws UsageError naming the flag and the file
 */
export async function readUserFile(path: string, flagName: string, cli: CliContext): Promise<string> {
  try {
    return await readFile(resolve(cli.cwd, path), 'utf8');
  } catch (error) {
    throw new UsageError(`${flagName}: cannot read ${path}: ${describeSystemError(error)}`);
  }
}

/** The value of a flag that is a text, or `@FILE`. */
export async function textOrFile(value: string, flagName: string, cli: CliContext): Promise<string> {
  return value.startsWith('@') ? await readUserFile(value.slice(1), flagName, cli) : value;
}
