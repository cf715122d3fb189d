import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  MockUsageError,
  MockVerificationError,
  parseFault,
  scenario,
  startMock,
  listFaults,
} from '../../packages/testing/src/index.ts';
import { faultAliases } from '../../packages/testing/src/faults/aliases.ts';
import { loop, observed, ours, tools } from './outcome.ts';

const chatBody = (text = 'hi', more: object = {}) => ({
  model: 'm',
  messages: [{ role: 'user', content: text }],
  ...more,
});

async function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) });
}

async function chat(
  baseUrl: string,
  body: object = chatBody(),
): Promise<{ status: number; json: Record<string, never> }> {
  const response = await post(`${baseUrl}/chat/completions`, body);
  return { status: response.status, json: (await response.json()) as Record<string, never> };
}

function textOf(json: unknown): string {
  return (json as { choices: { message: { content: string } }[] }).choices[0]!.message.content;
}

describe('routes', () => {
  it('answers health, models and what arrived', async () => {
    await using server = await startMock({ scenario: scenario().model('m-1').text('x') });
    const get = async (path: string): Promise<unknown> => (await fetch(server.url + path)).json();
    expect(await get('/health')).toEqual({ ok: true });
    expect(await get('/v1/models')).toMatchObject({ data: [{ id: 'm-1', object: 'model' }] });
    const headers = { authorization: 'Bearer secret' };
    await (
      await fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(chatBody()) })
    ).text();
    const seen = (await get('/__requests')) as { count: number; requests: Record<string, unknown>[] };
    expect(seen.count).toBe(1);
    expect(seen.requests[0]).toMatchObject({
      n: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      body: chatBody(),
      headers: { authorization: 'Bearer [redacted]' },
    });
  });

  it('says what is wrong with a request', async () => {
    await using server = await startMock({ wire: 'chat' });
    const answers = await Promise.all([
      fetch(`${server.baseUrl}/nowhere`),
      fetch(`${server.baseUrl}/chat/completions`),
      post(`${server.baseUrl}/responses`, {}),
      fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body: '{not json' }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([404, 405, 404, 400]);
    expect(server.requests).toEqual([]);
  });

  it('answers one JSON body without stream, on both wires', async () => {
    await using server = await startMock({ scenario: scenario().text('Hello') });
    expect(textOf((await chat(server.baseUrl)).json)).toBe('Hello');
    const body = (await (await post(`${server.baseUrl}/responses`, { input: 'hi' })).json()) as Record<string, unknown>;
    expect(body).toMatchObject({ id: 'resp_mock_2', status: 'completed', output: [{ content: [{ text: 'Hello' }] }] });
  });

  it('keeps responses for requests that name one, and tells what it does not have', async () => {
    const script = scenario().turn().text('one').turn().text('two');
    await using server = await startMock({ scenario: script });
    const url = `${server.baseUrl}/responses`;
    const first = (await (await post(url, { input: 'a' })).json()) as { id: string };
    const second = await (await post(url, { input: 'b', previous_response_id: first.id })).json();
    expect(second).toMatchObject({ output: [{ content: [{ text: 'two' }] }], previous_response_id: first.id });
    const third = await post(url, { input: 'c', previous_response_id: 'resp_nope' });
    expect(third.status).toBe(400);
    expect(await third.json()).toMatchObject({ error: { code: 'previous_response_not_found' } });
  });

  it('refuses a port in use, and closes twice', async () => {
    const server = await startMock();
    await expect(startMock({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await server.close();
    await server.close();
    const refused = await new Promise((resolve) => createConnection(server.port, '127.0.0.1').on('error', resolve));
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('gives the same bytes for the same requests', async () => {
    const read = async (): Promise<string> => {
      await using server = await startMock({ scenario: 'parallel-calls' });
      return await (await post(`${server.baseUrl}/responses`, { input: 'hi', stream: true })).text();
    };
    expect(await read()).toBe(await read());
  });
});

describe('scenarios', () => {
  it('call a tool, then answer its output, on both wires', async () => {
    await using server = await startMock({ scenario: 'tool-call' });
    const call = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{}' } };
    const history = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'notes' },
    ];
    const first = await chat(server.baseUrl);
    expect(first.json).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
    expect(textOf((await chat(server.baseUrl, { messages: history })).json)).toBe('The file was read.');
    const input = [
      { role: 'user', content: 'hi' },
      { type: 'function_call', call_id: 'c', name: 'read_file', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'notes' },
    ];
    const answer = await (await post(`${server.baseUrl}/responses`, { input })).json();
    expect(answer).toMatchObject({ output: [{ content: [{ text: 'The file was read.' }] }] });
  });

  it('choose by what the request says', async () => {
    const script = scenario()
      .when({ user: /weather in (\w+)/i })
      .text('It rains.')
      .when({ tool: 'get_time' })
      .text('With a clock.')
      .turn()
      .text('first')
      .turn()
      .text('later');
    await using server = await startMock({ scenario: script });
    const say = async (body: object): Promise<string> => textOf((await chat(server.baseUrl, body)).json);
    expect(await say(chatBody('Weather in Oslo?'))).toBe('It rains.');
    expect(await say(chatBody('x', { tools: tools.map((tool) => ({ type: 'function', function: tool })) }))).toBe(
      'With a clock.',
    );
    expect(await say(chatBody('x'))).toBe('first');
    const longer = [chatBody('x').messages[0], { role: 'assistant', content: 'first' }, { role: 'user', content: 'y' }];
    expect(await say({ messages: longer })).toBe('later');
    expect(
      await say({ messages: [...longer, { role: 'assistant', content: 'z' }, { role: 'user', content: 'w' }] }),
    ).toBe('later');
  });

  it('say so when they have no answer', async () => {
    await using server = await startMock({ scenario: scenario().toolCall('a') });
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'tool', tool_call_id: 'x', content: 'out' },
    ];
    const { status, json } = await chat(server.baseUrl, { messages });
    expect(status).toBe(400);
    expect(JSON.stringify(json)).toContain('no answer to tool round 1');
  });

  it('fail with a status, or in the middle', async () => {
    const script = scenario()
      .when({ user: 'status' })
      .error({ status: 402, code: 'insufficient_quota', message: 'pay' });
    script.turn().text('Hal').error({ code: 'server_error', message: 'boom' });
    await using server = await startMock({ scenario: script });
    expect((await chat(server.baseUrl, chatBody('status'))).status).toBe(402);
    expect(await ours(server.baseUrl, 'chat')).toMatchObject({ end: 'error:server_error', text: 'Hal' });
    expect(await ours(server.baseUrl, 'responses')).toMatchObject({ end: 'error:server_error', text: 'Hal' });
  });

  it('carry faults and headers of one reply', async () => {
    const script = scenario().text('x').faults('no-sentinel').headers({ 'x-a': 'b' });
    await using server = await startMock({ scenario: script });
    const response = await post(`${server.baseUrl}/chat/completions`, chatBody('hi', { stream: true }));
    expect(response.headers.get('x-a')).toBe('b');
    expect(await response.text()).not.toContain('[DONE]');
  });

  it('say by default that they are scripted, and call a tool on demand', async () => {
    await using server = await startMock();
    expect(await ours(server.baseUrl, 'chat')).toMatchObject({
      text: expect.stringMatching(/scripted.*You said: hi/) as string,
    });
    const { json } = await chat(server.baseUrl, chatBody('/call read_file {"path":"a"}'));
    expect(json).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { name: 'read_file', arguments: '{"path":"a"}' } }] } }],
    });
  });
});

describe('faults', () => {
  it('can be named, with the nearest name for a wrong one', () => {
    expect(() => parseFault('finish-then-hol')).toThrow(
      new MockUsageError('unknown fault "finish-then-hol": did you mean finish-then-hold?'),
    );
    expect(() => parseFault('zzzzzzzzz')).toThrow(/--faults lists them all/);
    expect(() => parseFault('crlf:3')).toThrow(/takes no argument/);
    expect(() => parseFault('stall-after:x')).toThrow(/needs a whole number/);
    expect(() => parseFault('status:99')).toThrow(/not an HTTP status/);
    expect(() => parseFault('reasoning-shape:round')).toThrow(/use one of reasoning, /);
    expect(parseFault('drip:20@2')).toMatchObject({ text: 'drip:20@2', only: 2 });
    expect(() => parseFault('hold-after-stop-reasons')).toThrow('did you mean hold-after-stop-reason?');
  });

  it('have other names, each of a fault that shows on the wire whose words they are', () => {
    const others = Object.entries(faultAliases).map(([alias, name]) => [alias, parseFault(alias).spec.name === name]);
    expect(others).toEqual(Object.keys(faultAliases).map((alias) => [alias, true]));
    const known = new Set(listFaults().map(({ name }) => name));
    expect(Object.keys(faultAliases).filter((alias) => known.has(alias))).toEqual([]);
    expect(
      listFaults('messages')
        .flatMap(({ aliases }) => aliases)
        .sort(),
    ).toEqual(Object.keys(faultAliases).sort());
  });

  it('are refused on a wire that cannot show them', async () => {
    await expect(startMock({ wire: 'responses', faults: ['tool-index-reused'] })).rejects.toThrow('exists on: chat');
    await expect(startMock({ scenario: 'tool-cal' })).rejects.toThrow('did you mean tool-call?');
  });

  it('have one sentence each', () => {
    for (const { name, summary, wires } of listFaults()) {
      expect(summary, name).toMatch(/^\S.{25,}\.$/);
      expect(wires.length, name).toBeGreaterThan(0);
    }
  });

  it('compose', async () => {
    const faults = ['crlf', 'tool-index-reused', 'usage-on-finish', 'no-sentinel', 'split-utf8', 'comments', 'gzip'];
    const script = scenario().text('Zwei für dich').toolCall('read_file', { a: 'ü' }).toolCall('get_time');
    await using server = await startMock({ scenario: script, faults });
    expect(await ours(server.baseUrl, 'chat')).toMatchObject({
      end: 'ok',
      text: 'Zwei für dich',
      calls: ['read_file({"a":"ü"})', 'get_time({})'],
      usage: 10,
    });
  });

  it('can be for one request alone, or for the first few', async () => {
    await using server = await startMock({ faults: ['status:503@2', 'status:500:1'] });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await chat(server.baseUrl)).status);
    expect(statuses).toEqual([500, 503, 200, 200]);
  });

  it('turn-state gives the next value on each answer', async () => {
    await using server = await startMock({ faults: ['turn-state:ts-1,ts-2', 'rate-limit-headers'] });
    const states: (string | null)[] = [];
    for (let i = 0; i < 3; i++) {
      const response = await post(`${server.baseUrl}/responses`, { input: 'hi' });
      states.push(response.headers.get('x-codex-turn-state'));
      expect(response.headers.get('openai-model')).toBe('scripted-2');
      await response.text();
    }
    expect(states).toEqual(['ts-1', 'ts-2', 'ts-2']);
  });
});

describe('expectations', () => {
  it('tell in which state the client stalled', async () => {
    const server = await startMock({ wire: 'chat', faults: ['finish-then-hold'], scenario: 'tool-call' });
    server.expect(2);
    const gone = new AbortController();
    const response = await post(`${server.baseUrl}/chat/completions`, chatBody('hi', { stream: true }), gone.signal);
    await response.body!.getReader().read();
    expect(() => server.verify()).toThrow(
      /^expected 2 requests, got 1\n {2}request 1: POST \/v1\/chat\/completions, answered with finish_reason, socket held open \d+\.\d s\n {2}the client never sent request 2$/,
    );
    gone.abort();
    await server.close();
  });

  it('keep the state of a client that has left', async () => {
    const server = await startMock({ faults: ['finish-then-hold'], expect: 2 });
    await observed(loop, server.baseUrl, 'chat');
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow(/answered with finish_reason, socket held open/);
  });

  it('are checked when the scope is left', async () => {
    const run = async (): Promise<void> => {
      await using server = await startMock();
      server.expect({ match: { user: 'never said' }, name: 'the second question' });
    };
    await expect(run()).rejects.toThrow(MockVerificationError);
    await expect(run()).rejects.toThrow('expected 1 request matching the second question, got 0');
  });

  it('match requests, and their order', async () => {
    await using server = await startMock();
    for (const text of ['alpha', 'beta', 'alpha']) await chat(server.baseUrl, chatBody(text));
    server.expect({ match: { user: 'alpha' }, times: 2 });
    server.expectInOrder([{ user: 'alpha' }, { user: 'beta' }]);
    server.verify();
    server.expectInOrder([{ user: 'beta' }, { user: 'beta' }]);
    expect(() => server.verify()).toThrow(
      'request matching {"user":"beta"} (2 of 2 in order) did not come after request 2',
    );
    server.forgetExpectations();
  });

  it('can be waited for', async () => {
    await using server = await startMock();
    const waiting = server.waitForRequests(1);
    await chat(server.baseUrl);
    await waiting;
    await expect(server.waitForRequests(5, AbortSignal.timeout(20))).rejects.toThrow('expected 5 requests, got 1');
  });
});
