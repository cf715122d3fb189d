import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noSandbox } from '../../packages/agent/src/sandbox/sandbox.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

/** Commands that are tried, a fifth of it with each hostile configuration; `TURNWIRE_FREE_COMMANDS=20000` for a long search. */
const RUNS = Number(process.env.TURNWIRE_FREE_COMMANDS ?? 75);
const SECRET = 'canary-of-the-outside';
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** A folder `work` full of traps beside things that nobody may read; `trap` is a program that leaves a mark. */
async function createWorld(): Promise<{ root: string; work: string; trap: string }> {
  const root = await temporaryFolder();
  const work = join(root, 'work');
  const trap = `touch ${root}/ran; false`;
  const executable = async (path: string): Promise<void> => {
    await writeFile(path, `#!/bin/sh\n${trap}\n`);
    await chmod(path, 0o755);
  };
  for (const folder of [
    'outside/in',
    'home',
    'work/src',
    'work/other',
    'work/links',
    'work/bin',
    'node_modules/.bin',
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const file of ['outside/secret', 'outside/in/f', 'secret']) await writeFile(join(root, file), `${SECRET}\n`);
  await writeFile(join(work, 'secret-list'), '../secret\0');
  for (const file of ['a.txt', 'src/f', 'other/f', 'other/k']) await writeFile(join(work, file), 'plain\nplain\n');
  git(work, 'init', '-q');
  git(work, 'add', 'a.txt', 'src', 'other');
  git(work, 'commit', '-qm', 'one');
  await appendFile(join(work, 'a.txt'), 'more\n');
  // Links whose names look like options, and links inside of folders that are walked through.
  for (const name of ['k', '-k', '-f', '-n', '-L', '--', '-rk', 'links/k'])
    await symlink(`${root}/secret`, join(work, name));
  await symlink(`${root}/outside`, join(work, 'links/in'));
  await symlink(`${root}/outside/in/f`, join(work, 'links/f'));
  // Repositories inside of it, one bare, whose configuration runs the trap; and a hook of its own.
  await mkdir(join(work, 'nested'));
  git(join(work, 'nested'), 'init', '-q');
  await cp(join(work, 'nested/.git'), join(work, 'bare'), { recursive: true });
  for (const folder of ['nested/.git', 'bare']) {
    await appendFile(join(work, folder, 'config'), `[core]\n\tworktree = ..\n\tfsmonitor = "${trap}"\n`);
  }
  await executable(join(work, '.git/hooks/post-index-change'));
  await writeFile(
    join(root, 'home/.gitconfig'),
    `[core]\n\tfsmonitor = "${trap}"\n[diff]\n\texternal = ${work}/bin/git\n`,
  );
  for (const name of ['ls', 'cat', 'git', 'grep', 'sort', 'trap']) {
    await executable(join(work, 'bin', name));
    await executable(join(root, 'node_modules/.bin', name));
  }
  return { root, work, trap };
}

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd, stdio: 'ignore' });
}

/** Everything below a folder: name, mode, time and content of each entry. */
async function snapshot(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      const info = await lstat(path);
      const content = info.isFile() ? await readFile(path) : info.isSymbolicLink() ? await readlink(path) : '';
      const time = info.isDirectory() ? '' : info.mtimeMs;
      return `${name} ${info.mode} ${time} ${createHash('sha1').update(content).digest('hex')}`;
    }),
  );
}

const programs = (
  'basename cat cmp comm cut date df diff dirname du echo egrep fgrep file find grep head id ls md5sum nl pwd ' +
  'readlink realpath rg sed seq sha256sum sort stat tail tr uname uniq wc which'
).split(' ');
const subcommands = 'blame branch describe diff log ls-files rev-parse shortlog show status'.split(' ');
const names = ['a.txt', 'src', 'src/f', 'other', 'links', 'nested', 'bare', 'k', '-k', '-f', '-', '--', './-k', '.'];
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names, '..', '../secret', 'links/k', 'links/in/f', 'new') },
  { weight: 2, arbitrary: fc.constantFrom('x', '.*', '', '1', '5', '1,20p', 'w new', 'HEAD', 'HEAD:k', 'HEAD~1') },
  { weight: 4, arbitrary: fc.stringMatching(/^-[a-zA-Z]{1,2}[kn1]?$/) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...'--output=new --outp=new --file=k --files0-from=secret-list --ext-diff --textconv --recursive -rN -L --dirty'.split(
        ' ',
      ),
      ...'--no-dereference --dereference --follow --pre=bin/trap --compress-program=bin/trap --check -p -1 -n'.split(
        ' ',
      ),
      ...'--submodule=diff --no-index --contents --cached --exclude-from=k -delete -exec -fprint -newer -name'.split(
        ' ',
      ),
    ),
  },
);
const argv = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...programs), fc.array(word, { maxLength: 4 })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...subcommands), fc.array(word, { maxLength: 3 }))
      .map(([name, args]) => ['git', [name, ...args]] as [string, string[]]),
  },
);
const plain = argv.map(([name, args]) => [name, ...args]);
const quoted = plain.map((words) => words.map((text) => `'${text}'`).join(' '));
const command = fc.oneof(
  plain,
  quoted,
  fc.tuple(quoted, fc.constantFrom(' | ', ' && ', '; ', ' || '), quoted).map((parts) => parts.join('')),
  quoted.map((line) => ['bash', '-lc', line]),
);
const folder = fc.constantFrom('.', '.', 'src', 'nested', 'bare', '.git');

interface Setting {
  readonly name: string;
  readonly prepare: (world: { root: string; work: string; trap: string }) => Promise<string>;
}

const settings: readonly Setting[] = [
  { name: 'its own repository', prepare: ({ work }) => Promise.resolve(work) },
  { name: 'a folder of a larger repository', prepare: ({ root, work }) => enclosed(root, work) },
  { name: 'a submodule with a hostile configuration', prepare: hostileSubmodule },
  ...[
    'core.fsmonitor',
    'diff.external',
    'diff.x.textconv',
    'diff.x.command',
    'filter.x.clean',
    'include.path',
    'core.worktree',
  ].map((key) => ({
    name: `a repository with ${key}`,
    prepare: async ({ root, work, trap }: { root: string; work: string; trap: string }) => {
      await writeFile(join(work, '.gitattributes'), '* diff=x filter=x\n');
      await writeFile(join(root, 'evil'), `[core]\n\tfsmonitor = "${trap}"\n`);
      git(work, 'config', key, key === 'include.path' ? `${root}/evil` : key === 'core.worktree' ? root : trap);
      return work;
    },
  })),
];

/** Git starts itself in submodules, where another configuration counts. */
async function hostileSubmodule({ root, work, trap }: { root: string; work: string; trap: string }): Promise<string> {
  await mkdir(join(root, 'library'));
  git(join(root, 'library'), 'init', '-q');
  git(join(root, 'library'), 'commit', '-q', '--allow-empty', '-m', 'one');
  git(work, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', join(root, 'library'), 'sub');
  git(work, 'commit', '-qm', 'two');
  git(join(work, 'sub'), 'config', 'core.fsmonitor', trap);
  git(work, 'config', '-f', '.gitmodules', 'submodule.sub.ignore', 'none');
  return work;
}

/** The secrets are in the history of the repository around the working directory. */
async function enclosed(root: string, work: string): Promise<string> {
  await writeFile(join(work, 'k2'), SECRET);
  git(work, 'add', 'k2');
  git(work, 'commit', '-qm', SECRET);
  expect(await readdir(root)).toContain('work');
  return join(work, 'src');
}

test.each(settings)(
  'nothing that runs unasked writes, runs a trap or reads outside: $name',
  { timeout: 600_000 },
  async ({ name, prepare }) => {
    const world = await createWorld();
    const { root, work, trap } = world;
    const cwd = await prepare(world);
    const env = {
      PATH: `${cwd}/bin:bin:.::${root}/node_modules/.bin:${SYSTEM_PATH}`,
      HOME: join(root, 'home'),
      GIT_EXTERNAL_DIFF: join(work, 'bin/trap'),
      GIT_DIR: join(work, 'bare'),
      RIPGREP_CONFIG_PATH: join(work, 'k'),
      'BASH_FUNC_ls%%': `() { ${trap}; }`,
      'BASH_FUNC_cat%%': `() { ${trap}; }`,
    };
    const tools = await createTools({ cwd, env, sandbox: { ...noSandbox(), works: true } });
    const shell = tools.find((tool) => tool.name === 'shell')!;
    await rm(join(root, 'ran'), { force: true }); // Git ran traps while the world was made.
    const before = await snapshot(root);
    let ran = 0;
    const check = async (value: object): Promise<void> => {
      const signal = new AbortController().signal;
      const plan = await shell.plan({ type: 'json', value }, { signal }).catch(() => undefined);
      if (plan === undefined || plan.approval !== undefined) return;
      ran += 1;
      const { output } = await plan.run({ signal, output: () => undefined });
      expect(output).not.toContain(SECRET);
      expect(await snapshot(root)).toEqual(before);
    };
    // What was a hole once comes first, in each of the worlds.
    for (const known of KNOWN) await check({ command: known, timeout_ms: 10_000 });
    for (const cwdOfTrap of ['nested', 'bare']) await check({ command: 'git status', cwd: cwdOfTrap });
    await fc.assert(
      fc.asyncProperty(command, folder, (tried, where) => check({ command: tried, cwd: where, timeout_ms: 10_000 })),
      { numRuns: name === 'its own repository' ? RUNS : Math.ceil(RUNS / 5) },
    );
    expect(ran).toBeGreaterThan(RUNS / 50);
  },
);

const KNOWN: readonly (string | readonly string[])[] = [
  'echo x | uniq - new',
  ['uniq', '-', 'a.txt'],
  'git status',
  'git diff',
  'git log -p -1',
  'git show HEAD:k2',
  'git blame a.txt',
  'ls',
  ['ls'],
  ['bash', '-lc', 'ls'],
  'cat -- -k',
  'head -n2 -- -k',
  'tail -n1 -- -k',
  'grep canary -- -k',
  'sort -- -k',
  'date -fk',
  'file -mk a.txt',
  'diff -rN links other',
  'diff links other',
  'grep -r canary links',
  'grep -fk a.txt',
  'git diff -Ok',
  'git ls-files -Xk',
  'git blame -Sk a.txt',
  'stat -Lk',
];
