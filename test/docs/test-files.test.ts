import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alone } from '../alone.ts';

const root = join(import.meta.dirname, '..', '..');
const files = globSync('test/**/*.ts', { cwd: root }).map((path) => ({
  path,
  code: readFileSync(join(root, path), 'utf8'),
}));
const isTest = (path: string): boolean => path.endsWith('.test.ts');

function pathsWith(pattern: RegExp, tests: boolean): string[] {
  return files.filter(({ path, code }) => isTest(path) === tests && pattern.test(code)).map(({ path }) => path);
}

/** Calls that change, or measure, the whole process. */
const ofTheProcess =
  /\b(?:vi\.(?:mock|doMock|stubGlobal)|process\.(?:memoryUsage|cpuUsage|getActiveResourcesInfo|chdir)|setGlobal\w+)\(/;

describe('test files that share a process', () => {
  it('leave it as it was, and measure nothing of it: what does not is alone in one', () => {
    expect(pathsWith(ofTheProcess, true).filter((path) => !alone.includes(path))).toEqual([]);
    expect(alone.filter((path) => !files.some((file) => file.path === path))).toEqual([]);
  });

  it('have helpers that leave hooks to them: a helper is loaded once, and its hooks would be those of the first file', () => {
    expect(pathsWith(/^(?:before|after)(?:All|Each)\(/m, false)).toEqual([]);
  });
});
