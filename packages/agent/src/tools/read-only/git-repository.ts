import { access, lstat, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dangerousSetting } from './git-config.ts';

/** Folders of a repository that no command on our list reads; other tools put links into them. */
const UNREAD = new Set(['annex', 'hooks', 'lfs', 'modules']);
/** A repository of more entries is not looked through: it asks. */
const MAX_ENTRIES = 50_000;

/**
 * Why git may not run unasked in this folder: it may where the root (a folder of the session) has a repository of its own,
 * the folder is in no other one, and nothing in it names a program or leads to another place.
 */
export async function objectionToRepository(
  folder: string,
  root: string,
  sandboxed: boolean,
): Promise<string | undefined> {
  const gitDir = join(root, '.git');
  const info = await lstat(gitDir).catch(() => undefined);
  if (info?.isDirectory() !== true) return `${root} has no repository of its own (a folder .git)`;
  for (let inner = folder; inner !== root; inner = dirname(inner)) {
    if (await isRepository(inner)) return `${inner} is another repository`;
  }
  // Git itself refuses those, for who may write to them may make it run programs (CVE-2022-24765).
  if (!sandboxed && info.uid !== process.getuid?.()) return 'its repository belongs to another user';
  return (await objectionToSettings(gitDir)) ?? (await leadElsewhere(gitDir));
}

/** Also a bare one, or the inside of a `.git`. */
async function isRepository(folder: string): Promise<boolean> {
  const has = (name: string): Promise<boolean> =>
    access(join(folder, name)).then(
      () => true,
      () => false,
    );
  return (await has('.git')) || ((await has('HEAD')) && (await has('objects')));
}

async function objectionToSettings(gitDir: string): Promise<string | undefined> {
  for (const name of ['config', 'config.worktree']) {
    // One that cannot be read is not there, or not for git either.
    const text = await readFile(join(gitDir, name), 'utf8').catch(() => '');
    const setting = dangerousSetting(text);
    if (setting !== undefined) return `the repository's configuration has ${setting}`;
  }
  return undefined;
}

/** Links, and the two files that name another repository, whose history would then be read. */
async function leadElsewhere(gitDir: string): Promise<string | undefined> {
  const pointers = [join(gitDir, 'commondir'), join(gitDir, 'objects', 'info', 'alternates')];
  const folders = [gitDir];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      entries += 1;
      if (entries > MAX_ENTRIES) return 'its repository is too large to look through';
      if (folder === gitDir && UNREAD.has(entry.name)) continue;
      if (entry.isSymbolicLink() || pointers.includes(path)) return `${path} may lead to another repository`;
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return undefined;
}
