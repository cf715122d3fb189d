import { expect, it } from 'vitest';
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
