import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { examine } from '../../turnwire/src/doctor/index.ts';

type Json = Record<string, unknown>;

const usage = { input_tokens: 1, output_tokens: 1 };
const start = {
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage },
};
const open = (index: number, block: Json): Json => ({ type: 'content_block_start', index, content_block: block });
const delta = (index: number, one: Json): Json => ({ type: 'content_block_delta', index, delta: one });
const stop = (index: number): Json => ({ type: 'content_block_stop', index });
const text = (index: number): Json[] => [
  open(index, { type: 'text', text: '' }),
  delta(index, { type: 'text_delta', text: 'Hi.' }),
  stop(index),
];
const thinking = { type: 'thinking_delta', thinking: 'Hm.' };
const signature = { type: 'signature_delta', signature: 'c2ln' };
const thought = (...deltas: Json[]): Json[] => [
  open(0, { type: 'thinking', thinking: '', signature: '' }),
  ...deltas.map((one) => delta(0, one)),
  stop(0),
];
const end: Json[] = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
  { type: 'message_stop' },
];

/** A server that says the same to everybody, on the Messages wire alone. */
async function findingsOf(events: readonly Json[]): Promise<[string, string][]> {
  const body = events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    req.resume();
    const served = req.url === '/v1/messages';
    res.writeHead(served ? 200 : 404, { 'content-type': served ? 'text/event-stream' : 'application/json' });
    res.end(served ? body : '{"error":{"message":"no"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { probes } = await examine({ url, model: 'm', wires: ['messages'], timeoutMs: 15_000, holdMs: 100 });
  server.close();
  const { findings } = probes.find(({ name }) => name === 'events')!;
  return findings.map(({ quirk, seen }) => [quirk, seen]);
}

it.each([
  ['a good answer', [start, ...thought(thinking, signature), ...text(1), ...end], undefined],
  ['a second start', [start, start, ...text(0), ...end], 'a second message_start'],
  [
    'thinking behind its signature',
    [start, ...thought(thinking, signature, thinking), ...text(1), ...end],
    'thinking after its signature',
  ],
  [
    'a delta that its block does not have, and one of a block that never began',
    [start, open(0, { type: 'text', text: '' }), delta(0, thinking), stop(0), delta(4, thinking), ...end],
    'thinking_delta in a text block, and 1 more',
  ],
  [
    'a block that is still open at the end',
    [start, ...text(0), ...text(1).slice(0, 2), ...end],
    'message_delta before every block stopped, and 1 more',
  ],
])('the order of the Messages API: %s', async (_name, events, seen) => {
  expect(await findingsOf(events)).toEqual(seen === undefined ? [] : [['order', seen]]);
});
