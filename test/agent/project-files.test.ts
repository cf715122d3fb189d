import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createTools, listProjectFiles, noSandbox } from '../../packages/agent/src/index.ts';
import { temporaryFolder } from './helpers.ts';

async function project(files: Record<string, string>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

const list = (cwd: string, maxFiles = 1000): Promise<readonly string[]> =>
  listProjectFiles(cwd, { maxFiles, signal: new AbortController().signal });

/** What git says of the same folder. */
function ofGit(cwd: string): string[] {
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' };
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', args, { cwd, env, encoding: 'utf8' }).trim().split('\n').toSorted();
}

const ignored = {
  '.gitignore': '\ufeff# build\n/out/\n*.log\n!keep.log\nsecret?.txt\r\n**/gen/*.ts\ndoc/*.pdf\n\\#odd\nspace\\ \n',
  '.git/info/exclude': 'mine.*\n',
  'out/a': '',
  'src/out/a': '',
  'a.log': '',
  'A.LOG': '',
  'keep.log': '',
  'src/b.log': '',
  'secret1.txt': '',
  'secret10.txt': '',
  'gen/a.ts': '',
  'src/gen/b.ts': '',
  'src/gen/b.js': '',
  'doc/a.pdf': '',
  'doc/in/a.pdf': '',
  '#odd': '',
  'mine.txt': '',
  'src/mine.md': '',
  'Über/Größe.md': '',
  'sub/.gitignore': '*\n!.gitignore\n!b.log\n!deep/\n',
  'sub/a': '',
  'sub/b.log': '',
  'sub/deep/c': '',
  'sub/deep/b.log': '',
  'odd/.gitignore': 'a b\n!(x)\n[ab].c\n',
  'odd/a b': '',
  'odd/a.c': '',
  'odd/c.c': '',
};

test('as git has it: nested files, negations, the exclude file', async () => {
  const cwd = await project(ignored);
  const config = '[core]\n\trepositoryformatversion = 0\n\tquotepath = false\n';
  await writeFile(join(cwd, '.git/config'), config);
  await writeFile(join(cwd, '.git/HEAD'), 'ref: refs/heads/main\n');
  for (const folder of ['objects', 'refs']) await mkdir(join(cwd, '.git', folder));
  expect((await list(cwd)).toSorted()).toEqual(ofGit(cwd));
  expect((await list(join(cwd, 'src'))).toSorted()).toEqual(ofGit(join(cwd, 'src')));
  expect((await list(join(cwd, 'sub'))).toSorted()).toEqual(ofGit(join(cwd, 'sub')));
  // Asked for by its name.
  expect(await list(join(cwd, 'out'))).toEqual(['a']);
});

test('near files come first, links are not followed, and the number has a bound', async () => {
  const cwd = await project({ 'b/c/d': '', 'b/a': '', z: '', 'node_modules/x/y': '', '.github/w.yml': '' });
  await symlink('b', join(cwd, 'link'));
  expect(await list(cwd)).toEqual(['z', '.github/w.yml', 'b/a', 'b/c/d']);
  expect(await list(cwd, 2)).toEqual(['z', '.github/w.yml']);
  const aborted = AbortSignal.abort();
  expect(await listProjectFiles(cwd, { maxFiles: 10, signal: aborted })).toEqual([]);
});

test('patterns of a stranger take no time, and no link is read as a list of them', async () => {
  const cwd = await project({
    '.gitignore': `${'*a'.repeat(30)}b\n`,
    ['a'.repeat(200)]: '',
    'x.log': '',
    else: '*.log\n',
  });
  await mkdir(join(cwd, 'sub'));
  await symlink('../else', join(cwd, 'sub/.gitignore'));
  await writeFile(join(cwd, 'sub/y.log'), '');
  const begun = process.cpuUsage().user;
  expect(await list(cwd)).toEqual(['.gitignore', 'a'.repeat(200), 'else', 'x.log', 'sub/y.log']);
  expect(process.cpuUsage().user - begun).toBeLessThan(1_000_000);
});

test('search leaves out the same, unless it is asked for by its name', async () => {
  const cwd = await project({
    '.gitignore': 'out/\n',
    'out/a': 'needle\n',
    'src/a': 'needle\n',
    '.github/w': 'needle\n',
  });
  const tools = await createTools({ cwd, select: 'read', sandbox: noSandbox(), env: { PATH: '' } });
  const search = async (path?: string): Promise<string> => {
    const value = { pattern: 'needle', ...(path === undefined ? {} : { path }) };
    const signal = new AbortController().signal;
    const plan = await tools.find(({ name }) => name === 'search')?.plan({ type: 'json', value }, { signal });
    return (await plan?.run({ signal, output: () => undefined }))?.output ?? '';
  };
  expect(await search()).toBe('.github/w:1:needle\nsrc/a:1:needle');
  expect(await search('out')).toBe('out/a:1:needle');
});
