/**
 * Runs the test files of a folder one after the other, each in a process of its own, and prints a line per test and
 * the sum: `node e2e/run.ts e2e/clients`. The last line is `N passed, N failed`, and how many were skipped, if any.
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import type { EventData } from 'node:test';

/** Ends a test that hangs, whatever it waits for. */
const TEST_MS = 180_000;

const root = join(import.meta.dirname, '..');
const folder = join(root, process.argv[2] ?? 'e2e/clients');
const names = readdirSync(folder).filter((name) => /\.e2e\.(?:ts|mjs)$/.test(name));
const counts = { passed: 0, failed: 0, skipped: 0 };
const say = (text: string): boolean => process.stdout.write(text);

const tests = run({ files: names.sort().map((name) => join(folder, name)), concurrency: 1, timeout: TEST_MS });
tests.on('test:stdout', ({ message }) => say(message));
tests.on('test:stderr', ({ message }) => say(message));
tests.on('test:pass', (data) => {
  const { skip, details } = data;
  if (details.type === 'suite') return;
  if (skip === undefined || skip === false) {
    counts.passed++;
    say(`ok      ${whereOf(data)}\n`);
  } else {
    counts.skipped++;
    say(`skipped ${data.name}: ${String(skip)}\n`);
  }
});
tests.on('test:fail', (data) => {
  if (data.details.type === 'suite' && isSum(data.details.error)) return;
  counts.failed++;
  say(`FAILED  ${whereOf(data)}\n${explain(data.details.error)}\n`);
});
tests.on('end', () => {
  const { passed, failed, skipped } = counts;
  say(`\n${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
  // A run in which nothing ran proves nothing.
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
});
tests.resume();

function whereOf({ file, name, details }: EventData.TestPass | EventData.TestFail): string {
  return `${file === undefined ? '' : relative(root, file)}: ${name} (${Math.round(details.duration_ms)} ms)`;
}

/** A suite whose tests failed says so again; one whose hook failed says something new. */
function isSum(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed';
}

function explain(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? cause.message;
}
