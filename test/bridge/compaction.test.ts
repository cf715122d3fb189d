import { afterEach, describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askJson, askOn, askSse, openSocket, post, sseEvents, startRig, type Json, type Rig } from './harness.ts';
import { compactionShape } from './open-responses-shape.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from './raw-upstream.ts';

const user = (text: string): Json => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const trigger = { type: 'compaction_trigger' };
const call = { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"path":"a.txt"}' };
const output = { type: 'function_call_output', call_id: 'c1', output: 'the file' };
const tools = [{ type: 'function', name: 'read', parameters: { type: 'object' } }];

/** Answers a request for a summary with one, behind some thinking; and everything else with how much it was told. */
const scenario: Scenario = {
  turns: [
    {
      when: { user: 'Write a summary' },
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'What was it?' },
            { type: 'text', text: 'They want a launch on Tuesday: ü😀.' },
          ],
        },
      ],
    },
    { replies: [{ parts: (request) => [{ type: 'text', text: JSON.stringify(request.body) }] }] },
  ],
};

let rig: Rig;
afterEach(() => (rig as Rig | undefined)?.[Symbol.asyncDispose]());

const lastBody = (): string => JSON.stringify(rig.mock.requests.at(-1)?.body);

describe.each(['chat', 'responses', 'messages'] as const)('compaction on a %s server', (wire) => {
  it('is one item for a compaction_trigger, made by a model that is offered no tools, and is read back', async () => {
    rig = await startRig({ wire, scenario });
    const input = [user('Read a.txt.'), call, output, trigger];
    const { how, events, body, violations } = await askSse(rig.bridge, {
      input,
      tools,
      tool_choice: 'auto',
      store: false,
    });
    expect([how, violations]).toEqual(['completed', []]);
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ]);
    const item = {
      type: 'compaction',
      id: expect.stringMatching(/^cmp_/) as unknown,
      encrypted_content: expect.any(String) as unknown,
    };
    expect(body?.output).toEqual([item]);
    const asked = lastBody();
    for (const told of ['Called read: ' + JSON.stringify(call.arguments).slice(1, -1), 'Output of read:', 'the file'])
      expect(asked).toContain(told);
    expect(asked).not.toMatch(/"tools"|"tool_calls"|tool_use|function_call|compaction/);

    await askJson(rig.bridge, { input: [...(body?.output as Json[]), user('Go on.')] });
    expect(lastBody()).toContain('They want a launch on Tuesday: ü😀.');
    expect(lastBody()).toContain('Summary of the conversation so far');
  });

  it('is the messages of the user and one item of POST /v1/responses/compact', async () => {
    rig = await startRig({ wire, scenario });
    const input = [
      user('Launch on Tuesday.'),
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Good.' },
    ];
    const response = await post(rig.bridge, '/v1/responses/compact', { model: 'm', prompt_cache_key: 'k', input });
    const body = (await response.json()) as Json;
    expect(response.status).toBe(200);
    expect(compactionShape(body, '$')).toEqual([]);
    const output = body.output as Json[];
    expect(output.map(({ type, role, status, content }) => ({ type, role, status, content }))).toEqual([
      {
        type: 'message',
        role: 'user',
        status: 'completed',
        content: [{ type: 'input_text', text: 'Launch on Tuesday.' }],
      },
      { type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: 'Good.' }] },
      { type: 'compaction', role: undefined, status: undefined, content: undefined },
    ]);
    const socket = await openSocket(rig.bridge);
    const next = await askOn(socket, { store: false, input: [...output, user('And now?')] });
    socket.terminate();
    expect(next.how).toBe('completed');
    expect(lastBody()).toContain('They want a launch on Tuesday');
  });
});

describe('compaction', () => {
  it('takes the place of the conversation that it ends, in the store and on a socket', async () => {
    rig = await startRig({ wire: 'chat', scenario });
    const first = await askJson(rig.bridge, { input: [user('The old words.')] });
    const compacted = await askJson(rig.bridge, { previous_response_id: first.body?.id, input: [trigger] });
    await askJson(rig.bridge, { previous_response_id: compacted.body?.id, input: 'Go on.' });
    const seen = rig.mock.requests.at(-1)?.body as Json;
    const socket = await openSocket(rig.bridge);
    const one = await askOn(socket, { store: false, input: [user('The old words.')] });
    const two = await askOn(socket, { store: false, previous_response_id: one.body?.id, input: [trigger] });
    await askOn(socket, { store: false, previous_response_id: two.body?.id, input: 'Go on.' });
    socket.terminate();
    for (const body of [seen, rig.mock.requests.at(-1)?.body as Json]) {
      expect((body.messages as Json[]).map(({ role }) => role)).toEqual(['user', 'user']);
      expect(JSON.stringify(body.messages)).not.toContain('The old words.');
    }
  });

  it('gives its client signs of life while the summary is written, of which it sees nothing', async () => {
    const upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { heartbeatMs: 200 });
    const headers = { originator: 'codex_exec' };
    const answer = post(
      bridge,
      '/v1/responses',
      { model: 'm', stream: true, input: [user('Hi.'), trigger] },
      { headers },
    );
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const writing = setInterval(() => res.write(chatChunk('word ')), 10);
    let text = '';
    for await (const bytes of (await answer).body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString();
      if (!text.includes('response.heartbeat')) continue;
      clearInterval(writing);
      if (!res.writableEnded) res.end(chatEnd);
    }
    await bridge.close();
    await upstream.close();
    expect(sseEvents(text).at(-1)).toMatchObject({
      type: 'response.completed',
      response: { output: [{ type: 'compaction' }] },
    });
  });

  it('is passed on as a server made it, alone', async () => {
    const upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { wire: 'responses', tools: 'native' });
    const answer = askSse(bridge, { input: [user('Hello.'), trigger] });
    const { res, body } = await upstream.next();
    const item = { type: 'compaction', id: 'cmp_9', encrypted_content: 'theirs' };
    const said = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [] };
    const event = (type: string, fields: Json): string => `data: ${JSON.stringify({ type, ...fields })}\n\n`;
    const done = [said, item].map((one, output_index) =>
      event('response.output_item.done', { output_index, item: one }),
    );
    const response = { id: 'resp_1', status: 'completed', output: [said, item] };
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end([event('response.created', { response }), ...done, event('response.completed', { response })].join(''));
    const ended = await answer;
    await bridge.close();
    await upstream.close();
    expect((body.input as Json[]).at(-1)).toEqual(trigger);
    expect([ended.how, ended.body?.output]).toEqual(['completed', [item]]);
  });

  it('is left to a server that makes it itself', async () => {
    rig = await startRig({ wire: 'responses', scenario }, { tools: 'native' });
    const input = [user('Hello.'), { type: 'compaction', id: 'cmp_1', encrypted_content: 'theirs' }, trigger];
    const ended = await askSse(rig.bridge, { input, tools });
    const asked = rig.mock.requests.at(-1)?.body as Json;
    expect((asked.input as Json[]).map(({ type }) => type)).toEqual(['message', 'compaction', 'compaction_trigger']);
    expect(asked.tools).toHaveLength(1);
    // This one does not, and answers with a message: Codex would end on that.
    expect(ended.how).toMatch(/^(failed:|http:502)/);
  });

  it.each(['chat', 'responses', 'messages'] as const)(
    'of another maker is not carried, on a %s server',
    async (wire) => {
      rig = await startRig({ wire, scenario });
      const input = [{ type: 'compaction', id: 'cmp_1', encrypted_content: 'theirs' }, user('Go on.')];
      const response = await post(rig.bridge, '/v1/responses', { model: 'm', input });
      expect(response.headers.get('x-turnwire-not-carried')).toBe('compaction');
      expect(lastBody()).not.toContain('theirs');
    },
  );

  it.each([
    ['is cut', { parts: [{ type: 'text', text: 'They want' }], finish: 'length' }],
    ['is empty', { parts: [{ type: 'text', text: ' ' }] }],
  ] as const)('fails when the summary %s', async (_, reply) => {
    rig = await startRig({ wire: 'chat', scenario: { turns: [{ replies: [reply] }] } });
    const response = await post(rig.bridge, '/v1/responses/compact', { model: 'm', input: 'Hello.' });
    expect(response.status).toBeGreaterThanOrEqual(500);
  });

  it.each([
    ['a model that is not named', '/v1/responses/compact', { input: 'Hello.' }, 'model'],
    ['nothing to compact', '/v1/responses/compact', { model: 'm' }, 'input'],
    ['an input of another type', '/v1/responses/compact', { model: 'm', input: 5 }, 'input'],
    ['a trigger that is not the last item', '/v1/responses', { model: 'm', input: [trigger, user('x')] }, 'input[0]'],
  ])('refuses %s', async (_, path, body, param) => {
    rig = await startRig({ wire: 'chat', scenario });
    const response = await post(rig.bridge, path, body);
    expect([response.status, ((await response.json()) as { error: Json }).error.param]).toEqual([400, param]);
  });
});
