import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ErrorKind, ModelError } from '@turnwire/wire/internal/model/errors';

/** The exit codes of every command. */
export const exitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Wrong usage or configuration: one clear line for stderr, exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A server is not what a command needs: one line that says what to do about it, exit 1. */
export class ServerProblem extends Error {
  override readonly name = 'ServerProblem';
}

/** The reader of our stdout has gone (`| head`): the command ends quietly. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
  constructor() {
    super('stdout was closed');
  }
}

/** What a person can do about a failure; kinds where only the server's own message helps have no line. */
const remedies: Readonly<Partial<Record<ErrorKind, string>>> = {
  unauthorized: 'check the key: the provider names the environment variable it is read from (env_key, --env-key)',
  timeout: 'check the address, and whether the server runs there; docs/cli.md has the timeouts',
  stream_idle: 'look at the log of the server; docs/cli.md has the timeouts',
  stream_truncated: 'the server closed in the middle of its answer; try again',
  rate_limited: 'wait, then try again',
  server_overloaded: 'wait, then try again',
  server_error: 'try again; if it lasts, look at the log of the server',
  context_window_exceeded: 'the conversation is too long for this model: start a new one',
  quota_exceeded: 'the account has no credit left',
  incomplete: 'the answer was cut off by a limit; raise max_output_tokens of the provider',
  protocol: 'what answered is no model server of this wire: check the base URL and --wire',
};

/** The failure as one line: kind, the server's own message, and what to do. */
export function describeFailure(error: ModelError): string {
  const remedy = remedies[error.kind];
  const line = `${error.kind}: ${visible(error.message.replaceAll(/\s+/g, ' ').trim())}`;
  return remedy === undefined ? line : `${line} (${remedy})`;
}

/** What the operating system's error code means, for file errors in one clear line. */
export function describeSystemError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'EADDRINUSE':
      return 'the port is in use';
    default:
      return thrownText(error);
  }
}
