import { rename, writeFile } from 'node:fs/promises';
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

/**
 * Writes where a server listens, as one line. The file appears with all of its content or not at all, so that a
 * waiting process may read it at once.
 *
 * @throws UsageError when it cannot be written
 */
export async function writeServerInfo(
  path: string,
  { port, url }: { readonly port: number; readonly url: string },
  cli: CliContext,
): Promise<void> {
  const file = resolve(cli.cwd, path);
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify({ port, pid: process.pid, url })}\n`, { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    throw new UsageError(`--server-info: cannot write ${path}: ${describeSystemError(error)}`);
  }
}

/** A failure to listen, as the user's to mend where it is; anything else is handed back as it came. */
export function cannotListen(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'ERR_SOCKET_BAD_PORT') return error;
  const why = code === 'ERR_SOCKET_BAD_PORT' ? 'ports end at 65535' : describeSystemError(error);
  return new UsageError(`cannot listen on port ${port}: ${why}`);
}
