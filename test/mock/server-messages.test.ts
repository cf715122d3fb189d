import { describe, expect, it } from 'vitest';
import { replayTape, recordTo, scenario, startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { validateMessagesOrder } from '../../packages/wire/src/messages/validate.ts';
import { ours } from './outcome.ts';
import { tapeFolder } from './tape-support.ts';

type Json = Record<string, unknown>;

const user = (content: unknown): Json => ({ role: 'user', content });
const question = (more: Json = {}): Json => ({ model: 'm', max_tokens: 100, messages: [user('hi')], ...more });
const version = { 'anthropic-version': '2023-06-01' };

interface Told {
  readonly status: number;
  /** The header in which clients of this wire look for the id of their request. */
  readonly id: string | null;
  readonly json: Json;
}

async function ask({ baseUrl }: { readonly baseUrl: string }, body: unknown, path = 'messages'): Promise<Told> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${baseUrl}/${path}`, { method: 'POST', headers: version, body: text });
  const json = (await response.json()) as Json;
  return { status: response.status, id: response.headers.get('request-id'), json };
}

/** The events of a stream, each with its `event:` line. */
async function streamed({ baseUrl }: MockServer, body: Json = question({ stream: true })): Promise<Json[]> {
  const response = await fetch(`${baseUrl}/messages`, { method: 'POST', body: JSON.stringify(body) });
  const events = (await response.text()).split('\n\n').slice(0, -1);
  return events.map((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
    const value = JSON.parse(data!) as Json;
    expect(value['type']).toBe(name);
    return value;
  });
}

const failure = (type: string, message: unknown, id: unknown, details?: Json): Json => ({
  type: 'error',
  error: { type, message, ...(details === undefined ? {} : { details }) },
  request_id: id,
});

describe('the Messages wire', () => {
  it('streams an answer as the API does', async () => {
    const script = scenario().reasoning('Hm.').text('Hi.').toolCall('read_file', { path: 'a' });
    await using server = await startMock({ wire: 'messages', scenario: script });
    const events = await streamed(server);
    expect(validateMessagesOrder(events)).toEqual([]);
    expect(events.map(({ type, delta }) => ((delta as Json | undefined)?.['type'] ?? type) as string)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'thinking_delta',
      'signature_delta',
      'content_block_stop',
      'content_block_start',
      'text_delta',
      'content_block_stop',
      'content_block_start',
      'input_json_delta',
      'input_json_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events[0]).toMatchObject({ message: { id: 'msg_mock_1', model: 'm', role: 'assistant', content: [] } });
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  it('answers one JSON body without stream, with the id of the request', async () => {
    const script = scenario().text('Two.').toolCall('read_file', { path: 'ä.txt' });
    await using server = await startMock({ wire: 'messages', scenario: script });
    const { status, id, json } = await ask(server, question());
    expect([status, id]).toEqual([200, 'req_mock_1']);
    expect(json).toMatchObject({
      id: 'msg_mock_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [
        { type: 'text', text: 'Two.' },
        { type: 'tool_use', id: 'call_mock_1_2', name: 'read_file', input: { path: 'ä.txt' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 4, output_tokens: 3 },
    });
  });

  it('gives the same bytes for the same requests', async () => {
    const read = async (): Promise<Json[]> => {
      await using server = await startMock({ wire: 'messages', scenario: 'parallel-calls' });
      return await streamed(server);
    };
    expect(await read()).toEqual(await read());
  });

  it("lists models in Anthropic's shape for a client that names a version of its API", async () => {
    await using server = await startMock({ scenario: scenario().model('m-1').text('x') });
    expect(await (await fetch(`${server.baseUrl}/models`, { headers: version })).json()).toEqual({
      data: [
        { type: 'model', id: 'm-1', display_name: 'm-1', created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string },
      ],
      has_more: false,
      first_id: 'm-1',
      last_id: 'm-1',
    });
  });

  it('counts the tokens of a request, and not the letters of its pictures', async () => {
    await using server = await startMock();
    const count = async (content: unknown): Promise<Told> =>
      ask(server, { model: 'm', system: 'four', messages: [user(content)] }, 'messages/count_tokens');
    // The roles count too, as text does: an estimate.
    expect((await count('12345678')).json).toEqual({ input_tokens: 4 });
    const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(400_000) };
    const { json } = await count([
      { type: 'text', text: '12345678' },
      { type: 'image', source },
    ]);
    expect(json['input_tokens']).toBeLessThan(1600);
    expect(server.requests).toEqual([]);
  });

  it('is there for a client that asks whether anybody is', async () => {
    await using server = await startMock();
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
  });
});

describe("the Messages wire tells errors in Anthropic's shape, with a request-id", () => {
  it('of its own', async () => {
    await using server = await startMock({ wire: 'messages', scenario: scenario().toolCall('a') });
    const get = async (path: string): Promise<Told> => {
      const response = await fetch(`${server.baseUrl}/${path}`, { headers: version });
      return { status: response.status, id: response.headers.get('request-id'), json: (await response.json()) as Json };
    };
    const some = expect.any(String) as string;
    const out = { type: 'tool_result', tool_use_id: 'x', content: 'o' };
    expect(await ask(server, '{not json')).toEqual({
      status: 400,
      id: 'req_refused_1',
      json: failure('invalid_request_error', 'the request body is not a JSON object', 'req_refused_1'),
    });
    expect(await get('nowhere')).toEqual({
      status: 404,
      id: 'req_refused_2',
      json: failure('not_found_error', 'no route GET /v1/nowhere', 'req_refused_2'),
    });
    expect(await get('messages')).toMatchObject({
      status: 405,
      json: failure('invalid_request_error', some, 'req_refused_3'),
    });
    expect(await ask(server, question({ messages: [user('hi'), user([out])] }))).toEqual({
      status: 400,
      id: 'req_mock_1',
      json: failure('invalid_request_error', expect.stringContaining('no answer to tool round 1'), 'req_mock_1'),
    });
  });

  it('of a wire that it does not serve, and of a page that somebody visits', async () => {
    await using server = await startMock({ wire: 'chat' });
    for (const path of ['messages', 'messages/count_tokens']) {
      expect((await ask(server, question(), path)).json).toMatchObject({ error: { type: 'not_found_error' } });
    }
    const headers = { ...version, origin: 'https://evil.example' };
    const refused = await fetch(`${server.baseUrl}/messages`, { method: 'POST', headers, body: '{}' });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { type: 'permission_error' } }]);
  });

  it.each([
    ['status:401', 401, 'authentication_error', 'the mock answers 401'],
    ['status:404', 404, 'not_found_error', 'the mock answers 404'],
    ['status:413', 413, 'request_too_large', 'the mock answers 413'],
    ['status:500', 500, 'api_error', 'the mock answers 500'],
    ['status:529', 529, 'overloaded_error', 'the mock answers 529'],
    ['retry-after:1', 429, 'rate_limit_error', 'Rate limit reached.'],
    ['rate-limit-text', 429, 'rate_limit_error', expect.stringContaining('try again in 28ms')],
    ['error-200', 200, 'api_error', 'no healthy upstream'],
    ['param-refused:max_tokens', 400, 'invalid_request_error', 'max_tokens: Extra inputs are not permitted'],
    ['context-wording:anthropic', 400, 'invalid_request_error', expect.stringMatching(/^prompt is too long: \d+ /)],
  ])('of the fault %s', async (fault, status, type, message) => {
    await using server = await startMock({ wire: 'messages', faults: [fault] });
    const id = 'req_mock_1';
    expect(await ask(server, question())).toEqual({ status, id, json: failure(type, message, id) });
  });

  it.each([
    ['error-mid-stream', 'api_error'],
    ['failed-then-hold:overloaded_error', 'overloaded_error'],
    ['late-error', 'api_error'],
  ])('of the fault %s, in the stream', async (fault, type) => {
    await using server = await startMock({ wire: 'messages', faults: [fault] });
    const response = await fetch(`${server.baseUrl}/messages`, {
      method: 'POST',
      body: JSON.stringify(question({ stream: true })),
    });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (/event: error\ndata: .*\n\n/.test(text)) break;
    }
    const [, data] = /event: error\ndata: (.*)\n\n/.exec(text)!;
    expect(JSON.parse(data!)).toEqual(failure(type, expect.any(String), expect.stringMatching(/^req_/)));
  });

  it('of a scenario, in the words of the scenario', async () => {
    const script = scenario()
      .when({ user: 'pay' })
      .error({ status: 402, code: 'no_credit', message: 'credit balance is too low' })
      .when({ user: 'busy' })
      .error({ status: 529, type: 'overloaded_error', message: 'Overloaded' });
    script.turn().text('Hal').error({ code: 'server_error', message: 'boom' });
    await using server = await startMock({ wire: 'messages', scenario: script });
    const said = async (text: string): Promise<Json> => (await ask(server, question({ messages: [user(text)] }))).json;
    const details = { error_code: 'no_credit' };
    expect(await said('pay')).toEqual(failure('billing_error', 'credit balance is too low', 'req_mock_1', details));
    expect(await said('busy')).toEqual(failure('overloaded_error', 'Overloaded', 'req_mock_2'));
    expect((await streamed(server)).at(-1)).toMatchObject({ type: 'error', request_id: 'req_mock_3' });
    expect(await ours(server.baseUrl, 'messages')).toMatchObject({ end: 'error:server_error', text: 'Hal' });
  });

  it('of a message thread, as the tool runner of the SDK expects, and does not count that request', async () => {
    await using server = await startMock({ wire: 'messages', expect: 0 });
    expect(await ask(server, question({ thread: { type: 'create' } }))).toEqual({
      status: 400,
      id: 'req_refused_1',
      json: failure('invalid_request_error', 'message threads are not supported', 'req_refused_1', {
        error_code: 'thread_unsupported_request',
        unsupported: ['thread'],
      }),
    });
  });

  it('of a tape that has no answer', async () => {
    using folder = tapeFolder();
    await using server = await startMock();
    await using recorder = await recordTo(folder.path, { upstream: server.url });
    await fetch(`${recorder.baseUrl}/models`);
    await recorder.close();
    await using replay = await replayTape(folder.path);
    expect((await ask(replay, question())).json).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });
});

describe('scenarios on the Messages wire', () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: {} };
  const result = (content: unknown, id = 'toolu_1'): Json => ({ type: 'tool_result', tool_use_id: id, content });
  const assistant = (...content: Json[]): Json => ({ role: 'assistant', content });
  const text = async (server: MockServer, ...messages: Json[]): Promise<string> => {
    const { json } = await ask(server, question({ messages }));
    return (json['content'] as Json[]).map((block) => String(block['text'] ?? block['name'])).join('|');
  };

  it('call a tool, then answer its output', async () => {
    await using server = await startMock({ scenario: 'tool-call' });
    expect(await text(server, user('hi'))).toMatch(/read_file$/);
    expect(await text(server, user('hi'), assistant(call), user([result('notes')]))).toBe('The file was read.');
  });

  it('count a round of tools for all results of one message, and a turn for text beside them', async () => {
    const script = scenario().toolCall('a').toolCall('b').next().toolCall('c').next().text('done').turn().text('more');
    await using server = await startMock({ wire: 'messages', scenario: script });
    const both = [result('x'), result([{ type: 'text', text: 'y' }], 'toolu_2')];
    const first = [user('hi'), assistant(call, { ...call, id: 'toolu_2' }), user(both)];
    expect(await text(server, ...first)).toBe('c');
    const second = [...first, assistant({ ...call, id: 'toolu_3' }), user([result('z', 'toolu_3')])];
    expect(await text(server, ...second)).toBe('done');
    expect(server.requests[1]?.view?.toolOutputs).toEqual([
      { callId: 'toolu_1', text: 'x' },
      { callId: 'toolu_2', text: 'y' },
      { callId: 'toolu_3', text: 'z' },
    ]);
    const withText = [...first.slice(0, 2), user([...both, { type: 'text', text: 'and now?' }])];
    expect(await text(server, ...withText)).toBe('more');
  });

  it('choose by user, system, model, tool and output', async () => {
    const script = scenario()
      .when({ system: 'pirate' })
      .text('Arr.')
      .when({ model: 'claude-x' })
      .text('As X.')
      .when({ tool: 'get_time' })
      .text('With a clock.')
      .when({ user: /weather in (\w+)/i })
      .text('It rains.')
      .turn()
      .text('else');
    await using server = await startMock({ wire: 'messages', scenario: script });
    const say = async (more: Json): Promise<unknown> => {
      const { json } = await ask(server, question(more));
      return (json['content'] as Json[])[0]?.['text'];
    };
    expect(await say({ system: [{ type: 'text', text: 'You are a pirate.' }] })).toBe('Arr.');
    expect(await say({ system: 'a pirate' })).toBe('Arr.');
    expect(await say({ messages: [user('q'), { role: 'system', content: 'a pirate now' }] })).toBe('Arr.');
    expect(await say({ model: 'claude-x' })).toBe('As X.');
    expect(await say({ tools: [{ name: 'get_time', input_schema: { type: 'object' } }] })).toBe('With a clock.');
    expect(await say({ messages: [user([{ type: 'text', text: 'Weather in Oslo?' }])] })).toBe('It rains.');
    expect(await say({})).toBe('else');
  });

  it('are checked against what was expected', async () => {
    await using server = await startMock({ wire: 'messages', scenario: 'tool-call' });
    await text(server, user('alpha'));
    await text(server, user('alpha'), assistant(call), user([result('rain')]));
    server.expect(2);
    server.expect({ match: { user: 'alpha' }, times: 2 });
    server.expectInOrder([{ user: 'alpha' }, { toolOutput: 'rain' }]);
    server.verify();
    server.expectInOrder([{ toolOutput: 'rain' }, { toolOutput: 'rain' }]);
    expect(() => server.verify()).toThrow(/"toolOutput":"rain"} \(2 of 2 in order\) did not come after request 2/);
    server.forgetExpectations();
  });

  it('tell in which state a client stalled', async () => {
    const server = await startMock({
      wire: 'messages',
      faults: ['finish-then-hold'],
      scenario: 'tool-call',
      expect: 2,
    });
    const gone = new AbortController();
    const response = await fetch(`${server.baseUrl}/messages`, {
      method: 'POST',
      body: JSON.stringify(question({ stream: true })),
      signal: gone.signal,
    });
    await response.body!.getReader().read();
    expect(() => server.verify()).toThrow(
      /^expected 2 requests, got 1\n {2}request 1: POST \/v1\/messages, answered with stop_reason, socket held open \d+\.\d s\n {2}the client never sent request 2$/,
    );
    gone.abort();
    await server.close();
  });
});
