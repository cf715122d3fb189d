import {
  chmod,
  chown,
  link,
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
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../../packages/agent/src/patch/write-files.ts';
import type { ToolPlan } from '../../packages/agent/src/tool.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

const signal = new AbortController().signal;

async function plan(cwd: string, lines: readonly string[]): Promise<ToolPlan> {
  const tool = (await createTools({ cwd })).find((candidate) => candidate.name === 'apply_patch')!;
  return tool.plan({ type: 'text', text: ['*** Begin Patch', ...lines, '*** End Patch'].join('\n') }, { signal });
}

/** What the tool says, or the message that it fails with. */
async function apply(cwd: string, lines: readonly string[]): Promise<string> {
  try {
    return (await (await plan(cwd, lines)).run({ signal, output: () => undefined })).output;
  } catch (error) {
    return (error as Error).message;
  }
}

type Setup = Readonly<Record<string, FileSetup>>;
/** A text, or: a link to another name, a second name of a file, a folder. */
type FileSetup = string | { mode: number; text: string } | { to: string } | { same: string } | { folder: true };

async function make(root: string, setup: Setup): Promise<void> {
  for (const [path, entry] of Object.entries(setup)) {
    const at = join(root, path);
    await mkdir(join(at, '..'), { recursive: true });
    if (typeof entry === 'string') await writeFile(at, entry);
    else if ('to' in entry) await symlink(entry.to, at);
    else if ('same' in entry) await link(join(root, entry.same), at);
    else if ('folder' in entry) await mkdir(at, { recursive: true });
    else {
      await writeFile(at, entry.text);
      await chmod(at, entry.mode);
    }
  }
}

/** Every name with what it is: `MODE NAMES TEXT` of a file, `-> TARGET` of a link, `folder`. */
async function snapshot(root: string, folder = ''): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = join(folder, name);
    const info = await lstat(join(root, path));
    if (info.isSymbolicLink()) result[path] = `-> ${await readlink(join(root, path))}`;
    else if (info.isDirectory()) Object.assign(result, { [path]: 'folder' }, await snapshot(root, path));
    else {
      const text = await readFile(join(root, path), 'utf8');
      result[path] = `${(info.mode & 0o777).toString(8)} ${info.nlink} ${JSON.stringify(text)}`;
    }
  }
  return result;
}

const update = (path: string, from = 'one', to = 'ONE'): string[] => [
  `*** Update File: ${path}`,
  '@@',
  `-${from}`,
  `+${to}`,
];
const move = (path: string, to: string): string[] => {
  const [header = '', ...rest] = update(path);
  return [header, `*** Move to: ${to}`, ...rest];
};
const drop = (path: string): string[] => [`*** Delete File: ${path}`];
const add = (path: string): string[] => [`*** Add File: ${path}`, '+ONE'];

interface Row {
  readonly setup: Setup;
  readonly patch: readonly string[];
  /** After `applied:`; or what the message says. */
  readonly says: string;
  readonly then: Record<string, string>;
  /** Where `codex --codex-run-as-apply-patch` (0.169.0) does something else, and what. */
  readonly codex?: string;
}

const target = { 'real.txt': 'one\ntwo\n', name: { to: 'real.txt' } };
const targetStays = { 'real.txt': '644 1 "one\\ntwo\\n"' };

/** In a folder `work`, beside which other files may be. */
const rows: Record<string, Row> = {
  // Links: delete and move are about the name, everything else is about the file that it leads to.
  'delete a link': { setup: target, patch: drop('name'), says: 'D name', then: targetStays },
  'delete a link with a slash behind it': { setup: target, patch: drop('name/'), says: 'D name', then: targetStays },
  'delete a link to nothing': {
    setup: { name: { to: 'nothing' } },
    patch: drop('name'),
    says: 'D name',
    then: {},
    codex: 'refuses',
  },
  'delete a link to a folder': {
    setup: { 'dir/f': 'one\n', name: { to: 'dir' } },
    patch: drop('name'),
    says: 'D name',
    then: { dir: 'folder', 'dir/f': '644 1 "one\\n"' },
    codex: 'refuses',
  },
  'delete a link to itself': {
    setup: { a: { to: 'b' }, b: { to: 'a' } },
    patch: drop('a'),
    says: 'D a',
    then: { b: '-> a' },
    codex: 'refuses',
  },
  'delete behind a link to a folder': {
    setup: { 'dir/f': 'one\n', name: { to: 'dir' } },
    patch: drop('name/f'),
    says: 'D dir/f',
    then: { dir: 'folder', name: '-> dir' },
  },
  'delete a link and what it led to': {
    setup: target,
    patch: [...drop('real.txt'), ...drop('name')],
    says: 'D real.txt\nD name',
    then: {},
    codex: 'deletes the file, then refuses the link',
  },
  'delete a link and update what it led to': {
    setup: target,
    patch: [...drop('name'), ...update('real.txt')],
    says: 'D name\nM real.txt',
    then: { 'real.txt': '644 1 "ONE\\ntwo\\n"' },
  },
  'delete a link and add a file in its place': {
    setup: target,
    patch: [...drop('name'), ...add('name')],
    says: 'M name',
    then: { name: '644 1 "ONE\\n"', ...targetStays },
  },
  'update a link': {
    setup: target,
    patch: update('name'),
    says: 'M real.txt',
    then: { name: '-> real.txt', 'real.txt': '644 1 "ONE\\ntwo\\n"' },
  },
  'update a link to a link': {
    setup: { ...target, 'sub/far': { to: '../name' } },
    patch: update('sub/far'),
    says: 'M real.txt',
    then: { name: '-> real.txt', 'real.txt': '644 1 "ONE\\ntwo\\n"', sub: 'folder', 'sub/far': '-> ../name' },
  },
  'update a link to nothing': {
    setup: { name: { to: 'nothing' } },
    patch: update('name'),
    says: 'name does not exist: it cannot be updated',
    then: { name: '-> nothing' },
  },
  'update a link to a folder': {
    setup: { dir: { folder: true }, name: { to: 'dir' } },
    patch: update('name'),
    says: 'name is not a regular file',
    then: { dir: 'folder', name: '-> dir' },
  },
  'update a link to itself': {
    setup: { a: { to: 'a' } },
    patch: update('a'),
    says: 'a: too many symbolic links',
    then: { a: '-> a' },
  },
  'update behind a link to a folder': {
    setup: { 'dir/f': 'one\n', name: { to: 'dir' } },
    patch: update('name/f'),
    says: 'M dir/f',
    then: { dir: 'folder', 'dir/f': '644 1 "ONE\\n"', name: '-> dir' },
  },
  'rename a link': {
    setup: target,
    patch: ['*** Update File: name', '*** Move to: moved'],
    says: 'R name -> moved',
    then: { moved: '-> real.txt', ...targetStays },
    codex: 'takes no move without a change',
  },
  'rename a link into another folder': {
    setup: target,
    patch: ['*** Update File: name', '*** Move to: sub/moved'],
    says: 'R name -> sub/moved',
    then: { ...targetStays, sub: 'folder', 'sub/moved': '-> ../real.txt' },
    codex: 'takes no move without a change',
  },
  'update and rename a link': {
    setup: target,
    patch: move('name', 'moved'),
    says: 'M real.txt\nR name -> moved',
    then: { moved: '-> real.txt', 'real.txt': '644 1 "ONE\\ntwo\\n"' },
    codex: 'removes the link, writes the new text to a file of its own, and leaves the target as it was',
  },
  'add over a link': {
    setup: target,
    patch: add('name'),
    says: 'M real.txt',
    then: { name: '-> real.txt', 'real.txt': '644 1 "ONE\\n"' },
  },
  'add through a link to nothing': {
    setup: { name: { to: 'nothing' } },
    patch: add('name'),
    says: 'A nothing',
    then: { name: '-> nothing', nothing: '644 1 "ONE\\n"' },
  },
  'move onto a link': {
    setup: { ...target, a: 'one\n' },
    patch: move('a', 'name'),
    says: 'name exists already',
    then: { a: '644 1 "one\\n"', name: '-> real.txt', ...targetStays },
    codex: 'overwrites what the link leads to',
  },
  'move a file onto its own link': {
    setup: target,
    patch: move('real.txt', 'name'),
    says: 'name exists already',
    then: { name: '-> real.txt', ...targetStays },
    codex: 'destroys the file',
  },
  'move a link onto its own file': {
    setup: target,
    patch: move('name', 'real.txt'),
    says: 'real.txt exists already',
    then: { name: '-> real.txt', ...targetStays },
    codex: 'replaces the file',
  },

  // Moves onto what exists.
  'move onto another file': {
    setup: { a: 'one\n', b: 'two\n' },
    patch: move('a', 'b'),
    says: 'b exists already',
    then: { a: '644 1 "one\\n"', b: '644 1 "two\\n"' },
    codex: 'overwrites it',
  },
  'move onto itself': {
    setup: { a: 'one\n' },
    patch: move('a', './a'),
    says: 'M a',
    then: { a: '644 1 "ONE\\n"' },
    codex: 'deletes the file',
  },
  'move onto another name of the same file': {
    setup: { a: 'one\n', b: { same: 'a' } },
    patch: move('a', 'b'),
    says: 'b exists already',
    then: { a: '644 2 "one\\n"', b: '644 2 "one\\n"' },
    codex: 'overwrites it',
  },
  'two files change places': {
    setup: { a: 'one\n', b: 'two\n' },
    patch: [
      '*** Update File: a',
      '*** Move to: c',
      '*** Update File: b',
      '*** Move to: a',
      '*** Update File: c',
      '*** Move to: b',
    ],
    says: 'R b -> a\nR a -> b',
    then: { a: '644 1 "two\\n"', b: '644 1 "one\\n"' },
    codex: 'takes no move without a change',
  },

  // Text.
  'byte order mark, first line': {
    setup: { a: '\ufeffone\ntwo\n' },
    patch: update('a'),
    says: 'M a',
    then: { a: '644 1 "\ufeffONE\\ntwo\\n"' },
    codex: 'does not find the line',
  },
  'byte order mark, written by the model too': {
    setup: { a: '\ufeffone\ntwo\n' },
    patch: update('a', '\ufeffone', '\ufeffONE'),
    says: 'M a',
    then: { a: '644 1 "\ufeffONE\\ntwo\\n"' },
  },
  'byte order mark, another line': {
    setup: { a: '\ufeffone\ntwo\n' },
    patch: update('a', 'two', 'TWO'),
    says: 'M a',
    then: { a: '644 1 "\ufeffone\\nTWO\\n"' },
  },
  'CRLF, replaced': {
    setup: { a: 'one\r\ntwo\r\nthree\r\n' },
    patch: update('a', 'two', 'TWO'),
    says: 'M a',
    then: { a: '644 1 "one\\r\\nTWO\\r\\nthree\\r\\n"' },
  },
  'CRLF, added': {
    setup: { a: 'one\r\ntwo\r\n' },
    patch: ['*** Update File: a', '@@', ' two', '+three'],
    says: 'M a',
    then: { a: '644 1 "one\\r\\ntwo\\r\\nthree\\r\\n"' },
  },
  'mixed line ends': {
    setup: { a: 'one\ntwo\r\nthree\n' },
    patch: update('a', 'two', 'TWO'),
    says: 'M a',
    then: { a: '644 1 "one\\nTWO\\r\\nthree\\n"' },
    codex: 'takes the most common end for the new line',
  },
  'CR alone': {
    setup: { a: 'one\rtwo\nthree\n' },
    patch: update('a', 'three', 'THREE'),
    says: 'M a',
    then: { a: '644 1 "one\\rtwo\\nTHREE\\n"' },
    codex: 'ends the new line with a CR alone',
  },
  'no last line break, last line replaced': {
    setup: { a: 'one\ntwo' },
    patch: update('a', 'two', 'TWO'),
    says: 'M a',
    then: { a: '644 1 "one\\nTWO"' },
    codex: 'adds one',
  },
  'no last line break, another line replaced': {
    setup: { a: 'one\ntwo' },
    patch: update('a'),
    says: 'M a',
    then: { a: '644 1 "ONE\\ntwo"' },
    codex: 'adds one',
  },
  'no last line break, a line behind it': {
    setup: { a: 'one\ntwo' },
    patch: ['*** Update File: a', '@@', ' two', '+three'],
    says: 'M a',
    then: { a: '644 1 "one\\ntwo\\nthree\\n"' },
  },
  'a name that is not ASCII': {
    setup: { 'grün 文.txt': 'one\n' },
    patch: update('grün 文.txt'),
    says: 'M grün 文.txt',
    then: { 'grün 文.txt': '644 1 "ONE\\n"' },
  },

  // Modes, hard links, kinds of files.
  'an executable file': {
    setup: { a: { mode: 0o755, text: 'one\n' } },
    patch: update('a'),
    says: 'M a',
    then: { a: '755 1 "ONE\\n"' },
  },
  'an executable file that moves': {
    setup: { a: { mode: 0o755, text: 'one\n' } },
    patch: move('a', 'b'),
    says: 'R a -> b',
    then: { b: '755 1 "ONE\\n"' },
    codex: 'loses the mode',
  },
  'add over an executable file': {
    setup: { a: { mode: 0o755, text: 'one\n' } },
    patch: add('a'),
    says: 'M a',
    then: { a: '755 1 "ONE\\n"' },
  },
  'update a hard link': {
    setup: { a: 'one\ntwo\nthree\n', b: { same: 'a' } },
    patch: update('a', 'three', '3'),
    says: 'M a',
    then: { a: '644 2 "one\\ntwo\\n3\\n"', b: '644 2 "one\\ntwo\\n3\\n"' },
  },
  'delete a hard link': {
    setup: { a: 'one\n', b: { same: 'a' } },
    patch: drop('a'),
    says: 'D a',
    then: { b: '644 1 "one\\n"' },
  },
  'move and change a hard link': {
    setup: { a: 'one\n', b: { same: 'a' } },
    patch: move('a', 'c'),
    says: 'R a -> c',
    then: { b: '644 1 "one\\n"', c: '644 1 "ONE\\n"' },
  },
  'update a read-only file': {
    setup: { a: { mode: 0o444, text: 'one\n' } },
    patch: update('a'),
    says: 'a is read-only',
    then: { a: '444 1 "one\\n"' },
  },
  'add over a read-only file': {
    setup: { a: { mode: 0o444, text: 'one\n' } },
    patch: add('a'),
    says: 'a is read-only',
    then: { a: '444 1 "one\\n"' },
  },
  'change and move a read-only file': {
    setup: { a: { mode: 0o444, text: 'one\n' } },
    patch: move('a', 'b'),
    says: 'a is read-only',
    then: { a: '444 1 "one\\n"' },
    codex: 'writes a new file that is not read-only',
  },
  'rename a read-only file': {
    setup: { a: { mode: 0o444, text: 'one\n' } },
    patch: ['*** Update File: a', '*** Move to: b'],
    says: 'R a -> b',
    then: { b: '444 1 "one\\n"' },
    codex: 'takes no move without a change',
  },
  'delete a read-only file': {
    setup: { a: { mode: 0o444, text: 'one\n' } },
    patch: drop('a'),
    says: 'D a',
    then: {},
  },
  'delete a folder': {
    setup: { dir: { folder: true } },
    patch: drop('dir'),
    says: 'dir is not a regular file',
    then: { dir: 'folder' },
  },
  'delete a folder by ..': {
    setup: { 'dir/f': 'one\n' },
    patch: drop('dir/..'),
    says: 'dir/.. is not a regular file',
    then: { dir: 'folder', 'dir/f': '644 1 "one\\n"' },
  },
  'add over a folder': {
    setup: { dir: { folder: true } },
    patch: add('dir'),
    says: 'dir is not a regular file',
    then: { dir: 'folder' },
  },
  'move onto a folder': {
    setup: { a: 'one\n', dir: { folder: true } },
    patch: move('a', 'dir'),
    says: 'dir is not a regular file',
    then: { a: '644 1 "one\\n"', dir: 'folder' },
  },
  'add behind a file': {
    setup: { a: 'one\n' },
    patch: add('a/b'),
    says: 'a/b: ENOTDIR',
    then: { a: '644 1 "one\\n"' },
  },
  'the second part does not fit': {
    setup: { a: 'one\n' },
    patch: [...update('a'), ...update('b')],
    says: 'b does not exist',
    then: { a: '644 1 "one\\n"' },
    codex: 'leaves the first part done',
  },
};

describe('what a patch does to the files of a folder', () => {
  test.each(Object.entries(rows))('%s', async (_, row) => {
    const cwd = await temporaryFolder();
    await make(cwd, row.setup);
    const said = await apply(cwd, row.patch);
    if (/^[AMDR] /.test(row.says)) expect(said).toBe(`applied:\n${row.says}`);
    else expect(said).toContain(row.says);
    expect(await snapshot(cwd)).toEqual(row.then);
  });

  test('a link out of the folder: deleting it is inside, and the question names it and where it leads', async () => {
    const root = await temporaryFolder();
    const cwd = join(root, 'work');
    await make(root, { 'secret.txt': 'one\n', 'work/out': { to: '../secret.txt' } });
    const patch = await plan(cwd, drop('out'));
    expect(patch.title).toBe('patch out (link to ../secret.txt)');
    expect(patch.approval).toEqual({
      reason: 'it writes a file; of a link only the name goes, what it leads to stays',
      rules: [`write:${join(cwd, 'out')}`],
    });
    expect(patch.changes).toEqual([
      {
        kind: 'delete',
        path: join(cwd, 'out'),
        old_text: '../secret.txt',
        new_text: null,
        diff: '--- out (link to ../secret.txt)\n+++ /dev/null\n@@ -1 +0,0 @@\n-../secret.txt\n\\ No newline at end of file\n',
      },
    ]);
    await patch.run({ signal, output: () => undefined });
    expect(await snapshot(root)).toEqual({ 'secret.txt': '644 1 "one\\n"', work: 'folder' });
  });

  test('an update through a link out of the folder asks for the file that it leads to', async () => {
    const root = await temporaryFolder();
    await make(root, { 'secret.txt': 'one\n', 'work/out': { to: '../secret.txt' } });
    const { approval, title } = await plan(join(root, 'work'), update('out'));
    const real = join(root, 'secret.txt');
    expect(title).toBe(`patch ${real}`);
    expect(approval).toEqual({
      reason: `it writes a file, outside the working directory: ${real}`,
      rules: [`write:${real}`],
    });
  });
});

describe('between the plan and the write', () => {
  const outside = { 'other.txt': 'one\n', 'elsewhere/a': 'one\n' };

  test.each<[string, Setup, readonly string[], (cwd: string) => Promise<void>]>([
    ['a file becomes a link', { 'work/a': 'one\n' }, update('a'), swap('a', '../other.txt')],
    [
      'a file with two names becomes a link',
      { 'work/a': 'one\n', 'work/b': { same: 'work/a' } },
      update('a'),
      swap('a', '../other.txt'),
    ],
    ['a file to be deleted becomes a link', { 'work/a': 'one\n' }, drop('a'), swap('a', '../other.txt')],
    [
      'a link leads elsewhere',
      { 'work/a': { to: 'b' }, 'work/b': 'one\n' },
      ['*** Update File: a', '*** Move to: c'],
      swap('a', '../other.txt'),
    ],
    ['a folder becomes a link', { 'work/dir/a': 'one\n' }, update('dir/a'), swap('dir', '../elsewhere')],
    [
      'a folder of a deleted file becomes a link',
      { 'work/dir/a': 'one\n' },
      drop('dir/a'),
      swap('dir', '../elsewhere'),
    ],
    ['a name is taken', {}, add('a'), (cwd) => writeFile(join(cwd, 'a'), 'somebody\n')],
  ])('%s: nothing is written', async (_, setup, lines, change) => {
    const root = await temporaryFolder();
    await make(root, { ...outside, work: { folder: true }, ...setup });
    const patch = await plan(join(root, 'work'), lines);
    await change(join(root, 'work'));
    const before = await snapshot(root);
    await expect(patch.run({ signal, output: () => undefined })).rejects.toThrow(
      /changed by somebody else|leads elsewhere/,
    );
    expect(await snapshot(root)).toEqual(before);
  });

  function swap(name: string, to: string): (cwd: string) => Promise<void> {
    return async (cwd) => {
      await rm(join(cwd, name), { recursive: true });
      await symlink(to, join(cwd, name));
    };
  }
});

describe('how it is written', () => {
  test('a failure half-way brings back links, hard links and modes', async () => {
    const cwd = await temporaryFolder();
    await make(cwd, {
      a: { mode: 0o755, text: 'old a\n' },
      b: 'old b\n',
      'b.too': { same: 'b' },
      gone: 'gone\n',
      'gone.too': { same: 'gone' },
      name: { to: 'a' },
    });
    const before = await snapshot(cwd);
    const file = (text: string, mode = 0o644) => ({ type: 'file', text, mode }) as const;
    const writes = [
      { path: join(cwd, 'a'), before: file('old a\n', 0o755), after: file('new\n', 0o755) },
      { path: join(cwd, 'b'), before: file('old b\n'), after: file('new, and longer\n') },
      { path: join(cwd, 'gone'), before: file('gone\n'), after: null },
      { path: join(cwd, 'name'), before: { type: 'link', target: 'a' } as const, after: null },
      { path: join(cwd, 'new/name'), before: null, after: { type: 'link', target: '../a' } as const },
      // The last step fails: the one before it made a folder of that name.
      { path: join(cwd, 'taken/x'), before: null, after: file('x\n') },
      { path: join(cwd, 'taken'), before: null, after: file('x\n') },
    ];
    await expect(writeFiles(writes)).rejects.toThrow('EISDIR');
    expect(await snapshot(cwd)).toEqual(before);
  });

  const isRoot = process.getuid?.() === 0;

  test.runIf(isRoot)("another one's file stays another one's", async () => {
    const cwd = await temporaryFolder();
    await make(cwd, { a: 'one\n' });
    await chown(join(cwd, 'a'), 65_534, 65_534);
    expect(await apply(cwd, update('a'))).toBe('applied:\nM a');
    const { uid, gid } = await lstat(join(cwd, 'a'));
    expect({ uid, gid, ...(await snapshot(cwd)) }).toEqual({ uid: 65_534, gid: 65_534, a: '644 1 "ONE\\n"' });
  });

  test.runIf(!isRoot)('a file is written in a folder that takes no new ones', async () => {
    const cwd = await temporaryFolder();
    await make(cwd, { 'dir/a': 'one\n' });
    await chmod(join(cwd, 'dir'), 0o555);
    const said = await apply(cwd, update('dir/a'));
    await chmod(join(cwd, 'dir'), 0o755);
    expect(said).toBe('applied:\nM dir/a');
    expect(await snapshot(cwd)).toEqual({ dir: 'folder', 'dir/a': '644 1 "ONE\\n"' });
  });
});

test('what only its owner may read is at no time open to others', async () => {
  const cwd = await temporaryFolder();
  const file = join(cwd, 'key');
  await writeFile(file, `one\n${'a line\n'.repeat(500_000)}`, { mode: 0o600 });
  const modes = new Set<number>();
  let isDone = false;
  const done = apply(cwd, ['*** Update File: key', '@@', '-one', '+ONE']).finally(() => (isDone = true));
  while (!isDone) {
    for (const name of await readdir(cwd)) {
      const info = await lstat(join(cwd, name)).catch(() => undefined);
      if (name !== 'key' && info !== undefined) modes.add(info.mode & 0o777);
    }
  }
  expect(await done).toBe('applied:\nM key');
  expect([...modes]).toEqual([0o600]);
  expect((await lstat(file)).mode & 0o777).toBe(0o600);
});
