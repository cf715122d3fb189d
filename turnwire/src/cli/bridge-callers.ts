import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { CallerOptions } from '@turnwire/bridge';
import {
  checkKeys,
  optional,
  requireTable,
  requireText,
  wholeNumber,
} from '@turnwire/client/internal/provider/config-fields';
import { withUsageErrors, type ConfigFile } from './config-file.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';
import { secretFrom } from './upstream-keys.ts';

const keys = ['token_env', 'token_file', 'requests_per_minute', 'tokens_per_minute', 'streams'] as const;

/** Longer than any token. */
const MAX_BYTES = 4096;
/** What others may do with a file. */
const OTHERS = 0o077;

/**
 * The callers of a bridge: `[callers.NAME]` of the person's own file.
 *
 * @throws UsageError for a table that cannot be used, a variable that is not set, a file that others can read
 */
export async function callersIn(file: ConfigFile | undefined, cli: CliContext): Promise<readonly CallerOptions[]> {
  if (file === undefined) return [];
  const tables = withUsageErrors(() => requireTable(file.toml.callers ?? {}, `${file.path}: callers`));
  return await Promise.all(
    Object.entries(tables).map(([name, table]) => parseCaller(name, table, `${file.path}: callers.${name}`, cli)),
  );
}

async function parseCaller(name: string, value: unknown, where: string, cli: CliContext): Promise<CallerOptions> {
  const { variable, path, ...limits } = withUsageErrors(() => {
    const table = requireTable(value, where);
    checkKeys(`${where}:`, table, keys);
    const count = (key: (typeof keys)[number]) => optional(wholeNumber({ min: 1 }))(table[key], `${where}.${key}`);
    return {
      variable: optional(requireText)(table.token_env, `${where}.token_env`),
      path: optional(requireText)(table.token_file, `${where}.token_file`),
      requestsPerMinute: count('requests_per_minute'),
      tokensPerMinute: count('tokens_per_minute'),
      maxStreams: count('streams'),
    };
  });
  if ((variable === undefined) === (path === undefined)) {
    throw new UsageError(`${where} wants either token_env or token_file: the token itself does not belong here`);
  }
  const token =
    path === undefined ? secretFrom(`${where}.token_env`, variable ?? '', cli) : await fromFile(where, path);
  return { name, token, ...withoutUndefined(limits) };
}

/** The first line of a file that its owner alone can read. */
async function fromFile(where: string, path: string): Promise<string> {
  const text = await readPrivate(path).catch((error: unknown) => {
    throw error instanceof UsageError ? error : new UsageError(`${where}.token_file: ${describeSystemError(error)}`);
  });
  const token = (text.split('\n', 1)[0] ?? '').trim();
  if (token === '') throw new UsageError(`${where}.token_file: ${path} is empty`);
  return token;
}

async function readPrivate(path: string): Promise<string> {
  // O_NONBLOCK: a named pipe without a writer would hold us up for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UsageError(`${path} is not a regular file`);
    if (process.platform !== 'win32' && (stat.mode & OTHERS) !== 0) {
      throw new UsageError(`${path} can be read by others: chmod 600 ${path}`);
    }
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function withoutUndefined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
