import { readdir, writeFile } from 'node:fs/promises';
import { join, posix, win32 } from 'node:path';
import { expect, test } from 'vitest';
import { parseClaim, toFileName } from '../../packages/agent/src/process/claim.ts';
import { processPlatform } from '../../packages/agent/src/process/platform.ts';
import { claimThread } from '../../packages/agent/src/thread/claim.ts';
import { contains } from '../../packages/agent/src/sandbox/paths.ts';
import { judge } from '../../packages/agent/src/tools/read-only/command.ts';
import { noSandbox, ThreadStore } from '../../packages/agent/src/index.ts';
import { Workspace } from '../../packages/agent/src/workspace.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { temporaryFolder } from './helpers.ts';

test('Linux and macOS: bash where there is one, and a whole process group is ended', () => {
  const ended: [number, string][] = [];
  const kill = (pid: number, signal: string) => {
    ended.push([pid, signal]);
    if (signal === 'SIGKILL') throw new Error('ESRCH');
  };
  const of = (...there: string[]) => processPlatform('darwin', { exists: (path) => there.includes(path), kill });
  expect(of('/bin/bash').shellArgv('ls')).toEqual(['/bin/bash', '-c', 'ls']);
  expect(of().shellArgv('ls')).toEqual(['/bin/sh', '-c', 'ls']);
  expect(of().spawnOptions.detached).toBe(true);
  of().endTree({ pid: 7, hasEnded: false }, 'SIGTERM');
  // What it started may outlive it, and its number belongs to the group as long.
  of().endTree({ pid: 7, hasEnded: true }, 'SIGKILL');
  expect(ended).toEqual([
    [-7, 'SIGTERM'],
    [-7, 'SIGKILL'],
  ]);
});

test("Windows: the system's own PowerShell, never one of the project, and taskkill for all that was started", () => {
  const run: (readonly string[])[] = [];
  const platform = processPlatform('win32', { systemRoot: 'D:\\Win', run: (argv) => run.push(argv) });
  expect(platform.shellArgv('dir')).toEqual([
    'D:\\Win\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    'dir\nexit $LASTEXITCODE',
  ]);
  // A detached child has a console window of its own there.
  expect(platform.spawnOptions).toEqual({ detached: false, windowsHide: true });
  platform.endTree({ pid: 7, hasEnded: false }, 'SIGTERM');
  // Its number may be another program's by now.
  platform.endTree({ pid: 7, hasEnded: true }, 'SIGKILL');
  expect(run).toEqual([['D:\\Win\\System32\\taskkill.exe', '/pid', '7', '/t', '/f']]);
});

test('Windows: nothing runs unasked, for its shell reads lines in another way than they are judged', async () => {
  const cwd = await temporaryFolder();
  const workspace = await Workspace.open(cwd);
  const context = { workspace, env: { PATH: '/usr/bin:/bin' }, clock: systemClock, sandbox: noSandbox(), web: {} };
  const place = await workspace.locate('.');
  expect((await judge('ls', place, context, processPlatform('linux'))).type).toBe('free');
  expect((await judge('ls', place, context, processPlatform('win32'))).type).toBe('ask');
});

test.each([
  ['C:\\work', 'C:\\work', true],
  ['C:\\work', 'c:\\WORK\\a.txt', true],
  ['C:\\work', 'C:\\work\\..a', true],
  ['C:\\work', 'C:\\work2', false],
  ['C:\\work', 'C:\\work\\..\\other', false],
  ['C:\\work', 'D:\\work\\a.txt', false],
  ['C:\\work', '\\\\server\\share\\a.txt', false],
  ['\\\\server\\share\\work', '\\\\server\\share\\work\\a', true],
  ['C:\\', 'C:\\a', true],
])("of Windows' paths %s contains %s: %s", (folder, path, expected) => {
  expect(contains(folder, path, win32)).toBe(expected);
});

test.each(['DESKTOP-7', 'db.example.com', 'db.', 'a*b', "Ann's Mac (2)", 'con', 'büro', '..', 'a/b\\c:d|e<f>"g?h'])(
  'what tells who holds a thread is the name of one file on every system, and reads back: %s',
  (host) => {
    const claim = { pid: 12, start: '345', host };
    const name = toFileName('20260101-000000-abcdef', claim);
    expect(parseClaim(name)).toEqual(claim);
    // Windows takes none of these, and takes dots and blanks from the end of a name.
    expect(name).toMatch(/^[^<>:"/\\|?*\p{Cc}]+$/u);
    expect(name).not.toMatch(/[. ]$/);
    for (const system of [win32, posix]) {
      const path = system.join('locks', name);
      expect([system.dirname(path), system.basename(path)]).toEqual(['locks', name]);
    }
  },
);

test('a thread is held whatever letters name it: Windows and macOS take them for one file', async () => {
  const folder = await temporaryFolder();
  const release = await claimThread(folder, '2026-AbC');
  expect(await readdir(join(folder, 'locks'))).toEqual([expect.stringMatching(/^2026-abc\./)]);
  release();
});

test('a name that is a device on Windows is the id of no thread', async () => {
  const folder = await temporaryFolder();
  for (const id of ['con', 'NUL', 'Com1', 'lpt9']) {
    await writeFile(join(folder, `${id}.jsonl`), '');
    await expect(new ThreadStore(folder).resume(id)).rejects.toThrow(`"${id}" is no thread id`);
  }
});
