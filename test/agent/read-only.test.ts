import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noSandbox } from '../../packages/agent/src/sandbox/sandbox.ts';
import { simpleCommands } from '../../packages/agent/src/tools/read-only/shell-words.ts';
import { createTools } from '../../packages/agent/src/tools/toolset.ts';
import { temporaryFolder } from './helpers.ts';

interface Options {
  readonly cwd?: string;
  readonly sandboxed?: boolean;
}

async function approvalFor(command: unknown, options: Options = {}): Promise<string | undefined> {
  const cwd = await temporaryFolder();
  for (const folder of ['src', '.git', 'other']) await mkdir(join(cwd, folder));
  await writeFile(join(cwd, 'src/a.ts'), 'a\n');
  await symlink('/etc', join(cwd, 'etc'));
  await symlink('/etc/passwd', join(cwd, '-k'));
  await symlink('/etc/passwd', join(cwd, 'k'));
  const sandbox = { ...noSandbox(), works: options.sandboxed ?? false };
  const shell = (await createTools({ cwd, sandbox })).find((tool) => tool.name === 'shell')!;
  const value = options.cwd === undefined ? { command } : { command, cwd: options.cwd };
  const plan = await shell.plan({ type: 'json', value }, { signal: new AbortController().signal });
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
  'grep -rn x src',
  'grep -rn -- --flag src',
  "grep -nE -A3 --include=a.ts '/usr/(a|b)' src",
  'grep -e x -e y src/a.ts',
  'rg -n x',
  'rg -tts -g a.ts --files src',
  'head -n 20 src/a.ts',
  'head -5 src/a.ts',
  'tail -n +3 src/a.ts',
  'tail -n -3 src/a.ts',
  'wc -l src/a.ts',
  'sort -u src/a.ts',
  'sort -t, -k2n -r src/a.ts',
  'cut -d/ -f1 src/a.ts',
  'diff -u src/a.ts src/a.ts',
  'diff -r --no-dereference src other',
  'comm -12 src/a.ts src/a.ts',
  'cmp -s src/a.ts src/a.ts',
  'uniq -c src/a.ts',
  'date -u +%F',
  'date',
  "find . -name '*.ts' -mtime -7 -not -path './other/*'",
  'find . -maxdepth 2 -type d -print0',
  'du -sh src',
  'df -h .',
  'stat -c %s src/a.ts',
  'ls -la --color=never',
  'ls --version',
  'readlink -f src/a.ts',
  'realpath src/a.ts',
  'nl -ba src/a.ts',
  'cat -n src/a.ts',
  "sed -n '1,3p;5p' src/a.ts",
  'seq 5 -1 1',
  "tr -d 'a-z'",
  'echo -n /etc/passwd --anything',
  'basename /etc/passwd .x',
  'dirname /etc/passwd',
  'md5sum src/a.ts',
  'which -a ls git',
  'id -un',
  'uname -a',
  'whoami; hostname; true; false',
  'git --no-pager log --oneline --graph --all -n 5 -- src',
  'git log -p -S x --since=2020-01-01 --format=%h',
  'git show HEAD:src/a.ts',
  'git show --stat HEAD~1',
  'git diff --cached --name-only',
  'git diff main..HEAD -U3 -w',
  'git blame -L 1,5 src/a.ts',
  'git ls-files -o --exclude-standard',
  'git rev-parse --show-toplevel',
  'git describe --tags --always',
  'git shortlog -sn HEAD',
  'git status --porcelain=v2 -uno',
  'git --version',
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
  // A dash, and what stands behind two, is an operand.
  'uniq - b',
  ['uniq', '-', 'b'],
  'uniq -- - b',
  'uniq -c -f 1 - b',
  'cat -- -k',
  'cat -k',
  'head -n2 -- -k',
  'tail -n1 -- -k',
  'grep root -- -k',
  'grep -e root -- -k',
  'grep x k',
  'rg --files etc',
  'rg --type-list etc',
  'sort -- -k',
  'sort -S -- -k',
  'wc -l -- -k',
  'date -fk',
  'date -rk',
  'date --file=k',
  'file -mk src/a.ts',
  'grep -fk src/a.ts',
  'grep -rfk src/a.ts',
  'stat -Lk',
  'ls -L .',
  'ls -H etc',
  'du -L .',
  'du -aL .',
  'find . -newer k',
  'find -H etc',
  'find . -samefile k',
  'find . -files0-from k',
  'find . -name -delete',
  // `--` does not end the expression of find.
  'find -- -delete',
  'find . -name x -o -- -delete',
  ['find', '-P', '--', '-exec', 'rm', 'a', ';'],
  'diff -rN src other',
  'diff src other',
  'diff src/a.ts src',
  'diff -l src/a.ts src/a.ts',
  'diff --from-file=k src/a.ts',
  'md5sum -c src/a.ts',
  'sha256sum --check src/a.ts',
  'wc --files0-from=src/a.ts',
  'sort --files0-from=src/a.ts',
  'sort --random-source=k src/a.ts',
  'sort -T /tmp src/a.ts',
  'sort --compress-program=./x src/a.ts',
  'rg -zx y',
  'rg -f k x',
  'rg --ignore-file=k x',
  'tail -f src/a.ts',
  'date 01010000',
  'date +%F 01010000',
  'hostname -F k',
  'uname -a b',
  'sed -n 1p -s -i src/a.ts',
  'sed -n -e 1p src/a.ts',
  'sed 1p src/a.ts',
  'sed -n 1p -- -k',
  'head -n',
  'head -n --lines=3',
  'ls --colo=never',
  'ls --all=x',
  'ls --unknown',
  'ls -é',
  'git diff -Ok',
  'git diff --output=b',
  'git diff --no-index src/a.ts k',
  'git diff --submodule=diff',
  'git diff --textconv',
  'git ls-files -Xk',
  'git ls-files --exclude-per-directory=k',
  'git ls-files --recurse-submodules',
  'git blame -Sk src/a.ts',
  'git blame --contents k src/a.ts',
  'git blame --ignore-revs-file=k src/a.ts',
  'git blame k',
  'git log --show-signature',
  "git log --format='%h %G?'",
  "git log --pretty='%GS'",
  ['git', 'log', '--format', '%GK'],
  "git log --format='%h%+G?'",
  "git show --pretty='% GS'",
  'git log --remerge-diff',
  'git log --help',
  'git log --stdin',
  'git log -- ../x',
  'git describe --dirty',
  'git describe --broken',
  'git branch -D x',
  'git branch -a x',
  'git status --ignore-submodules=none',
  'git --git-dir=x status',
  'git -C src status',
  'git --exec-path=. status',
  'git --paginate log',
  'git grep x',
  'git stash',
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
  expect(await approvalFor('cat a.ts ../../x', { cwd: 'src' })).toContain('outside the working directory');
});

test('what takes apart any format is free in a sandbox only', async () => {
  expect(await approvalFor('file -b src/a.ts')).toBe('file is a read-only command in a sandbox only');
  expect(await approvalFor('file -b src/a.ts', { sandboxed: true })).toBeUndefined();
  for (const command of ['file -mk src/a.ts', 'file -f k', 'file -C', 'file -z src/a.ts', 'file k', 'rm x']) {
    expect(await approvalFor(command, { sandboxed: true })).toEqual(expect.any(String));
  }
});

test('the question shows what is executed, and where', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'a b'));
  const shell = (await createTools({ cwd })).find((tool) => tool.name === 'shell')!;
  const question = async (value: object): Promise<unknown> => {
    const { title, approval } = await shell.plan({ type: 'json', value }, { signal: new AbortController().signal });
    return [title, approval?.reason];
  };
  const reason = 'rm is not on the list of read-only commands';
  const more = 'sh is not on the list of read-only commands';
  expect(await question({ command: ['rm', '-rf', 'x y'] })).toEqual(["rm -rf 'x y'", reason]);
  expect(await question({ command: ['sh', '-c', 'rm -rf x'] })).toEqual(["sh -c 'rm -rf x'", reason]);
  expect(await question({ command: ['sh', '-ec', 'rm x\nls'] })).toEqual(["sh -ec $'rm x\\nls'", more]);
  expect(await question({ command: 'rm -rf x' })).toEqual(['rm -rf x', reason]);
  expect(await question({ command: 'rm x', cwd: 'a b' })).toEqual(['rm x', `in the folder '${cwd}/a b': ${reason}`]);
  expect(await question({ command: 'ls', cwd: '/' })).toEqual([
    'ls',
    'in the folder /: it runs outside the working directory',
  ]);
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
    const args = simpleCommands(text)?.[0]?.words.slice(1) ?? [];
    return { text, told: [args.length, ...args, '0'].join('\n') };
  });
  expect(texts.map((text, n) => ({ text, told: told[n] }))).toEqual(read);
});
