import { expect, it } from 'vitest';
import { blocksOf, pageOf, runExample } from './examples.ts';

const programs = blocksOf(pageOf('docs/testing.md'), 'ts').filter(({ prints }) => prints !== undefined);

it.each(programs)('docs/testing.md, $heading: prints what the page says', { timeout: 60_000 }, async (program) => {
  const { code, stdout, stderr } = await runExample(program.code);
  expect({ code, stderr, stdout: stdout.trimEnd() }).toEqual({
    code: 0,
    stderr: '',
    stdout: program.prints?.trimEnd(),
  });
});

it('docs/testing.md has a program against the real SDK of the Messages wire', () => {
  expect(programs.filter(({ code }) => code.includes("from '@anthropic-ai/sdk'"))).toHaveLength(1);
});
