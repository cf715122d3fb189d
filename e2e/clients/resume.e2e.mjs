// The openai package at a bridge with --resume: a stream whose connection was lost goes on where it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { startMock } from '../../packages/testing/src/index.ts';
import { startBridge } from '../bridge-process.ts';

test('a stream that was left goes on behind its last event, without a token lost or doubled', async () => {
  await using mock = await startMock({ faults: ['drip:50'] });
  await using bridge = await startBridge({ upstream: mock.baseUrl, wire: 'chat', more: ['--resume', '60000'] });
  const client = new OpenAI({ baseURL: bridge.baseUrl, apiKey: 'none', maxRetries: 0 });
  const events = [];
  const text = () =>
    events.flatMap(({ type, delta }) => (type === 'response.output_text.delta' ? [delta] : [])).join('');
  for await (const event of await client.responses.create({ model: 'm', input: 'hi', stream: true })) {
    events.push(event);
    if (text() !== '') break; // the connection is gone
  }
  assert.equal(text(), 'This');
  const { id } = events[0].response;
  const after = { stream: true, starting_after: events.at(-1).sequence_number };
  for await (const event of await client.responses.retrieve(id, after)) events.push(event);
  assert.equal(text(), 'This is a scripted answer: no model was asked. You said: hi');
  assert.equal(events.at(-1).type, 'response.completed');
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    events.map((_, place) => place),
  );
});
