import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChunks } from '../../packages/agent/src/patch/apply.ts';
import { shownDiff, unifiedDiff } from '../../packages/agent/src/patch/diff.ts';
import { parsePatch } from '../../packages/agent/src/patch/parse.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

function patch(...lines: string[]): string {
  return ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');
}

function update(text: string, ...lines: string[]): string {
  const [section] = parsePatch(patch('*** Update File: f', ...lines));
  if (section?.type !== 'update') throw new Error('no update');
  return applyChunks(text, section.chunks, 'f');
}

async function apply(cwd: string, input: string): Promise<string> {
  const tool = (await createTools({ cwd })).find((candidate) => candidate.name === 'apply_patch')!;
  const signal = new AbortController().signal;
  const plan = await tool.plan({ type: 'text', text: input }, { signal });
  return (await plan.run({ signal, output: () => undefined })).output;
}

describe('the grammar', () => {
  test('every kind of section', () => {
    const sections = parsePatch(
      patch(
        '*** Add File: a.txt',
        '+one',
        '+',
        '*** Delete File: b.txt',
        '*** Update File: c.txt',
        '*** Move to: d.txt',
        '@@ class A',
        '@@ f() {',
        ' keep',
        '-old',
        '+new',
        '@@',
        '+last',
        '*** End of File',
      ),
    );
    expect(sections).toEqual([
      { type: 'add', path: 'a.txt', lines: ['one', ''] },
      { type: 'delete', path: 'b.txt' },
      {
        type: 'update',
        path: 'c.txt',
        moveTo: 'd.txt',
        chunks: [
          {
            headers: ['class A', 'f() {'],
            lines: [
              { type: 'keep', text: 'keep' },
              { type: 'remove', text: 'old' },
              { type: 'add', text: 'new' },
            ],
            atEnd: false,
          },
          { headers: [], lines: [{ type: 'add', text: 'last' }], atEnd: true },
        ],
      },
    ]);
  });

  test('a here-document around it is taken off', () => {
    expect(parsePatch(`<<'EOF'\n${patch('*** Delete File: b')}\nEOF`)).toEqual([{ type: 'delete', path: 'b' }]);
  });

  test.each([
    ['', 'the first line of a patch'],
    ['*** Begin Patch\n*** Delete File: b', 'the last line of a patch'],
    [patch(), 'changes no file'],
    [patch('hello'), 'expected a file header'],
    [patch('*** Update File: a'), 'changes nothing'],
    [patch('*** Update File: a', '@@', 'x'), 'expected a line that begins with'],
    [patch('*** Update File: a', '@@ x'), 'the end of the patch'],
    [patch('*** Add File:  '), 'expected a file header'],
  ])('%j is refused', (text, message) => {
    expect(() => parsePatch(text)).toThrow(message);
  });
});

describe('finding the place', () => {
  test('the second of two equal places, by its header', () => {
    const text = 'a {\n  x\n}\nb {\n  x\n}\n';
    expect(update(text, '@@ b {', '-  x', '+  y')).toBe('a {\n  x\n}\nb {\n  y\n}\n');
  });

  test('several chunks go on from one another', () => {
    expect(update('x\nx\nx\n', '@@', '-x', '+1', '@@', '-x', '+2')).toBe('1\n2\nx\n');
  });

  test('white space and typographic signs may differ; what stays is left as the file has it', () => {
    expect(update('\tif (a)  \n\t\tsay(“hi”);\n', ' if (a)', '-say("hi");', '+\t\tbye();')).toBe(
      '\tif (a)  \n\t\tbye();\n',
    );
  });

  test('at the end of the file', () => {
    expect(update('x\ny\nx\n', '@@', '-x', '+z', '*** End of File')).toBe('x\ny\nz\n');
    expect(update('x\n', '@@', '+y')).toBe('x\ny\n');
    expect(update('x', '@@', '+y')).toBe('x\ny\n');
    expect(update('', '@@', '+y')).toBe('y\n');
    expect(update('a\nb\n', '@@ a', '+y')).toBe('a\ny\nb\n');
  });

  test('line ends and a missing last line break are kept', () => {
    expect(update('a\r\nb\r\nc\r\n', '@@', ' a', '-b', '+B')).toBe('a\r\nB\r\nc\r\n');
    expect(update('a\nb', '@@', '-a', '+A')).toBe('A\nb');
    expect(update('\ufeffa\nb\n', '@@', ' a', '-b', '+B')).toBe('\ufeffa\nB\n');
  });

  test('lines that are not there are shown', () => {
    expect(() => update('a\n', '@@', '-b', '+c')).toThrow('f: these lines are not there:\nb');
    expect(() => update('a\n', '@@ nope', '-a', '+c')).toThrow('the line of "@@ nope" is not there');
  });
});

describe('the diff', () => {
  test('a hunk with context, an added and a deleted file', () => {
    expect(unifiedDiff('f', 'a\nb\nc\nd\ne\n', 'a\nb\nc\nD\ne\n')).toBe(
      '--- f\n+++ f\n@@ -1,5 +1,5 @@\n a\n b\n c\n-d\n+D\n e\n',
    );
    expect(unifiedDiff('f', null, 'a\n')).toBe('--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n');
    expect(unifiedDiff('f', 'a', null)).toBe('--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n');
  });

  test('CRLF is said once where all lines end so, and shown where only some do', () => {
    expect(shownDiff(unifiedDiff('f', 'a\r\nb\r\n', 'a\r\nB\r\n'))).toBe(
      '--- f (CRLF)\n+++ f (CRLF)\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n',
    );
    const mixed = unifiedDiff('f', 'a\r\nb\n', 'a\nb\n');
    expect(shownDiff(mixed)).toBe(mixed);
  });

  test('of long lines what differs is shown, and what is left out is told', () => {
    const [start, end] = ['s'.repeat(1_000_000), 'e'.repeat(500_000)];
    const shown = shownDiff(unifiedDiff('f', `one\n${start}old${end}\n`, `two\n${start}new${end}\n`));
    const cut = (mark: string, text: string) =>
      `${mark}[… 999900 characters, the same in both …]${'s'.repeat(100)}${text}${'e'.repeat(100)}[… 499900 characters, the same in both …]`;
    expect(shown.split('\n').slice(2)).toEqual([
      '@@ -1,2 +1,2 @@',
      '-one',
      cut('-', 'old'),
      '+two',
      cut('+', 'new'),
      '',
    ]);
  });

  test('of a long line that differs as a whole, and of one that stays, the middle is left out', () => {
    const [one, other] = ['a'.repeat(3000), 'b'.repeat(3000)];
    const half = (letter: string) => letter.repeat(1000);
    const cut = (letter: string) => `${half(letter)}[… 1000 characters …]${half(letter)}`;
    const shown = shownDiff(unifiedDiff('f', `${one}\nx\n`, `${one}\n${other}\nx\n`));
    expect(shown.split('\n').slice(2)).toEqual(['@@ -1,2 +1,3 @@', ` ${cut('a')}`, `+${cut('b')}`, ' x', '']);
    const crlf = shownDiff(unifiedDiff('f', null, `${one}\r\n`));
    expect(crlf).toBe(`--- /dev/null (CRLF)\n+++ f (CRLF)\n@@ -0,0 +1 @@\n+${cut('a')}\n`);
  });

  test('a long line that becomes a short one, or repeats itself, is told whole', () => {
    const long = 'ab'.repeat(1500);
    expect(
      shownDiff(unifiedDiff('f', `${long}\n`, 'ab\n'))
        .split('\n')
        .slice(3),
    ).toEqual([`-${long.slice(0, 1000)}[… 1000 characters …]${long.slice(-1000)}`, '+ab', '']);
    // What was left out, and what is shown, are the line.
    const shown = shownDiff(unifiedDiff('f', `${long}\n`, `${long}ab\n`))
      .split('\n')
      .slice(3, 5);
    const size = (line: string) =>
      line.replaceAll(/\[… (\d+)[^…]*…\]/g, (_, count) => '.'.repeat(Number(count))).length - 1;
    expect(shown.map(size)).toEqual([long.length, long.length + 2]);
  });

  test('git applies it, whatever the texts', async () => {
    const cwd = await temporaryFolder();
    const texts = fc
      .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    await fc.assert(
      fc.asyncProperty(texts, texts, async (before, after) => {
        fc.pre(before !== after && before !== '' && after !== '');
        await writeFile(join(cwd, 'f'), before);
        await writeFile(join(cwd, 'd'), unifiedDiff('f', before, after));
        execFileSync('git', ['apply', '-p0', '--unidiff-zero', 'd'], { cwd });
        expect(await readFile(join(cwd, 'f'), 'utf8')).toBe(after);
      }),
      { numRuns: 25 },
    );
  });

  test('a large difference is shown as a whole, fast', () => {
    const before = Array.from({ length: 20_000 }, (_, index) => `a${index}\n`).join('');
    const after = Array.from({ length: 20_000 }, (_, index) => `b${index}\n`).join('');
    expect(unifiedDiff('f', before, after).split('\n')).toHaveLength(40_004);
  });
});

describe('apply_patch', () => {
  test('adds, updates, moves and deletes', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'up.txt'), 'one\ntwo\n');
    await writeFile(join(cwd, 'run.sh'), 'echo\n');
    await chmod(join(cwd, 'run.sh'), 0o755);
    await writeFile(join(cwd, 'gone.txt'), 'x\n');
    const output = await apply(
      cwd,
      patch(
        '*** Add File: deep/er/new.txt',
        '+hello',
        '*** Update File: up.txt',
        '@@',
        '-two',
        '+2',
        '*** Update File: run.sh',
        '*** Move to: bin/go.sh',
        '@@',
        '-echo',
        '+echo hi',
        '*** Delete File: gone.txt',
      ),
    );
    expect(output).toBe('applied:\nA deep/er/new.txt\nM up.txt\nR run.sh -> bin/go.sh\nD gone.txt');
    expect(await readFile(join(cwd, 'deep/er/new.txt'), 'utf8')).toBe('hello\n');
    expect(await readFile(join(cwd, 'up.txt'), 'utf8')).toBe('one\n2\n');
    expect(await readFile(join(cwd, 'bin/go.sh'), 'utf8')).toBe('echo hi\n');
    expect((await stat(join(cwd, 'bin/go.sh'))).mode & 0o777).toBe(0o755);
    expect((await readdir(cwd)).sort()).toEqual(['bin', 'deep', 'up.txt']);
  });

  test('one part that does not fit: nothing is changed', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a'), 'a\n');
    const input = patch('*** Add File: b', '+b', '*** Update File: a', '@@', '-nope', '+x');
    await expect(apply(cwd, input)).rejects.toThrow('the patch was not applied: a: these lines are not there:\nnope');
    expect(await readdir(cwd)).toEqual(['a']);
  });

  test('a file that changed after the diff was shown is not overwritten', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a'), 'a\n');
    const tool = (await createTools({ cwd })).find((candidate) => candidate.name === 'apply_patch')!;
    const signal = new AbortController().signal;
    const value = { input: patch('*** Update File: a', '@@', '-a', '+b') };
    const plan = await tool.plan({ type: 'json', value }, { signal });
    expect(plan.changes).toMatchObject([{ kind: 'update', old_text: 'a\n', new_text: 'b\n' }]);
    expect(plan.approval?.rules).toEqual([`write:${join(cwd, 'a')}`]);
    await writeFile(join(cwd, 'a'), 'somebody else\n');
    await expect(plan.run({ signal, output: () => undefined })).rejects.toThrow('changed by somebody else');
    expect(await readFile(join(cwd, 'a'), 'utf8')).toBe('somebody else\n');
  });

  test('a link that leads outside is seen as outside, also one to nothing', async () => {
    const cwd = await temporaryFolder();
    const other = await temporaryFolder();
    await symlink(join(other, 'not-yet'), join(cwd, 'link'));
    await symlink(other, join(cwd, 'dir'));
    const tool = (await createTools({ cwd })).find((candidate) => candidate.name === 'apply_patch')!;
    const signal = new AbortController().signal;
    for (const path of ['link', 'dir/x', '../elsewhere']) {
      const plan = await tool.plan({ type: 'text', text: patch(`*** Add File: ${path}`, '+x') }, { signal });
      expect(plan.approval?.reason).toContain('outside the working directory');
    }
  });

  test('what is not UTF-8 is left alone', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'latin1'), Buffer.from([0x61, 0xe9, 0x0a]));
    await expect(apply(cwd, patch('*** Update File: latin1', '@@', '-a', '+b'))).rejects.toThrow('not UTF-8');
  });

  test.each([
    [patch('*** Delete File: nope'), 'does not exist'],
    [patch('*** Update File: nope', '@@', '-a', '+b'), 'does not exist'],
    [patch('*** Update File: a', '*** Move to: b', '@@', '-a', '+b'), 'exists already'],
    [patch('*** Update File: a', '@@', ' a'), 'changes nothing'],
    [patch('*** Delete File: dir'), 'not a regular file'],
  ])('%j', async (input, message) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a'), 'a\n');
    await writeFile(join(cwd, 'b'), 'b\n');
    await mkdir(join(cwd, 'dir'));
    await expect(apply(cwd, input)).rejects.toThrow(message);
  });
});
