import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noSandbox } from '../../packages/agent/src/sandbox/sandbox.ts';
import type { ToolPlan } from '../../packages/agent/src/tool.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

const PATH = '/usr/bin:/bin';

/** A home with keys, a link to them, and a file that is nobody's secret. */
async function createHome(): Promise<string> {
  const home = await temporaryFolder();
  for (const folder of ['.ssh', '.config/turnwire', 'src']) await mkdir(join(home, folder), { recursive: true });
  await writeFile(join(home, '.ssh/id'), 'sesame\n');
  await writeFile(join(home, '.npmrc'), 'sesame\n');
  await writeFile(join(home, 'src/notes'), 'sesame\n');
  await symlink('.ssh', join(home, 'keys'));
  return home;
}

async function plan(cwd: string, home: string, name: string, value: object, works = false): Promise<ToolPlan> {
  const sandbox = { ...noSandbox(), works };
  const tools = await createTools({ cwd, env: { PATH, HOME: home }, sandbox });
  return tools
    .find((tool) => tool.name === name)!
    .plan({ type: 'json', value }, { signal: new AbortController().signal });
}

test.each([
  ['read_file', { path: '.ssh/id' }, '/.ssh/id is where keys may be kept'],
  ['read_file', { path: 'keys/id' }, '/.ssh/id is where keys may be kept'],
  ['read_file', { path: '.npmrc' }, '/.npmrc is where keys may be kept'],
  ['list_dir', { path: '.ssh' }, '/.ssh is where keys may be kept'],
  ['search', { path: 'keys', pattern: 'x' }, '/.ssh is where keys may be kept'],
  ['shell', { command: 'cat keys/id' }, '/.ssh/id, where keys may be kept'],
  ['shell', { command: 'ls', cwd: '.ssh' }, 'it runs where keys may be kept'],
])('in the home %s %j asks', async (name, value, reason) => {
  const home = await createHome();
  for (const works of [false, true]) {
    expect((await plan(home, home, name, value, works)).approval?.reason).toContain(reason);
  }
});

test.each(['grep -r sesame', 'grep -r sesame .', 'rg sesame', 'diff -r --no-dereference . src'])(
  'in the home "%s" is free where a sandbox hides the keys only',
  async (command) => {
    const home = await createHome();
    expect((await plan(home, home, 'shell', { command })).approval?.reason).toContain('where keys may be kept');
    expect((await plan(home, home, 'shell', { command }, true)).approval).toBeUndefined();
  },
);

test.each([
  ['read_file', { path: 'src/notes' }],
  ['list_dir', {}],
  ['search', { pattern: 'x' }],
  ['shell', { command: 'cat src/notes' }],
  ['shell', { command: 'grep sesame src/notes' }],
  ['shell', { command: 'grep -r x .', cwd: 'src' }],
])('the rest of the home is a working directory like others: %s %j', async (name, value) => {
  const home = await createHome();
  expect((await plan(home, home, name, value)).approval).toBeUndefined();
});

test('a search of the home passes the keys by', async () => {
  const home = await createHome();
  const search = await plan(home, home, 'search', { pattern: 'sesame' });
  const { output } = await search.run({ signal: new AbortController().signal, output: () => undefined });
  expect(output).toBe('src/notes:1:sesame');
});

test('who works where keys are kept may do so', async () => {
  const home = await createHome();
  const cwd = join(home, '.config/turnwire');
  expect((await plan(cwd, home, 'read_file', { path: 'config.toml' })).approval).toBeUndefined();
});

test('with / as the working directory, what the kernel tells of processes asks, and no command is free', async () => {
  const home = await createHome();
  const read = await plan('/', home, 'read_file', { path: '/proc/1/environ' });
  expect(read.approval?.reason).toBe('/proc/1/environ is where keys may be kept');
  const cat = await plan('/', home, 'shell', { command: 'cat /etc/hostname' });
  expect(cat.approval?.reason).toBe('the search path has no folder outside the working directory');
});
