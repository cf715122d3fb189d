import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';
import { askOn, openSocket, startRig, type Json } from './harness.ts';
import {
  chatChunk,
  chatEnd,
  startBridge,
  startRawUpstream,
  type RawExchange,
  type RawUpstream,
} from './raw-upstream.ts';

let upstream: RawUpstream;
let bridge: Bridge;
let socket: WebSocket;
let seen: Json[];
beforeEach(async () => {
  upstream = await startRawUpstream();
  bridge = await startBridge([upstream]);
  socket = await openSocket(bridge);
  seen = [];
  socket.on('message', (data: Buffer) => seen.push(JSON.parse(data.toString()) as Json));
});
afterEach(async () => {
  socket.terminate();
  await bridge.close();
  await upstream.close();
});

const send = (frame: Json): void => socket.send(JSON.stringify(frame));
const create = (more: Json): void => send({ type: 'response.create', model: 'm', store: false, ...more });

/** Settles with the first event of which it holds, seen already or to come. */
async function event(holds: (event: Json) => boolean): Promise<Json> {
  for (;;) {
    const found = seen.find(holds);
    if (found !== undefined) return found;
    await once(socket, 'message');
  }
}

const ofType =
  (type: string, streamId?: string) =>
  (one: Json): boolean =>
    one.type === type && one.stream_id === streamId;

async function begin(): Promise<RawExchange> {
  const exchange = await upstream.next();
  exchange.res.writeHead(200, { 'content-type': 'text/event-stream' });
  return exchange;
}

const lastUser = ({ body }: RawExchange): unknown => (body.messages as Json[]).at(-1)?.content;
const callChunk = (name: string): string => {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name, arguments: '{}' } };
  const chunk = (delta: Json, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  return `${chunk({ tool_calls: [call] }, null)}${chunk({}, 'tool_calls')}data: [DONE]\n\n`;
};

describe('streams on one socket', () => {
  it('go on beside each other, and each event names its own', async () => {
    create({ stream_id: 'A', input: 'a' });
    create({ stream_id: 'B', input: 'b' });
    create({ input: 'none' });
    const exchanges = [await begin(), await begin(), await begin()];
    const by = (input: string): RawExchange => exchanges.find((one) => lastUser(one) === input)!;
    for (const input of ['none', 'b', 'a']) by(input).res.end(chatChunk(`for ${input}`) + chatEnd);
    await Promise.all(['A', 'B', undefined].map((id) => event(ofType('response.completed', id))));
    for (const [id, input] of [
      ['A', 'a'],
      ['B', 'b'],
      [undefined, 'none'],
    ]) {
      const own = seen.filter((one) => one.stream_id === id);
      expect(validateOrder(own)).toEqual([]);
      expect(own.filter(({ type }) => type === 'response.output_text.done')).toMatchObject([{ text: `for ${input}` }]);
    }
  });

  it('answer the requests of one id in their order, and go on from a response of another', async () => {
    create({ stream_id: 'A', input: 'first' });
    create({ stream_id: 'A', input: 'second' });
    const first = await begin();
    first.res.write(chatChunk('1'));
    await event(ofType('response.output_text.delta', 'A'));
    expect(upstream.open).toBe(1);
    first.res.end(chatEnd);
    const { response } = (await event(ofType('response.completed', 'A'))) as { response: Json };
    const second = await begin();
    expect(lastUser(second)).toBe('second');
    create({ stream_id: 'B', input: 'forked', previous_response_id: response.id });
    const fork = await begin();
    expect((fork.body.messages as Json[]).map(({ content }) => content)).toEqual(['first', '1', 'forked']);
    for (const { res } of [second, fork]) res.end(chatChunk('x') + chatEnd);
    await event(ofType('response.completed', 'B'));
  });

  it('are 16 at most, and are told so', async () => {
    for (let n = 0; n < 16; n++) {
      create({ stream_id: `s${n}`, input: 'x' });
      await begin();
    }
    create({ stream_id: 'one too many', input: 'x' });
    expect(await event(ofType('error', 'one too many'))).toMatchObject({ status: 429, error: { param: 'stream_id' } });
  });

  it.each([5, '', 'x'.repeat(257)])('have a name: not %j', async (stream_id) => {
    create({ stream_id, input: 'x' });
    expect(await event(ofType('error'))).toMatchObject({ status: 400, error: { param: 'stream_id' } });
  });

  it('end with their socket', async () => {
    create({ stream_id: 'A', input: 'a' });
    create({ stream_id: 'B', input: 'b' });
    const both = [await upstream.next(), await upstream.next()];
    socket.terminate();
    await Promise.all(both.map(({ left }) => left));
  });
});

describe('a continuation that fails', () => {
  it.each([400, 500])('takes what it continued along, after a %i of the server', async (status) => {
    create({ input: 'hi' });
    (await begin()).res.end(chatChunk('x') + chatEnd);
    const { response } = (await event(ofType('response.completed'))) as { response: Json };
    create({ input: 'again', previous_response_id: response.id });
    (await upstream.next()).res
      .writeHead(status, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no"}}');
    await event(({ type }) => type === 'error');
    seen.length = 0;
    create({ input: 'again', previous_response_id: response.id });
    expect(await event(({ type }) => type === 'error')).toMatchObject({
      error: { code: 'previous_response_not_found' },
    });
  });

  it('leaves alone what is stored', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x' }] }] }] },
    });
    const other = await openSocket(rig.bridge);
    const first = await askOn(other, { input: 'hi' });
    const orphan = { type: 'function_call_output', call_id: 'none', output: '' };
    const failed = await askOn(other, { previous_response_id: first.body?.id, input: [orphan] });
    const again = await askOn(other, { previous_response_id: first.body?.id, input: 'And?' });
    other.terminate();
    expect([failed.how, again.how]).toEqual(['http:400', 'completed']);
  });
});

describe('response.steer', () => {
  /** A response that runs: its id, and what the server is to say. */
  async function running(more: Json = {}): Promise<{ readonly id: unknown; readonly exchange: RawExchange }> {
    create({ stream_id: 'A', instructions: 'Be brief.', input: 'Write.', ...more });
    const exchange = await begin();
    exchange.res.write(chatChunk('Once '));
    const { response } = (await event(ofType('response.created', 'A'))) as { response: Json };
    return { id: response.id, exchange };
  }

  it('goes on from the response with what came meanwhile, as soon as that has ended', async () => {
    const { id, exchange } = await running();
    send({ type: 'response.steer', previous_response_id: id, input: 'In French.' });
    const content = [{ type: 'input_text', text: 'And short.' }];
    send({ type: 'response.steer', previous_response_id: id, input: [{ role: 'user', content }] });
    const accepted = await event(ofType('response.steer.accepted', 'A'));
    expect(accepted.steer).toEqual({ id: expect.stringMatching(/^steer_/) as unknown, previous_response_id: id });
    exchange.res.end(chatChunk('upon') + chatEnd);
    const next = await begin();
    const told = (next.body.messages as Json[]).map(({ role, content: text }) => [role, text]);
    expect(told).toEqual([
      ['system', 'Be brief.'],
      ['user', 'Write.'],
      ['assistant', 'Once upon'],
      ['user', 'In French.'],
      ['user', 'And short.'],
    ]);
    next.res.end(chatChunk('Oui.') + chatEnd);
    await event((one) => one.type === 'response.completed' && (one.response as Json).previous_response_id === id);
    expect(seen.every(({ stream_id }) => stream_id === 'A')).toBe(true);
    const end = seen.findIndex(({ type }) => type === 'response.completed');
    expect(seen.slice(0, end + 1).map(({ sequence_number }) => sequence_number)).toEqual(
      seen.slice(0, end + 1).map((_, n) => n),
    );
    expect(seen.slice(end + 1).map(({ type }) => type)[0]).toBe('response.created');
  });

  it('waits for the outputs of calls, and goes along with them', async () => {
    const tools = [{ type: 'function', name: 'look', parameters: { type: 'object' } }];
    const { id, exchange } = await running({ tools });
    send({ type: 'response.steer', previous_response_id: id, input: 'Hurry.' });
    await event(ofType('response.steer.accepted', 'A'));
    exchange.res.end(callChunk('look'));
    const pending = await event(ofType('response.steer.pending', 'A'));
    const required = [{ type: 'function_call_output', call_id: 'call_1', name: 'look' }];
    expect(pending).toMatchObject({ reason: 'waiting_for_required_input', required_input: required });
    create({ stream_id: 'A', previous_response_id: id, input: [{ ...required[0], output: 'seen' }], tools });
    const next = await begin();
    expect((next.body.messages as Json[]).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
    expect(JSON.stringify(next.body.messages)).toContain('Hurry.');
    next.res.end(chatChunk('x') + chatEnd);
  });

  it('is given back when the response fails', async () => {
    const { id, exchange } = await running();
    send({ type: 'response.steer', previous_response_id: id, input: 'In French.' });
    const { steer } = (await event(ofType('response.steer.accepted', 'A'))) as { steer: Json };
    exchange.res.destroy();
    const failed = await event(ofType('response.steer.failed', 'A'));
    expect(failed).toMatchObject({
      error: { type: 'invalid_request_error', code: 'successor_creation_failed' },
      steer: { id: steer.id, input: 'In French.', previous_response_id: id },
    });
    expect(seen.at(-2)?.type).toBe('response.failed');
  });

  it.each([
    ['a response that never was', 'resp_none', 'x', 'response_not_found'],
    ['an empty text', undefined, '', 'invalid_input'],
    ['no messages', undefined, [], 'invalid_input'],
    ['a message of the system', undefined, [{ role: 'system', content: 'x' }], 'invalid_input'],
    ['the output of a call', undefined, [{ type: 'function_call_output', call_id: 'c', output: 'x' }], 'invalid_input'],
  ])('is refused for %s', async (_, other, input, code) => {
    const { id } = await running();
    send({ type: 'response.steer', previous_response_id: other ?? id, input });
    const failed = await event(({ type }) => type === 'response.steer.failed');
    expect(failed).toMatchObject({ error: { code }, steer: { input, previous_response_id: other ?? id } });
    expect(failed.steer).not.toHaveProperty('id');
  });

  it('is refused for a response that has ended', async () => {
    const { id, exchange } = await running();
    exchange.res.end(chatEnd);
    await event(ofType('response.completed', 'A'));
    send({ type: 'response.steer', previous_response_id: id, input: 'x' });
    const failed = await event(({ type }) => type === 'response.steer.failed');
    expect(failed).toMatchObject({ error: { code: 'response_already_completed' }, sequence_number: 0 });
  });
});
