import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import type { JsonObject } from '../base/json.ts';
import { describeSystemError, UsageError } from './exit.ts';

/**
 * A parsed TOML file, or `undefined` when there is none.
 *
 * @throws UsageError when it cannot be read or is not TOML
 */
export async function readToml(path: string): Promise<JsonObject | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message is a drawing of the lines around the mistake; they may hold a secret.
    const [what] = error.message.split('\n');
    throw new UsageError(`${path}:${error.line}: ${what ?? 'not TOML'}`);
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}
