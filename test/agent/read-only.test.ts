import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simpleCommands } from '../../src/agent/tools/shell-words.ts';
import { createTools } from '../../src/agent/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

async function approvalFor(command: unknown, more: object = {}): Promise<string | undefined> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'src'));
  await writeFile(join(cwd, 'src/a.ts'), 'a\n');
  await symlink('/etc', join(cwd, 'etc'));
  const shell = (await createTools({ cwd })).find((tool) => tool.name === 'shell')!;
  const plan = await shell.plan(
    { type: 'json', value: { command, ...more } },
    { signal: new AbortController().signal },
  );
  return plan.approval?.reason;
}

test.each([
  'ls',
  'ls -la src',
  'cat src/a.ts | head -n 3',
  "grep -rn 'foo bar' src && wc -l src/a.ts",
  'rg --line-number "a|b" src',
  'git status; git diff HEAD~1 -- src',
  'git log --oneline -5',
  'git branch --show-current',
  'find . -name a.ts -type f',
  "sed -n '1,20p' src/a.ts",
  'sort -u src/a.ts | uniq -c',
  'pwd;',
  ['cat', 'src/a.ts'],
  ['bash', '-lc', 'cat src/a.ts'],
])('needs no approval: %j', async (command) => {
  expect(await approvalFor(command)).toBeUndefined();
});

test.each([
  'rm -rf src',
  'cat src/a.ts > b',
  'cat src/a.ts >> b',
  'cat src/a.ts | tee b',
  'ls $(rm x)',
  'ls `rm x`',
  'ls "$(rm x)"',
  'ls "`rm x`"',
  'cat <(rm x)',
  'ls & rm x',
  'ls &',
  'ls\nrm x',
  'ls \\\n; rm x',
  'X=1 ls',
  'PATH=. ls',
  'ls *',
  'ls {a,b}',
  'ls ~',
  'echo $HOME',
  'ls || rm x',
  'ls |& rm',
  '!ls',
  'ls #',
  'cd .. && cat secret',
  'env',
  'eval ls',
  'exec ls',
  'command rm x',
  './ls',
  '/bin/ls',
  'xargs rm',
  'find . -delete',
  'find . -exec rm x',
  'find . -fprintf out x',
  'find -L .',
  'sort -o b src/a.ts',
  'sort -uo b src/a.ts',
  'sort --outp=b src/a.ts',
  'sort -S -- -o b',
  'uniq src/a.ts b',
  'sed -i s/a/b/ src/a.ts',
  "sed -n '1w b' src/a.ts",
  'sed -n 1p -i src/a.ts',
  'rg --pre=./evil x',
  'rg --pre ./evil x',
  'rg -L x',
  'grep -R x .',
  'date -s 2020-01-01',
  'date 010100002020',
  'git -c core.pager=evil log',
  'git log --output=b',
  'git log --out=b',
  'git diff --ext-diff',
  'git branch new',
  'git checkout .',
  'git',
  'file -C',
  'hostname evil',
  'test -v x',
  '',
  ';',
  '| ls',
  'ls;;ls',
  "ls 'a\nb'",
  'ls\u00a0x',
  ['ls', '-la', '/etc/'],
  ['rm', 'x'],
  ['bash', '-c', 'rm x'],
  ['bash', 'x'],
  'cat /etc/passwd',
  'cat ../x',
  'cat src/../../x',
  'cat etc/passwd',
  'cat etc/../var/x',
  'cat ./etc/../src',
  'cat nope/../etc/../src',
  'ls etc',
  'grep --file=/etc/passwd x',
  'grep -f/etc/passwd x',
])('needs approval: %j', async (command) => {
  if (command === '') await expect(approvalFor(command)).rejects.toThrow('invalid arguments');
  else expect(await approvalFor(command)).toEqual(expect.any(String));
});

test('a folder outside needs approval for everything', async () => {
  expect(await approvalFor('ls', { cwd: '..' })).toContain('outside the working directory');
  expect(await approvalFor('ls', { cwd: 'etc' })).toContain('outside the working directory');
  expect(await approvalFor('cat ../src/a.ts', { cwd: 'src' })).toBeUndefined();
});

test('the rule is the exact command in the exact folder', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'src'));
  const shell = (await createTools({ cwd })).find((tool) => tool.name === 'shell')!;
  const rules = async (value: object) =>
    (await shell.plan({ type: 'json', value }, { signal: new AbortController().signal })).approval?.rules[0];
  const all = await Promise.all([
    rules({ command: 'rm x' }),
    rules({ command: 'rm  x' }),
    rules({ command: ['rm', 'x'] }),
    rules({ command: 'rm x', cwd: 'src' }),
  ]);
  expect(new Set(all).size).toBe(4);
});

test('what we read as plain words is what bash reads', () => {
  const pieces = [
    'a',
    'b',
    ' ',
    '  ',
    '"',
    "'",
    '"a b"',
    "'a b'",
    '\\',
    '$a',
    '*',
    '?',
    '~',
    '#',
    '=',
    '-',
    '{a,b}',
    '!',
    '^',
    '%',
    '@',
    ':',
    '+',
    '\t',
    'é',
    '\u00a0',
    '[',
    ']',
    '(',
    '<',
    '>',
    '`',
  ];
  const line = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `show ${parts.join('')}`);
  const texts = fc.sample(line, 600).filter((text) => simpleCommands(text)?.length === 1);
  expect(texts.length).toBeGreaterThan(50);
  // One shell for all: a process for each takes long on a busy machine.
  const script = `show() { printf '%s\\n' "$#" "$@"; }; for text; do eval "$text"; printf '%s\\0' "$?"; done`;
  const { stdout } = spawnSync('bash', ['-c', script, 'bash', ...texts], { encoding: 'utf8', cwd: '/' });
  const told = stdout.split('\0');
  const read = texts.map((text) => {
    const args = simpleCommands(text)?.[0]?.slice(1) ?? [];
    return { text, told: [args.length, ...args, '0'].join('\n') };
  });
  expect(texts.map((text, n) => ({ text, told: told[n] }))).toEqual(read);
});
