import { describe, expect, it, vi } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { blocksOf, pageOf, runExample } from './examples.ts';

vi.setConfig({ testTimeout: 60_000 });

const page = pageOf('docs/library.md');
const examples = blocksOf(page, 'ts');

describe('docs/library.md', () => {
  it.each(examples)('$heading: runs, ends by itself, and prints what the page says', async ({ code, prints }) => {
    // The server that the page tells its reader to start.
    await using mock = await startMock();
    const run = await runExample(code, { BASE_URL: mock.baseUrl, API_KEY: 'sk-example' });
    expect(run.stderr).toBe('');
    expect(run.stdout).not.toBe('');
    if (prints !== undefined) expect(run.stdout.trimEnd()).toBe(prints.trimEnd());
    expect(run.code).toBe(0);
  });

  it('has an example of everything that it promises', () => {
    expect(examples.length).toBeGreaterThanOrEqual(9);
    expect(examples.filter(({ prints }) => prints === undefined)).toEqual([]);
  });
});
