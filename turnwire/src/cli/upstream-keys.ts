import type { UpstreamKey, UpstreamOptions } from '@turnwire/bridge';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { ListFlag } from './flags.ts';

/** A variable with a key, and how many servers were named before it; a text comes from a variable, where nothing is before another. */
export type NamedKey = string | { readonly variable: string; readonly behind: number };

/** `--env-key`, which belongs to the `--upstream` before it. */
export class KeyFlag extends ListFlag {
  constructor(command: Command) {
    super(
      '--env-key <variable>',
      "environment variable with the key of the --upstream before it, or everybody's",
      'no key',
    );
    this.argParser((variable: string, before: readonly NamedKey[] | undefined) => {
      const upstreams: unknown = command.getOptionValue('upstream');
      return [...(before ?? []), { variable, behind: Array.isArray(upstreams) ? upstreams.length : 0 }];
    });
  }
}

/**
 * Servers with the keys that are theirs: a key belongs to the server before it. One alone, behind all servers or before them, is
 * everybody's, and so are several before all servers.
 */
export function withKeys(
  urls: readonly string[],
  named: readonly NamedKey[],
  cli: CliContext,
): readonly UpstreamOptions[] {
  if (named.length === 0) return urls.map((url) => ({ url }));
  const keys = named.map((one) => (typeof one === 'string' ? { variable: one, behind: 0 } : one));
  const isAll = ({ behind }: { readonly behind: number }): boolean =>
    behind === 0 || (keys.length === 1 && behind === urls.length);
  return urls.map((url, at) => {
    const own = keys.filter((key) => isAll(key) || key.behind === at + 1);
    return { url, keys: own.map(({ variable }) => keyFrom('--env-key', variable, `--env-key ${variable}`, cli)) };
  });
}

/** A key that is read anew for every request; that it is there is checked now. */
export function keyFrom(flagName: string, variable: string, source: string, cli: CliContext): UpstreamKey {
  if ((cli.env[variable] ?? '').trim() === '') throw unset(flagName, variable);
  return { key: () => cli.env[variable], source };
}

/** The secret in a variable that a flag names. @throws UsageError when it has none */
export function secretFrom(flagName: string, variable: string, cli: CliContext): string {
  const secret = (cli.env[variable] ?? '').trim();
  if (secret === '') throw unset(flagName, variable);
  return secret;
}

/** A flag names a variable that has no value. */
export function unset(flagName: string, variable: string): UsageError {
  return new UsageError(`${flagName}: the environment variable ${variable} is not set`);
}
