import { delimiter } from 'node:path';
import { trustedFolders } from '../../sandbox/paths.ts';
import type { Workspace } from '../../workspace.ts';

/**
 * What a command that nobody is asked about gets of the environment. A variable may make a program run or read
 * something (`BASH_FUNC_ls%%`, `LD_PRELOAD`, `GIT_EXTERNAL_DIFF`, `RIPGREP_CONFIG_PATH`), so it gets no others.
 */
const KEPT = /^(HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|LOCALE_ARCHIVE|TZ|TMPDIR)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** `PATH` has no folder that the model or the project may write to. */
export function freeEnvironment(env: Environment, workspace: Workspace): Record<string, string> {
  const kept: Record<string, string> = { PATH: trustedFolders(env['PATH'], workspace.roots).join(delimiter) };
  for (const [name, value] of Object.entries(env)) if (value !== undefined && KEPT.test(name)) kept[name] = value;
  return kept;
}
