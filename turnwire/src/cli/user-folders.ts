import { isAbsolute, join } from 'node:path';
import type { CliContext } from './context.ts';

type Where = Pick<CliContext, 'env' | 'home'>;

/** The person's own configuration: `$XDG_CONFIG_HOME/turnwire`, else `~/.config/turnwire`. */
export function configFolder(cli: Where): string {
  return join(configHome(cli), 'turnwire');
}

/** What turnwire keeps between runs: `$XDG_STATE_HOME/turnwire`, else `~/.local/state/turnwire`. */
export function stateFolder(cli: Where): string {
  return join(xdg(cli.env.XDG_STATE_HOME, cli, '.local', 'state'), 'turnwire');
}

/** Codex' own: `$CODEX_HOME`, else `~/.codex`. */
export function codexFolder(cli: Where): string {
  return xdg(cli.env.CODEX_HOME, cli, '.codex');
}

/** Where programs keep the configuration of a person: `$XDG_CONFIG_HOME`, else `~/.config`. */
export function configHome(cli: Where): string {
  return xdg(cli.env.XDG_CONFIG_HOME, cli, '.config');
}

/**
 * XDG Base Directory Specification: a relative path is invalid and ignored. Taken as it is, it would lead into the
 * working directory, whose files are not the person's. The same goes for the variables of other programs.
 */
function xdg(value: string | undefined, { home }: Where, ...fallback: readonly string[]): string {
  return value !== undefined && isAbsolute(value) ? value : join(home, ...fallback);
}
