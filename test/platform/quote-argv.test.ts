import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArgv, quoteForShell } from '../../packages/client/src/platform/quote-argv.ts';

test.each([
  [['ls', '-la', 'src/a.ts'], 'ls -la src/a.ts'],
  [['sh', '-c', 'rm -rf x'], "sh -c 'rm -rf x'"],
  [['echo', "it's", ''], "echo 'it'\\''s' ''"],
  [['X=1', '--a=b'], "'X=1' --a=b"],
  [['echo', 'a\nb', '\u001b[8m', 'x\u00a0y', '\u202e', '\u{e0041}', '\\\t'], expect.any(String)],
  [['echo', "a\nb\u2028it's"], "echo $'a\\nb\\u2028it\\'s'"],
  [['~', '$x', '*', '#', 'ü'], "'~' '$x' '*' '#' 'ü'"],
])('%j', (argv, line) => {
  const quoted = quoteArgv(argv);
  expect(quoted).toEqual(line);
  expect(quoted).toMatch(/^[\x20-\x7eü]*$/);
});

test.each([
  ['bash', quoteArgv],
  ['bash', quoteForShell],
  ['sh', quoteForShell],
])('%s reads back the same words', (shell, quote) => {
  const word = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom("'", '\\', '\n', '"', '$', '`', '!', '\u00a0', '-')))
    .map((parts) => parts.join('').replaceAll('\0', ''));
  const commands = fc.sample(fc.array(word, { maxLength: 4 }), 200);
  const script = commands.map((words) => `${quote(['show', ...words])}\n`).join('');
  const told = spawnSync(shell, ['-s'], {
    input: `show() { printf '%s\\0' "$#" "$@"; }\n${script}`,
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
  });
  expect(told.stderr).toBe('');
  expect(told.stdout).toBe(commands.map((words) => [String(words.length), ...words, ''].join('\0')).join(''));
});
