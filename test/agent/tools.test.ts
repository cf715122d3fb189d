import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noSandbox, type ToolResult } from '../../packages/agent/src/index.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import { HeadTail } from '../../packages/agent/src/process/head-tail.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { TestClock } from '../terminal/harness.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { isAlive, temporaryFolder } from './helpers.ts';

interface Ran extends ToolResult {
  readonly told: string;
}

interface Options {
  readonly signal?: AbortSignal;
  readonly path?: string;
  readonly clock?: Clock;
  readonly onOutput?: (delta: string) => void;
}

async function run(cwd: string, name: string, args: object, options: Options = {}): Promise<Ran> {
  const PATH = options.path ?? '/usr/local/bin:/usr/bin:/bin';
  const { clock } = options;
  const tool = (await createTools({ cwd, env: { PATH }, sandbox: noSandbox(), ...(clock && { clock }) })).find(
    (candidate) => candidate.name === name,
  )!;
  const signal = options.signal ?? new AbortController().signal;
  const plan = await tool.plan({ type: 'json', value: args }, { signal });
  let told = '';
  const output = (_stream: string, delta: string): void => {
    told += delta;
    options.onOutput?.(delta);
  };
  return { ...(await plan.run({ signal, output })), told };
}

/** Lets all the time pass that a command may take, once it has printed so many lines. */
function timeIsOverAfter(lines: number): Options {
  const clock = new TestClock();
  let left = lines;
  const onOutput = (delta: string): void => {
    const before = left;
    left -= delta.split('\n').length - 1;
    if (before > 0 && left <= 0) clock.pass(60_000);
  };
  return { clock, onOutput };
}

describe('shell', () => {
  test('exit code, both streams, folder', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'sub'));
    const result = await run(cwd, 'shell', { command: 'pwd; echo err >&2; exit 3', cwd: 'sub' });
    expect(result).toEqual({
      output: expect.stringMatching(new RegExp(`^exit code 3\n(${cwd}/sub\nerr|err\n${cwd}/sub)\n$`)) as unknown,
      ok: false,
      exitCode: 3,
      told: expect.stringContaining('err') as unknown,
    });
    expect((await run(cwd, 'shell', { command: 'true' })).output).toBe('exit code 0\n(no output)');
  });

  test('progress is its last state, and colours are none, for the model as for people', async () => {
    const command = String.raw`printf '10%%\r50%%\r100%%\n\033[31mred\033[0m\033]0;title\007 end\r\n'`;
    expect((await run(await temporaryFolder(), 'shell', { command })).output).toBe('exit code 0\n100%\nred end\r\n');
  });

  test('a program with arguments is read by no shell', async () => {
    const cwd = await temporaryFolder();
    expect((await run(cwd, 'shell', { command: ['echo', '$HOME; ls'] })).output).toBe('exit code 0\n$HOME; ls\n');
    expect((await run(cwd, 'shell', { command: ['no-such-program'] })).output).toMatch(
      /^exit code 127\n.*no-such-program/,
    );
    await expect(run(cwd, 'shell', { command: 'ls', cwd: 'nope' })).rejects.toThrow('is no folder');
  });

  test('a gigabyte of output: head and tail, in bounded memory', async () => {
    const cwd = await temporaryFolder();
    const before = process.memoryUsage().rss;
    const result = await run(cwd, 'shell', {
      command: 'echo first; head -c 1000000000 /dev/zero | tr "\\0" x; echo; echo last',
    });
    expect(result.output.length).toBeLessThan(40_000);
    expect(result.output).toMatch(/^exit code 0\nfirst\nx/);
    expect(result.output).toMatch(/x\nlast\n$/);
    expect(result.output).toContain('bytes left out');
    expect(result.told.length).toBeLessThan(70_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });

  test('binary output is named, not shown', async () => {
    const cwd = await temporaryFolder();
    const result = await run(cwd, 'shell', { command: 'head -c 100 /dev/zero' });
    expect(result.output).toBe('exit code 0\n[binary output, 100 bytes, not shown]');
    expect(result.told).not.toContain('\0');
  });

  test('a timeout gives a command time to end by itself', async () => {
    const cwd = await temporaryFolder();
    const command = 'trap "sleep 0.2; echo cleaned up; exit" TERM; echo ready; while :; do sleep 0.1; done';
    const result = await run(cwd, 'shell', { command, timeout_ms: 60_000 }, timeIsOverAfter(1));
    expect(result.output).toMatch(/^stopped: .*\nready\n(Terminated\n)?cleaned up\n$/);
  });

  test('no process is left behind, not even a dead one', async () => {
    const cwd = await temporaryFolder();
    const { told } = await run(cwd, 'shell', { command: 'ps -o pgid= -p $$' });
    const groups = execFileSync('ps', ['-eo', 'pgid='], { encoding: 'utf8' }).split('\n');
    expect(groups.map(Number)).not.toContain(Number(told));
  });

  test('a command that dies of a signal says so', async () => {
    const cwd = await temporaryFolder();
    expect((await run(cwd, 'shell', { command: 'kill -SEGV $$' })).output).toMatch(/^exit code 139\n/);
  });

  test('a timeout ends the whole group, also what ignores a friendly end', async () => {
    const cwd = await temporaryFolder();
    const command = 'trap "" TERM; echo $$; sleep 1000 & echo $!; wait; sleep 1000';
    const result = await run(cwd, 'shell', { command, timeout_ms: 60_000 }, timeIsOverAfter(2));
    expect(result.output).toMatch(/^stopped: it ran longer than /);
    const pids = result.told.trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  test('an interrupt ends the whole group and keeps the output', async () => {
    const cwd = await temporaryFolder();
    const controller = new AbortController();
    const result = await run(
      cwd,
      'shell',
      { command: 'sleep 1000 & echo $!; sleep 1000' },
      { signal: controller.signal, onOutput: () => controller.abort() },
    );
    expect(result.ok).toBe(false);
    expect(result.output).toMatch(/^stopped: the user interrupted the turn\n\d+\n(Terminated\n)?$/);
    await expect.poll(() => isAlive(Number.parseInt(result.told))).toBe(false);
  });

  test('nothing that a command leaves behind outlives it', async () => {
    const cwd = await temporaryFolder();
    const result = await run(cwd, 'shell', { command: 'sleep 1000 & echo $!' });
    expect(result.output).toMatch(/^exit code 0\n/);
    await expect.poll(() => isAlive(Number(result.told))).toBe(false);
  });

  test('a command is quick: nothing is waited for after its end', async () => {
    const cwd = await temporaryFolder();
    // Its timers never fire.
    expect((await run(cwd, 'shell', { command: 'echo hi' }, { clock: manualClock() })).output).toContain('hi');
  });

  test('no secret of the environment gets in by itself', async () => {
    const cwd = await temporaryFolder();
    process.env.TURNWIRE_TEST_SECRET = 'sesame';
    expect((await run(cwd, 'shell', { command: 'env' })).output).not.toContain('sesame');
    delete process.env.TURNWIRE_TEST_SECRET;
  });

  test('arguments are checked', async () => {
    const cwd = await temporaryFolder();
    for (const args of [
      {},
      { command: 1 },
      { command: 'ls', timeout_ms: 0 },
      { command: 'ls', extra: 1 },
      { command: [] },
    ]) {
      await expect(run(cwd, 'shell', args)).rejects.toThrow('invalid arguments for shell');
    }
  });
});

describe('head and tail', () => {
  test.each([1, 3, 7, 1000])('in pieces of %i bytes: no broken character', (size) => {
    const text = 'äöü'.repeat(50);
    const kept = new HeadTail(21, 21);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) kept.append(bytes.subarray(at, at + size));
    expect(kept.total).toBe(bytes.length);
    const result = kept.toString();
    expect(result).not.toContain('\ufffd');
    expect(result).toMatch(/^[äöü]{10}\n\[… \d+ bytes left out …\]\n[äöü]{10}$/);
  });

  test('what fits is whole', () => {
    const kept = new HeadTail(4, 4);
    kept.append(Buffer.from('12345678'));
    expect(kept.toString()).toBe('12345678');
  });
});

describe('read_file', () => {
  test('lines, with offset and limit', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'f'), 'one\ntwo\nthree\nfour\n');
    expect((await run(cwd, 'read_file', { path: 'f' })).output).toBe('one\ntwo\nthree\nfour');
    expect((await run(cwd, 'read_file', { path: 'f', offset: 2, limit: 2 })).output).toBe(
      'two\nthree\n[… cut: there is more, from line 4 on …]',
    );
    expect((await run(cwd, 'read_file', { path: 'f', offset: 9 })).output).toBe('(the file has only 4 lines)');
    await writeFile(join(cwd, 'empty'), '');
    expect((await run(cwd, 'read_file', { path: 'empty' })).output).toBe('(the file is empty)');
  });

  test('long lines and large files are cut', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'long'), `${'x'.repeat(5000)}\nend\n`);
    expect((await run(cwd, 'read_file', { path: 'long' })).output).toBe(
      `${'x'.repeat(2000)}[… 3000 characters …]\nend`,
    );
    await writeFile(join(cwd, 'many'), 'line\n'.repeat(1e6));
    const { output } = await run(cwd, 'read_file', { path: 'many' });
    expect(output.split('\n')).toHaveLength(2001);
    expect(output).toMatch(/from line 2001 on …\]$/);
  });

  test('a line without an end is looked at for 256 MiB, and shown so far', async () => {
    const cwd = await temporaryFolder();
    execFileSync('sh', ['-c', "head -c 270000000 /dev/zero | tr '\\0' x >endless"], { cwd });
    const note = '[… cut: no more than the first 256 MiB of a file are looked at …]';
    expect((await run(cwd, 'read_file', { path: 'endless' })).output).toBe(
      `${'x'.repeat(2000)}[… ${256 * 1024 * 1024 - 2000} characters …]\n${note}`,
    );
    expect((await run(cwd, 'read_file', { path: 'endless', offset: 2 })).output).toBe(note);
  });

  test('what cannot be read is said', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'binary'), Buffer.from([1, 0, 2]));
    await truncate(join(cwd, 'binary'), 1e9);
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    expect(await run(cwd, 'read_file', { path: 'binary' })).toMatchObject({
      ok: false,
      output: 'a binary file of 1000000000 bytes: not shown',
    });
    await expect(run(cwd, 'read_file', { path: 'nope' })).rejects.toThrow('ENOENT');
    await expect(run(cwd, 'read_file', { path: '.' })).rejects.toThrow('use list_dir');
    await expect(run(cwd, 'read_file', { path: 'pipe' })).rejects.toThrow('not a regular file');
    await expect(run(cwd, 'read_file', { path: 'a\0b' })).rejects.toThrow('NUL');
  });

  test.each(['read_file', 'list_dir', 'search'])('%s: outside needs approval, also through a link', async (name) => {
    const cwd = await temporaryFolder();
    await symlink('/etc', join(cwd, 'link'));
    await mkdir(join(cwd, 'in'));
    const tool = (await createTools({ cwd, select: 'read' })).find((candidate) => candidate.name === name)!;
    const signal = new AbortController().signal;
    const needs = async (path: string) =>
      (await tool.plan({ type: 'json', value: { path, ...(name === 'search' ? { pattern: 'x' } : {}) } }, { signal }))
        .approval;
    expect(await needs('in')).toBeUndefined();
    expect(await needs('in/../in')).toBeUndefined();
    expect(await needs('not/yet/../../in')).toBeUndefined();
    for (const path of ['..', '/etc', 'link', 'link/passwd', 'link/../in', 'in/../../x', `${cwd}x`]) {
      expect((await needs(path))?.rules).toHaveLength(1);
    }
  });
});

describe('list_dir', () => {
  test('names with marks, sorted, and deeper', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'b/inner'), { recursive: true });
    await mkdir(join(cwd, 'node_modules/x'), { recursive: true });
    await writeFile(join(cwd, 'a'), '');
    await writeFile(join(cwd, 'b/inner/f'), '');
    await symlink('/etc', join(cwd, 'link'));
    expect((await run(cwd, 'list_dir', {})).output).toBe('a\nb/\nlink@\nnode_modules/');
    expect((await run(cwd, 'list_dir', { path: '.', depth: 3 })).output).toBe(
      'a\nb/\nb/inner/\nb/inner/f\nlink@\nnode_modules/',
    );
    expect((await run(cwd, 'list_dir', { path: 'b/inner' })).output).toBe('f');
    await expect(run(cwd, 'list_dir', { path: 'a' })).rejects.toThrow('ENOTDIR');
  });

  test('many entries are cut', async () => {
    const cwd = await temporaryFolder();
    execFileSync('sh', ['-c', 'seq 600 | xargs touch'], { cwd });
    expect((await run(cwd, 'list_dir', {})).output.split('\n')).toHaveLength(501);
  });
});

describe('search', () => {
  async function folder(): Promise<string> {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'src'));
    await writeFile(join(cwd, 'src/a.ts'), 'one\nTwo\nthree\n');
    await writeFile(join(cwd, 'src/b.md'), 'two\n');
    await writeFile(join(cwd, 'src/c.bin'), Buffer.from('two\0'));
    return cwd;
  }

  test('without ripgrep', async () => {
    const cwd = await folder();
    const path = '/nowhere';
    expect((await run(cwd, 'search', { pattern: 't[wh]' }, { path })).output).toBe('src/a.ts:3:three\nsrc/b.md:1:two');
    expect((await run(cwd, 'search', { pattern: 'two', ignore_case: true, glob: '*.{ts,js}' }, { path })).output).toBe(
      'src/a.ts:2:Two',
    );
    expect((await run(cwd, 'search', { pattern: 'e$', path: 'src/a.ts', max_results: 1 }, { path })).output).toBe(
      'src/a.ts:1:one\n[… more than 1 lines match …]',
    );
    expect((await run(cwd, 'search', { pattern: 'nope' }, { path })).output).toBe('(nothing found)');
    await expect(run(cwd, 'search', { pattern: '(' }, { path })).rejects.toThrow('search failed');
  });

  test('without ripgrep, whatever flags Node was started with: some are none of a thread', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.txt'), 'here');
    process.execArgv.push('--expose-gc');
    onTestFinished(() => void process.execArgv.pop());
    expect((await run(cwd, 'search', { pattern: 'here' }, { path: '/nowhere' })).output).toBe('a.txt:1:here');
  });

  test('without ripgrep, of a long line what stands around the match', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'min.js'), `${'a'.repeat(1e6)}HERE${'b'.repeat(1e5)}\nHERE${'c'.repeat(400)}\n`);
    const { output } = await run(cwd, 'search', { pattern: 'HERE' }, { path: '/nowhere' });
    expect(output.split('\n')).toEqual([
      `min.js:1:[…] ${'a'.repeat(100)}HERE${'b'.repeat(196)} […]`,
      `min.js:2:HERE${'c'.repeat(296)} […]`,
    ]);
  });

  test('without ripgrep, large files of text are told, and lines have 64 KiB in all', async () => {
    const cwd = await temporaryFolder();
    const path = '/nowhere';
    for (let n = 0; n < 7; n++) await writeFile(join(cwd, `large${n}.js`), 'x'.repeat(2 * 1024 * 1024 + 1));
    await writeFile(join(cwd, 'large.png'), Buffer.alloc(2 * 1024 * 1024 + 1));
    const names = Array.from({ length: 5 }, (_, n) => `large${n}.js`).join(', ');
    const note = `[… not searched, for it is larger than 2 MiB: ${names}, 2 more …]`;
    expect((await run(cwd, 'search', { pattern: 'x' }, { path })).output).toBe(`(nothing found)\n${note}`);
    await writeFile(join(cwd, 'many'), `${'y'.repeat(254)}\n`.repeat(1000));
    const { output } = await run(cwd, 'search', { pattern: 'y', max_results: 1000 }, { path });
    const [lines, notes] = [output.split('\n').slice(0, -2), output.split('\n').slice(-2)];
    expect(lines.join('\n').length).toBeLessThanOrEqual(64 * 1024);
    expect(lines.length).toBeGreaterThan(240);
    expect(notes).toEqual(['[… cut: these lines have 64 KiB, and more lines match …]', note]);
  });

  test('a pattern that never ends is stopped by an interrupt', async () => {
    const cwd = await folder();
    await writeFile(join(cwd, 'slow'), `${'a'.repeat(50)}b\n`);
    const controller = new AbortController();
    const searching = run(cwd, 'search', { pattern: '^(a+)+$' }, { path: '/nowhere', signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(searching).rejects.toThrow('interrupted');
  });

  /** A ripgrep that does what a script says; answers the `PATH` where it is found. */
  async function ripgrep(script: string): Promise<string> {
    const bin = await temporaryFolder();
    await writeFile(join(bin, 'rg'), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, 'rg'), 0o755);
    return `${bin}:/usr/bin:/bin`;
  }

  /** A folder, and a ripgrep that says of it what ripgrep 13 says. */
  async function recorded(...events: object[]): Promise<{ cwd: string; path: string }> {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'events'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    return { cwd, path: await ripgrep('cat events') };
  }

  const file = (path: string) => ({ path: { text: path } });
  const begin = (path: string) => ({ type: 'begin', data: file(path) });
  const match = (path: string, line_number: number, lines: object, start: number) => {
    const submatches = [{ match: { text: 'HERE' }, start, end: start + 4 }];
    return { type: 'match', data: { ...file(path), lines, line_number, absolute_offset: 0, submatches } };
  };
  const end = (path: string, binary_offset: number | null = null) => ({
    type: 'end',
    data: { ...file(path), binary_offset },
  });

  test('with ripgrep: its arguments and its answers', async () => {
    const cwd = await folder();
    const path = await ripgrep(
      'echo "$@" >asked; case "$*" in *bad*) echo "regex parse error" >&2; exit 2;; esac; exit 1',
    );
    const args = { pattern: '-x', path: 'src', glob: '*.ts', ignore_case: true };
    expect((await run(cwd, 'search', args, { path })).output).toBe('(nothing found)');
    expect(await readFile(join(cwd, 'asked'), 'utf8')).toMatch(
      /^--no-config --json .*--ignore-case --glob=\*\.ts -e -x -- src\n$/,
    );
    await expect(run(cwd, 'search', { pattern: 'bad' }, { path })).rejects.toThrow('regex parse error');
  });

  test('with ripgrep, of a long line what stands around the match, as without', async () => {
    const long = [`${'é'.repeat(5e5)}HERE${'b'.repeat(1e5)}`, `HERE${'c'.repeat(400)}`] as const;
    const { cwd, path } = await recorded(
      begin('./min.js'),
      match('./min.js', 1, { text: `${long[0]}\n` }, 1e6),
      match('./min.js', 2, { text: `${long[1]}\n` }, 0),
      end('./min.js'),
      begin('./old.txt'),
      match('./old.txt', 3, { bytes: Buffer.from('caf\xe9 HERE\n', 'latin1').toString('base64') }, 5),
      end('./old.txt'),
    );
    await writeFile(join(cwd, 'min.js'), long.join('\n'));
    await writeFile(join(cwd, 'old.txt'), Buffer.from('\n\ncaf\xe9 HERE\n', 'latin1'));
    const { output } = await run(cwd, 'search', { pattern: 'HERE' }, { path });
    expect(output.split('\n')).toEqual([
      `min.js:1:[…] ${'é'.repeat(100)}HERE${'b'.repeat(196)} […]`,
      `min.js:2:HERE${'c'.repeat(296)} […]`,
      'old.txt:3:caf\ufffd HERE',
    ]);
    const without = { pattern: 'HERE', glob: '{min.js,old.txt}' };
    expect((await run(cwd, 'search', without, { path: '/nowhere' })).output).toBe(output);
  });

  test('with ripgrep, a file that turns out to be no text is passed over', async () => {
    const { cwd, path } = await recorded(
      begin('c.bin'),
      match('c.bin', 1, { text: 'HERE\n' }, 0),
      end('c.bin', 70_015),
      begin('d.txt'),
      match('d.txt', 1, { text: 'HERE\n' }, 0),
      end('d.txt'),
    );
    expect((await run(cwd, 'search', { pattern: 'HERE' }, { path })).output).toBe('d.txt:1:HERE');
  });

  test('with ripgrep, no more is read than is wanted, and a line that is too long for anybody is told', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'event'), `${JSON.stringify(match('a', 1, { text: 'HERE\n' }, 0))}\n`);
    const endless = await ripgrep('while :; do cat event; done');
    expect((await run(cwd, 'search', { pattern: 'HERE', max_results: 2 }, { path: endless })).output).toBe(
      'a:1:HERE\na:1:HERE\n[… more than 2 lines match …]',
    );
    const wide = await ripgrep('head -c 17000000 /dev/zero | tr "\\\\0" x; echo; cat event');
    expect((await run(cwd, 'search', { pattern: 'HERE' }, { path: wide })).output).toBe(
      'a:1:HERE\n[… matching lines of more than 16 MiB, which are not shown: 1 …]',
    );
  });

  test('with ripgrep, what it could not read is said beside what it found', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'event'), `${JSON.stringify(match('a', 1, { text: 'HERE\n' }, 0))}\n`);
    const path = await ripgrep('cat event; echo "./b: Permission denied (os error 13)" >&2; exit 2');
    expect((await run(cwd, 'search', { pattern: 'HERE' }, { path })).output).toBe(
      'a:1:HERE\n[… ./b: Permission denied (os error 13) …]',
    );
  });
});

test('the selection', async () => {
  const cwd = await temporaryFolder();
  const names = async (select: 'none' | 'read' | 'all') =>
    (await createTools({ cwd, select })).map((tool) => tool.name);
  expect(await names('none')).toEqual([]);
  expect(await names('read')).toEqual(['read_file', 'list_dir', 'search']);
  expect(await names('all')).toEqual([
    'shell',
    'apply_patch',
    'update_plan',
    'read_file',
    'list_dir',
    'search',
    'fetch_url',
  ]);
  await expect(createTools({ cwd: join(cwd, 'nope') })).rejects.toThrow('ENOENT');
});
