import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';

/** Ends at SIGTERM or Ctrl-C. */
export async function untilStopped(cli: CliContext): Promise<void> {
  const stops: (() => void)[] = [];
  await new Promise<void>((stopped) => {
    stops.push(cli.onSignal('SIGTERM', stopped), cli.onSignal('SIGINT', stopped));
  });
  for (const stop of stops) stop();
}

/** Where a server listens. */
interface ServerAddress {
  readonly port: number;
  readonly url: string;
  /** What clients take as base URL. */
  readonly baseUrl?: string;
}

/**
 * Writes where a server listens, as one line. The file appears with all of its content or not at all, so that a
 * waiting process may read it at once.
 *
 * @returns what takes the file away when the server has ended, unless another server has written it since
 * @throws UsageError when it cannot be written
 */
async function writeServerInfo(
  path: string,
  { port, url, baseUrl }: ServerAddress,
  cli: CliContext,
): Promise<() => Promise<void>> {
  const file = resolve(cli.cwd, path);
  const draft = `${file}.${process.pid}.tmp`;
  const line = `${JSON.stringify({ port, pid: process.pid, url, base_url: baseUrl })}\n`;
  try {
    await writeFile(draft, line, { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    throw new UsageError(`--server-info: cannot write ${path}: ${describeSystemError(error)}`);
  }
  return async () => {
    const found = await readFile(file, 'utf8').catch(() => undefined); // somebody took it away already
    if (found === line) await rm(file, { force: true });
  };
}

/** Runs with the file in place, when one is asked for; it is gone when this ends. */
export async function withServerInfo(
  path: string | undefined,
  address: ServerAddress,
  cli: CliContext,
  run: () => Promise<void>,
): Promise<void> {
  const remove = path === undefined ? undefined : await writeServerInfo(path, address, cli);
  try {
    await run();
  } finally {
    await remove?.();
  }
}

/** A failure to listen, as the user's to mend where it is; anything else is handed back as it came. */
export function cannotListen(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'ERR_SOCKET_BAD_PORT') return error;
  const why = code === 'ERR_SOCKET_BAD_PORT' ? 'ports end at 65535' : describeSystemError(error);
  return new UsageError(`cannot listen on port ${port}: ${why}`);
}
