import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { ConfigError } from '@turnwire/client/internal/provider/config-fields';
import { parseProviders, type ProviderFile } from '@turnwire/client/internal/provider/provider-file';
import { describeSystemError, UsageError } from './exit.ts';

/** A configuration file as it was read, once. */
export interface ConfigFile {
  /** What messages call it. */
  readonly path: string;
  readonly dialect: 'turnwire' | 'codex';
  readonly toml: JsonObject;
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
  /** Of a project's file: the folder that it is in, and that its programs are started in. */
  readonly projectFolder?: string;
}

/** Far more than any configuration needs. */
const MAX_BYTES = 1024 * 1024;

/**
 * A parsed TOML file, or `undefined` when there is none. A project's file is not read through a symbolic link.
 *
 * @throws UsageError when it cannot be read or is not TOML
 */
export async function readConfigFile(
  path: string,
  about: Pick<ConfigFile, 'dialect' | 'projectFolder'>,
): Promise<ConfigFile | undefined> {
  const bytes = await readBytes(path, about.projectFolder !== undefined);
  if (bytes === undefined) return undefined;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, ...about, toml: parseToml(path, new TextDecoder().decode(bytes)), sha256 };
}

/** Top-level keys that are not about providers. */
const otherKeys = ['mcp_servers', 'models', 'callers', 'project_doc_max_bytes', 'fetch_private_hosts'];

/**
 * The providers of a file.
 *
 * @throws UsageError with one line for the first key that cannot be used
 */
export function providersIn({ path, dialect, toml }: ConfigFile): ProviderFile {
  return withUsageErrors(() => parseProviders(toml, { file: path, dialect, otherKeys }));
}

/** Wrong configuration is wrong usage: exit 2, with its one line. */
export function withUsageErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function parseToml(path: string, text: string): JsonObject {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message is a drawing of the lines around the mistake; they may hold a secret.
    const [what] = error.message.split('\n');
    throw new UsageError(`${path}:${error.line}: ${what ?? 'not TOML'}`);
  }
}

async function readBytes(path: string, refuseLinks: boolean): Promise<Buffer | undefined> {
  // O_NONBLOCK: a named pipe without a writer would hold us up for ever.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (refuseLinks ? constants.O_NOFOLLOW : 0);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, flags);
    return await readBounded(handle);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    const why = code === 'ELOOP' ? 'it is a symbolic link' : describeSystemError(error);
    throw new UsageError(`cannot read ${path}: ${why}`);
  } finally {
    await handle?.close();
  }
}

async function readBounded(handle: FileHandle): Promise<Buffer> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new Error(stat.isDirectory() ? 'it is a directory' : 'it is not a regular file');
  const chunks: Buffer[] = [];
  for await (const chunk of handle.createReadStream({ end: MAX_BYTES, autoClose: false })) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
  return bytes;
}
