import { isAbsolute } from 'node:path';
import { isOfNpm } from '../../sandbox/paths.ts';
import type { Workspace } from '../../workspace.ts';

/**
 * What a command that nobody is asked about gets of the environment. A variable may make a program run or read
 * something (`BASH_FUNC_ls%%`, `LD_PRELOAD`, `GIT_EXTERNAL_DIFF`, `RIPGREP_CONFIG_PATH`), so it gets no others.
 */
const KEPT = /^(HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|LOCALE_ARCHIVE|TZ|TMPDIR)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `PATH` without folders that the model may write to: a relative one, or one in the working directory. Nor those that npm
 * puts before the others, where a package of the project may have left an `ls`.
 */
export async function freeEnvironment(env: Environment, workspace: Workspace): Promise<Record<string, string>> {
  const kept: Record<string, string> = { PATH: (await safeFolders(env['PATH'] ?? '', workspace)).join(':') };
  for (const [name, value] of Object.entries(env)) if (value !== undefined && KEPT.test(name)) kept[name] = value;
  return kept;
}

async function safeFolders(path: string, workspace: Workspace): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const folder of path.split(':')) {
    // As it is written, too: a link in the working directory can be made to lead elsewhere.
    if (!isAbsolute(folder) || workspace.contains(folder) || isOfNpm(folder)) continue;
    const place = await workspace.locate(folder).catch(() => undefined);
    if (place === undefined || !workspace.contains(place.real)) folders.push(folder);
  }
  return folders;
}
