import { mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTools, noSandbox, openSandbox, type ToolPlan } from '../../packages/agent/src/index.ts';
import { instructionsFor } from '../../packages/agent/src/instructions.ts';
import { openRoots } from '../../packages/agent/src/sandbox/roots.ts';
import { Workspace } from '../../packages/agent/src/workspace.ts';
import { temporaryFolder } from './helpers.ts';
import { needSandbox } from './sandbox-support.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';

/** A home with a key, a project and a library in it, and links that lead out of both. */
async function somewhere() {
  const home = await realpath(await temporaryFolder());
  const [cwd, library, other] = [join(home, 'project'), join(home, 'library'), join(home, 'other')];
  for (const folder of [cwd, join(library, '.git', 'hooks'), join(library, 'src'), other, join(home, '.ssh')])
    await mkdir(folder, { recursive: true });
  await writeFile(join(library, 'src', 'a.txt'), 'of the library\n');
  await writeFile(join(other, 'b.txt'), 'of nobody\n');
  await writeFile(join(home, '.ssh', 'id'), 'sesame\n');
  await symlink(other, join(library, 'out'));
  await symlink(library, join(cwd, 'in'));
  await symlink(other, join(cwd, 'away'));
  return { home, cwd, library, other };
}

type Places = Awaited<ReturnType<typeof somewhere>>;

async function planOf({ cwd, library, home }: Places, name: string, args: object, sandbox = noSandbox()) {
  const tools = await createTools({ cwd, additionalDirectories: [library], env: { PATH, HOME: home }, sandbox });
  const tool = tools.find((one) => one.name === name)!;
  return tool.plan({ type: 'json', value: args }, { signal: new AbortController().signal });
}

function run(plan: ToolPlan) {
  return plan.run({ signal: new AbortController().signal, output: () => undefined });
}

test('a path counts by where it leads, whichever folder of the session it is written in', async () => {
  const { home, cwd, library } = await somewhere();
  const secrets = [join(home, '.ssh')];
  const places = async (additionalDirectories: string[], paths: string[]) => {
    const workspace = await Workspace.open(cwd, { additionalDirectories, secrets });
    return Promise.all(paths.map(async (path) => (await workspace.locate(path)).where));
  };
  const paths = [
    'new.txt',
    'in/src/a.txt',
    '../library/src/a.txt',
    join(library, 'new', 'c.txt'),
    join(library, 'out', 'b.txt'),
    join(library, '..', 'other', 'b.txt'),
    `${library}-2/a.txt`,
    'away/b.txt',
    '../.ssh/id',
  ];
  const [yes, no] = ['in the working directories', 'outside the working directories'];
  expect(await places([library], paths)).toEqual([yes, yes, yes, yes, no, no, no, no, no]);
  expect((await places([], paths)).slice(1, 3)).toEqual(Array(2).fill('outside the working directory'));
  // Keys stay closed in a folder that contains them.
  expect(await places([home], ['away/b.txt', '../.ssh/id', 'new.txt'])).toEqual([yes, 'where keys may be kept', yes]);
  // The working directory may lie there; what is beside it does not open with the home.
  const hidden = join(home, '.ssh', 'work');
  await mkdir(hidden);
  const workspace = await Workspace.open(hidden, { additionalDirectories: [home], secrets });
  const inside = ['new.txt', '../id', '../../other/b.txt'].map(async (path) => (await workspace.locate(path)).inside);
  expect(await Promise.all(inside)).toEqual([true, false, true]);
});

test.each<[string, (places: Places) => string | Promise<string>, string]>([
  ['not absolute', () => 'library', 'it is not an absolute path'],
  ['gone', ({ home }) => join(home, 'gone'), 'it does not exist'],
  ['a file', ({ library }) => join(library, 'src', 'a.txt'), 'it is no folder'],
  ['where keys are kept', ({ home }) => join(home, '.ssh'), 'keys may be kept there'],
  ['of the kernel', () => '/proc', 'keys may be kept there'],
  ['a link to keys', ({ home }) => symlink(join(home, '.ssh'), join(home, 'k')).then(() => `${home}/k`), 'keys may'],
  ['a link in the project', ({ cwd }) => join(cwd, 'away'), 'it leads out of'],
  ['behind a link in the project', ({ cwd }) => join(cwd, 'in', 'src'), 'it leads out of'],
])('a folder that is %s is no additional one, and the error names it', async (_, choose, why) => {
  const places = await somewhere();
  const path = await choose(places);
  const opened = openRoots({ ...places, additionalDirectories: [path], secrets: [join(places.home, '.ssh')] });
  await expect(opened).rejects.toThrow(`the additional directory ${JSON.stringify(path)} cannot be used: ${why}`);
});

test('one that another one leads out to by a link is none, in any order; long lists are none', async () => {
  const { cwd, library } = await somewhere();
  for (const additionalDirectories of [
    [library, join(library, 'out')],
    [join(library, 'out'), library],
  ])
    await expect(openRoots({ cwd, additionalDirectories, secrets: [] })).rejects.toThrow(`it leads out of ${library}`);
  await expect(openRoots({ cwd, additionalDirectories: Array(500).fill(library), secrets: [] })).rejects.toThrow(
    'longer than 4096 characters',
  );
  expect(await openRoots({ cwd, additionalDirectories: [library, join(library, 'src')], secrets: [] })).toEqual([
    cwd,
    library,
    join(library, 'src'),
  ]);
});

test('tools look there unasked, patches say nothing of outside, and what leads out of it is asked for', async () => {
  const places = await somewhere();
  const { library, other } = places;
  const reading = await planOf(places, 'read_file', { path: join(library, 'src', 'a.txt') });
  expect(reading.approval).toBeUndefined();
  expect((await run(reading)).output).toContain('of the library');
  const found = await planOf(places, 'search', { pattern: 'of', path: library });
  expect(found.approval).toBeUndefined();
  expect((await run(found)).output).toBe(`${join(library, 'src', 'a.txt')}:1:of the library`);
  expect((await planOf(places, 'read_file', { path: join(library, 'out', 'b.txt') })).approval?.reason).toBe(
    `${join(other, 'b.txt')} is outside the working directories`,
  );
  const patch = (path: string) =>
    planOf(places, 'apply_patch', { input: `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch` });
  const writing = await patch(join(library, 'new.txt'));
  expect(writing.approval?.reason).toBe('it writes a file');
  await run(writing);
  expect(await readFile(join(library, 'new.txt'), 'utf8')).toBe('x\n');
  expect((await patch(join(library, 'out', 'new.txt'))).approval?.reason).toContain('outside the working directories');
});

test('a command runs there unasked under the same rules; git by the repository of that folder', async () => {
  const places = await somewhere();
  const { library } = places;
  const reasonOf = async (command: string, cwd = library) =>
    (await planOf(places, 'shell', { command, cwd })).approval?.reason;
  expect(await reasonOf('cat src/a.txt')).toBeUndefined();
  expect(await reasonOf(`cat ${library}/src/a.txt`, places.cwd)).toBeUndefined();
  expect(await reasonOf('cat out/b.txt')).toContain('outside the working directories');
  expect(await reasonOf('cat ../../other/b.txt', join(library, 'src'))).toContain('it may read');
  expect(await reasonOf('git log', join(library, 'src'))).toBeUndefined();
  expect(await reasonOf('git log', places.cwd)).toContain(`${places.cwd} has no repository of its own`);
  await writeFile(join(library, '.git', 'config'), '[core]\n\tfsmonitor = ./evil\n');
  expect(await reasonOf('git log', join(library, 'src'))).toContain('configuration has core.fsmonitor');
});

test('a program of such a folder never runs unasked', async () => {
  const { cwd, library, home } = await somewhere();
  const bin = join(library, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'cat'), '#!/bin/sh\necho planted\n', { mode: 0o755 });
  const env = { PATH: `${bin}:${PATH}`, HOME: home };
  const tools = await createTools({ cwd, additionalDirectories: [library], env, sandbox: noSandbox() });
  const shell = tools.find((tool) => tool.name === 'shell')!;
  const { signal } = new AbortController();
  const plan = await shell.plan({ type: 'json', value: { command: ['cat', `${library}/src/a.txt`] } }, { signal });
  expect(plan.approval).toBeUndefined();
  expect((await run(plan)).output).toBe('exit code 0\nof the library\n');
});

describe('in the sandbox', () => {
  test('a command sees and writes there, and neither the hooks of its repository nor what is beside it', async ({
    skip,
  }) => {
    await needSandbox(skip);
    const places = await somewhere();
    const { cwd, library, home } = places;
    const sandbox = await openSandbox({ cwd, additionalDirectories: [library], env: { PATH, HOME: home } });
    const command = [
      `echo new > ${library}/new.txt`,
      `cat ${library}/src/a.txt ${library}/out/b.txt ${home}/.ssh/id`,
      `echo x > ${library}/.git/hooks/pre-commit`,
    ].join('\n');
    const { output } = await run(await planOf(places, 'shell', { command }, sandbox));
    expect(output).toContain('of the library');
    expect(output).toMatch(/pre-commit: Read-only file system/);
    expect(output).not.toMatch(/of nobody|sesame/);
    expect(await readFile(join(library, 'new.txt'), 'utf8')).toBe('new\n');
    const reading = await planOf(places, 'shell', { command: `cat ${library}/src/a.txt` }, sandbox);
    expect(reading).toMatchObject({ sandbox: 'read-only' });
    expect((await run(reading)).output).toBe('exit code 0\nof the library\n');
  });
});

test('the model is told of them, beside whatever its instructions are, and nothing without tools', () => {
  const text = (more: object) =>
    instructionsFor({
      cwd: '/a',
      additionalDirectories: ['/b', '/c\nd'],
      tools: 'read',
      text: 'Be kind.',
      docs: [],
      ...more,
    });
  expect(text({})).toBe(
    'Be kind.\n\nThese folders belong to the work too; name what is in them by absolute paths: "/b", "/c\\nd".',
  );
  expect(text({ text: undefined })).toMatch(/in the folder \/a through tools[^]*"\/b", "\/c\\nd"\.$/);
  expect(text({ tools: 'none' })).toBe('Be kind.');
  expect(text({ additionalDirectories: [] })).toBe('Be kind.');
});
