import { expect, it } from 'vitest';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import { runInProcess } from './harness.ts';

const good = 'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n';

it.each([
  ['', ''],
  ['data: {bad\n\n', 'turnwire: 1 event was passed over: it is no JSON object of the expected shape\n'],
  ['data: {bad\n\ndata: 7\n\n', 'turnwire: 2 events were passed over: they are no JSON object of the expected shape\n'],
])('decode says on stderr how many events were passed over: %j', async (junk, told) => {
  const { code, stderr } = await runInProcess(['decode', '--wire', 'chat'], { stdin: junk + good });
  expect([code, stderr]).toEqual([0, told]);
});

it.each([
  ['chat', [], ''],
  [
    'chat',
    ['junk-lines'],
    /^turnwire exec: \d+ events were passed over: they are no JSON object of the expected shape\n$/,
  ],
  ['responses', ['junk-lines'], /^turnwire exec: \d+ events were passed over: they are no JSON object/],
] as const)('exec says it, too: %s with %j', async (wire, faults, told) => {
  await using server = await startMock({ wire, scenario: scenario().text('Hello'), faults: [...faults] });
  const args = ['exec', '--base-url', server.baseUrl, '--wire', wire, '--model', 'm', 'hi'];
  const { code, stdout, stderr } = await runInProcess(args);
  expect([code, stdout]).toEqual([0, 'Hello\n']);
  expect(stderr).toMatch(told);
  if (told === '') expect(stderr).toBe('');
});
