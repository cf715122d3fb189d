import { afterEach, describe, expect, test } from 'vitest';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { createDecoder, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { begin, body, calls, finish, jsonDelta, last, start, stop, texts } from '../wire/messages-support.ts';
import { createTranscriptText } from '../wire/summaries.ts';
import { hello, modelServer, outcomeOf, providerFor, status, stream, type ModelServer } from './support.ts';

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
});

function open(url: string, streamMaxRetries = 0): ModelSession {
  const provider = providerFor(url, 'messages', { requestMaxRetries: 0, streamMaxRetries });
  session = createModelSession({ provider, random: () => 0 });
  return session;
}

const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
const query = { ...search, input: { query: 'x' } };
const pausing = body(
  ...[begin({ id: 'msg_1', usage: { input_tokens: 10, output_tokens: 1 } }), ...texts(0, 'I look.')],
  ...[start(1, search), jsonDelta(1, '{"query":"x"}'), stop(1)],
  ...[finish('pause_turn', { output_tokens: 3 }), last],
);
const going = body(
  ...[begin({ id: 'msg_2', usage: { input_tokens: 20, output_tokens: 1 } }), start(0, found), stop(0)],
  ...[...texts(1, 'It is so.'), finish('end_turn', { output_tokens: 4 }), last],
);
/** What there is of the answer at the pause, as its server gets it back. */
const soFar = { role: 'assistant', content: [{ type: 'text', text: 'I look.' }, query] };

function typesOf(events: readonly ModelEvent[]): string[] {
  return events.map((event) => (event.type === 'output_item.done' ? `done:${String(event.item.type)}` : event.type));
}

function messagesOf(server: ModelServer, number: number): unknown {
  return server.requests[number]?.body.messages;
}

describe('U12 an answer that its server pauses', () => {
  test('goes on, as one answer, when its server gets back what there is of it', async () => {
    await using server = await modelServer(stream(pausing), stream(going));
    const { events, error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(typesOf(events).filter((type) => !/added|delta/.test(type))).toEqual([
      ...['created', 'done:message', 'done:server_tool_use', 'done:web_search_tool_result', 'done:message'],
      'completed',
    ]);
    expect(events.at(-1)).toEqual({
      type: 'completed',
      response_id: 'msg_1',
      finish_reason: 'end_turn',
      ended_by: 'finish_reason',
      usage: {
        input_tokens: 30,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 37,
      },
    });
    expect(server.requests).toHaveLength(2);
    expect(messagesOf(server, 1)).toEqual([...(messagesOf(server, 0) as unknown[]), soFar]);
  });

  test('goes on ten times, and then it is paused for its caller, too', async () => {
    await using server = await modelServer(stream(pausing));
    const { events } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(events.at(-1)).toMatchObject({ type: 'completed', end_turn: false, usage: { input_tokens: 110 } });
    expect(events.filter(({ type }) => type === 'created' || type === 'completed')).toHaveLength(2);
    expect(server.requests).toHaveLength(11);
  });

  test('does not go on before a call of the client has run', async () => {
    const asking = body(begin(), ...calls(0, 'toolu_1', '{}'), finish('pause_turn'), last);
    await using server = await modelServer(stream(asking));
    const { events } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(typesOf(events).at(-2)).toBe('done:function_call');
    expect(events.at(-1)).toMatchObject({ type: 'completed', end_turn: false });
    expect(server.requests).toHaveLength(1);
  });

  test('does not go on without anything to send back', async () => {
    await using server = await modelServer(stream(body(begin(), finish('pause_turn'), last)));
    const { events } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(events.at(-1)).toMatchObject({ type: 'completed', end_turn: false });
    expect(server.requests).toHaveLength(1);
  });

  test('that breaks off behind the pause is tried again from there, and nothing is doubled', async () => {
    const cut = body(begin({ id: 'msg_2' }), start(0, found), stop(0));
    await using server = await modelServer(stream(pausing), stream(cut), stream(going));
    const { events, error } = await outcomeOf(open(server.url, 1).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(typesOf(events).filter((type) => /done|retrying|completed/.test(type))).toEqual([
      ...['done:message', 'done:server_tool_use', 'done:web_search_tool_result', 'retrying'],
      ...['done:web_search_tool_result', 'done:message', 'completed'],
    ]);
    expect(events.find(({ type }) => type === 'retrying')).toMatchObject({ discarded_item_ids: [] });
    expect(messagesOf(server, 2)).toEqual([
      ...(messagesOf(server, 0) as unknown[]),
      { role: 'assistant', content: [...soFar.content, found] },
    ]);
  });

  test('that is refused behind the pause is a failure that is not replayed as if nothing had been said', async () => {
    await using server = await modelServer(stream(pausing), status(400, { type: 'error', error: { message: 'no' } }));
    const { error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error?.toJSON()).toMatchObject({ kind: 'invalid_request', message: 'no', retry: { replay_safe: false } });
    expect(error?.usage).toMatchObject({ input_tokens: 10, output_tokens: 3 });
  });

  test('is not gone on with once it was cancelled', async () => {
    await using server = await modelServer(stream(pausing), stream(going));
    for await (const event of open(server.url).turn().stream(hello)) {
      if (event.type === 'output_item.done' && event.item.type === 'server_tool_use') break;
    }
    await session?.close();
    expect(server.requests).toHaveLength(1);
  });
});

const clients: Readonly<Record<ProtocolId, { readonly path: string; readonly body: object }>> = {
  chat: { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'hi' }] } },
  responses: { path: '/v1/responses', body: { input: 'hi' } },
  messages: {
    path: '/v1/messages',
    body: {
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    },
  },
};

describe.each(['chat', 'responses', 'messages'] as const)('U12 a %s client of the bridge', (wire) => {
  test.each([true, false])('is told of a paused answer as of one (stream: %s)', async (streamed) => {
    await using server = await modelServer(stream(pausing), stream(going));
    await using bridge = createBridge({ upstreams: [server.url], wire: 'messages', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const response = await fetch(bridge.url + clients[wire].path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream: streamed, ...clients[wire].body }),
    });
    const decoder = createDecoder(wire, { tokenLimit: true });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const events = [...decoder.push(bytes), ...decoder.end({ type: 'close' })];
    const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    const said = createTranscriptText(items).text.replace('\n', '');
    expect([response.status, said]).toEqual([200, 'I look.It is so.']);
    expect(events.filter(({ type }) => type === 'completed')).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
    if (wire !== 'messages') return;
    expect(items.filter(({ type }) => type !== 'message')).toEqual([query, found]);
  });
});
