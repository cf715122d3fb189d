import type { Command } from 'commander';
import type { BridgeOptions } from '@turnwire/bridge';
import { readHttpAddress } from '@turnwire/client/internal/platform/http-address';
import { looksSecret } from '@turnwire/client/internal/platform/secret-text';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { flag } from './flags.ts';
import { unset } from './upstream-keys.ts';

/** The engine behind the web search of Codex, as given on the command line. */
export interface SearchFlags {
  readonly searchUrl?: string;
  readonly searchKeyEnv?: string;
}

export function addSearchFlags(command: Command): Command {
  return command
    .addOption(
      flag('--search-url <url>', 'SearXNG, or https://api.search.brave.com, for the web search of Codex', 'none'),
    )
    .addOption(flag('--search-key-env <variable>', "environment variable with the search engine's key", 'none'));
}

/** @throws UsageError for an address that is none, a key in it, an unset variable */
export function searchOf({ searchUrl, searchKeyEnv: variable }: SearchFlags, cli: CliContext): Partial<BridgeOptions> {
  if (searchUrl === undefined) {
    if (variable !== undefined) throw new UsageError('--search-key-env is for the engine of --search-url');
    return {};
  }
  const address = readHttpAddress(searchUrl);
  if ('wrong' in address) throw new UsageError(`--search-url ${address.wrong}`);
  const { text: url } = address;
  if (looksSecret(url))
    throw new UsageError('--search-url must not hold a key: name its variable with --search-key-env');
  if (variable === undefined) return { search: { url } };
  if ((cli.env[variable] ?? '').trim() === '') throw unset('--search-key-env', variable);
  return { search: { url, key: () => cli.env[variable]?.trim() } };
}
