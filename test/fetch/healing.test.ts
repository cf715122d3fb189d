import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { APIConnectionError, BadRequestError, InternalServerError, RateLimitError } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  chat,
  healing,
  healingFor,
  type HealingOptions,
  type RepairedRequest,
} from '../../packages/wire/src/fetch/index.ts';
import { validateMessagesOrder, validateOrder, type ProtocolId } from '../../packages/wire/src/index.ts';
import { retryPolicies } from '../../packages/wire/src/model/retry-policy.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { captureDir, chatBody, chunk } from '../wire/helpers.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let handle: Handler;
let requests: { url: string; body: string }[] = [];
const open = new Set<ServerResponse>();
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    requests.push({ url: request.url ?? '', body });
    open.add(response);
    response.once('close', () => open.delete(response));
    handle(request, response, body);
  });
});
let base = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => (requests = []));

const SSE = { 'content-type': 'text/event-stream' };
const paths: Readonly<Record<ProtocolId, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
};
const asks: Readonly<Record<ProtocolId, object>> = {
  chat: { model: 'm', messages: [], stream: true, stream_options: { include_usage: true } },
  responses: { model: 'm', input: 'hi', stream: true },
  messages: { model: 'm', messages: [], max_tokens: 9, stream: true },
};

function ask(
  wire: ProtocolId,
  options: HealingOptions = {},
  more: { body?: object; signal?: AbortSignal } = {},
): Promise<Response> {
  const { signal } = more;
  const body = JSON.stringify({ ...asks[wire], ...more.body });
  return healing(options)(base + paths[wire], { method: 'POST', body, ...(signal && { signal }) });
}

const answers =
  (text: string, headers: Record<string, string> = SSE, status = 200): Handler =>
  (_request, response) => {
    response.writeHead(status, headers).end(text);
  };
const holds =
  (text: string): Handler =>
  (_request, response) => {
    response.writeHead(200, SSE).write(text);
  };

/** As OpenAI sends it. */
const good = (delta: object, finish: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_795_000_000,
  model: 'gpt-x',
  system_fingerprint: 'fp_1',
  service_tier: 'default',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  obfuscation: 'x7',
});
const usage = {
  ...good({}),
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, cost: 0.1 },
};
const hello = [
  good({ role: 'assistant', content: '' }),
  good({ content: 'Hel' }),
  good({ content: 'lo' }),
  good({}, 'stop'),
  usage,
];

const openai = (options: HealingOptions = {}, more: object = {}) =>
  new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0, fetch: healing(options), ...more });
const messages = [{ role: 'user' as const, content: 'hi' }];
const question = { model: 'm', stream: true as const, messages };
const plain = { model: 'm', messages };

async function textOf(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = '';
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  return text;
}

/** Resolves once no answer of the server is open. */
async function allClosed(): Promise<void> {
  await Promise.all([...open].map((each) => once(each, 'close')));
}

describe('an answer that the SDK can take', () => {
  // These differ: no SDK takes blocks that overlap, calls that are cut, and items without their index.
  const captures: readonly string[] = [
    ...[
      'chat-plain',
      'chat-usage',
      'chat-reasoning',
      'chat-length',
      'chat-tools-parallel',
      'chat-tools-text-then-call',
    ],
    ...['messages-text', 'messages-empty', 'messages-max-tokens', 'messages-stop', 'messages-tool'],
  ];
  it.each(captures)('%s goes on byte for byte', async (name) => {
    const bytes = readFileSync(new URL(`${name}.sse`, captureDir), 'utf8');
    const wire = name.startsWith('chat') ? 'chat' : 'messages';
    const repaired: string[] = [];
    handle = answers(bytes);
    const response = await ask(wire, { onRepair: (name) => repaired.push(name) });
    expect(await response.text()).toBe(bytes);
    expect(repaired).toEqual([]);
  });

  it('of OpenAI keeps every field that nobody here knows, and its comments', async () => {
    const bytes = `: hi\n\n${chatBody(...hello.slice(0, 3))}: bye\n\n${chatBody(...hello.slice(3), '[DONE]')}`;
    handle = (_request, response) => {
      response.writeHead(200, SSE).write(bytes.slice(0, 250));
      setImmediate(() => response.end(bytes.slice(250)));
    };
    expect(await (await ask('chat')).text()).toBe(bytes);
  });

  it('keeps its status, headers and address', async () => {
    handle = answers(chatBody(...hello, '[DONE]'), { ...SSE, 'x-request-id': 'req_1', 'openai-version': '2020' });
    const response = await ask('chat');
    const seen = [
      response.status,
      response.ok,
      response.url,
      response.redirected,
      response.headers.get('x-request-id'),
    ];
    expect(seen).toEqual([200, true, base + paths.chat, false, 'req_1']);
    const copy = response.clone();
    expect(copy.url).toBe(base + paths.chat);
    expect(await copy.text()).toBe(await response.text());
  });
});

describe('everything else passes untouched', () => {
  const same = Response.json({ data: [] });
  const cases: readonly (readonly [string, string, RequestInit | undefined])[] = [
    ['a GET', '/v1/models', undefined],
    ['another path', '/v1/embeddings', { method: 'POST', body: '{"model":"m","input":"x"}' }],
    ['a message of a thread', '/v1/threads/t/messages', { method: 'POST', body: '{"role":"user","content":"hi"}' }],
    ['functions of old', paths.chat, { method: 'POST', body: '{"messages":[],"functions":[]}' }],
    ['a body that is no JSON', paths.chat, { method: 'POST', body: 'hi' }],
    ['a form', paths.chat, { method: 'POST', body: new FormData() }],
    ['a response in the background', paths.responses, { method: 'POST', body: '{"input":"x","background":true}' }],
  ];
  it.each(cases)('%s', async (_name, path, init) => {
    const passed: unknown[] = [];
    const fetch = healing({
      fetch: (...args) => {
        passed.push(...args);
        return Promise.resolve(same);
      },
    });
    expect(await fetch(base + path, init)).toBe(same);
    expect(passed).toEqual([base + path, init]);
  });

  it('only the wires that were chosen are healed', async () => {
    const fetch = healingFor([chat], { fetch: () => Promise.resolve(same) });
    expect(await fetch(base + paths.messages, { method: 'POST', body: JSON.stringify(asks.messages) })).toBe(same);
  });

  it('a redirect that was asked for as it is', async () => {
    handle = answers('', { location: '/elsewhere' }, 307);
    const response = await healing()(base + paths.chat, {
      method: 'POST',
      body: JSON.stringify(asks.chat),
      redirect: 'manual',
    });
    expect(response.status).toBe(307);
  });
});

describe('an answer that is finished over an open connection', () => {
  it('has the usage that comes behind one from before the finish', async () => {
    const early = { ...hello[1]!, usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } };
    const bytes = chatBody(hello[0]!, early, ...hello.slice(2));
    handle = holds(bytes);
    expect(await (await ask('chat')).text()).toBe(bytes + chatBody('[DONE]'));
    handle = holds(chatBody(hello[0]!, early, ...hello.slice(2, 4)));
    expect((await (await ask('chat', { usageGraceMs: 20 })).text()).endsWith(chatBody(hello[3]!, '[DONE]'))).toBe(true);
  });

  it('ends, with all that its client waits for, and the connection is closed once', async () => {
    handle = holds(chatBody(...hello.slice(0, 4)));
    const response = await ask('chat', { usageGraceMs: 20 });
    expect(await response.text()).toBe(chatBody(...hello.slice(0, 4), '[DONE]'));
    await allClosed();
    expect(requests.length).toBe(1);
  });

  it('on Messages ends with message_stop', async () => {
    const bytes = readFileSync(new URL('messages-text.sse', captureDir), 'utf8');
    handle = holds(bytes.slice(0, bytes.indexOf('event: message_stop')));
    const told = (await (await ask('messages')).text()).split('\n').filter((line) => line.startsWith('data: '));
    expect(validateMessagesOrder(told.map((line): unknown => JSON.parse(line.slice(6))))).toEqual([]);
    expect(told.at(-1)).toBe('data: {"type":"message_stop"}');
  });
});

describe('from the first event on that the SDK cannot take', () => {
  it('the same answer is told anew, its beginning as it came', async () => {
    const call = (index: number | undefined, id: string, args: string) => ({
      index,
      id,
      type: 'function',
      function: { name: 'get', arguments: args },
    });
    const events = [
      hello[0]!,
      hello[1]!,
      good({ tool_calls: [call(undefined, 'a', '{}')] }),
      good({ tool_calls: [call(undefined, 'b', '{}')] }),
      good({}, 'tool_calls'),
    ];
    handle = (_request, response) => {
      response.writeHead(200, SSE);
      const write = (at: number): void => {
        if (at === events.length) response.end(chatBody('[DONE]'));
        else response.write(chatBody(events[at]!), () => setTimeout(write, 5, at + 1));
      };
      write(0);
    };
    const repaired: string[] = [];
    const text = await (
      await ask('chat', { onRepair: (name, { wire, url }) => repaired.push(`${wire} ${url} ${name}`) })
    ).text();
    expect(text.startsWith(chatBody(hello[0]!, hello[1]!))).toBe(true);
    const rest = text
      .split('\n\n')
      .slice(2, -2)
      .map(
        (line) =>
          JSON.parse(line.slice(6)) as {
            id: string;
            model: string;
            created: number;
            choices: { delta: { tool_calls?: object[] }; finish_reason: string | null }[];
          },
      );
    expect(
      rest.every(({ id, model, created }) => id === 'chatcmpl-1' && model === 'gpt-x' && created === 1_795_000_000),
    ).toBe(true);
    expect(rest.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'get', arguments: '' } },
      { index: 0, function: { arguments: '{}' } },
      { index: 1, id: 'b', type: 'function', function: { name: 'get', arguments: '' } },
      { index: 1, function: { arguments: '{}' } },
    ]);
    expect(rest.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, null, 'tool_calls']);
    expect(repaired).toEqual([`chat ${base}${paths.chat} no_tool_index`]);
  });

  it('a Responses stream goes on with the next number, and is in order', async () => {
    const id = {
      id: 'resp_1',
      object: 'response',
      created_at: 5,
      model: 'gpt-x',
      output: [],
      instructions: 'Be brief.',
    };
    const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'in_progress', content: [] };
    const events = [
      { type: 'response.created', sequence_number: 10, response: { ...id, status: 'in_progress' } },
      { type: 'response.in_progress', sequence_number: 11, response: { ...id, status: 'in_progress' } },
      { type: 'response.output_item.added', sequence_number: 12, output_index: 0, item },
      {
        type: 'response.output_text.delta',
        sequence_number: 13,
        output_index: 0,
        item_id: 'msg_1',
        content_index: 0,
        delta: 'Hi',
      },
      { type: 'response.completed', sequence_number: 14, response: { ...id, status: 'completed' } },
    ];
    handle = (_request, response) => {
      response.writeHead(200, SSE);
      const write = (at: number): void => {
        const event = events[at];
        if (event === undefined) response.end();
        else
          response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`, () =>
            setTimeout(write, 5, at + 1),
          );
      };
      write(0);
    };
    const text = await (await ask('responses')).text();
    const told = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as { sequence_number: number; type: string; response?: object });
    expect(validateOrder(told)).toEqual([]);
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, at) => 10 + at));
    expect(told.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { id: 'resp_1', model: 'gpt-x', instructions: 'Be brief.' },
    });
  });
});

describe('a failure', () => {
  it('in the stream is what the SDK throws, with our reason; the body breaks behind it', async () => {
    handle = (request, response) => {
      response
        .writeHead(200, SSE)
        .write(chatBody(...hello.slice(0, 2)), () => setTimeout(() => request.socket.destroy(), 20));
    };
    await expect(textOf(await openai().chat.completions.create(question))).rejects.toMatchObject({
      name: 'Error',
      code: 'server_error',
      message: expect.stringContaining('the connection broke in the middle of the answer') as string,
    });
    const raw = await ask('chat');
    await expect(raw.text()).rejects.toMatchObject({ name: 'ModelError', kind: 'stream_truncated' });
  });

  it('on Responses is response.failed, and then what the SDK throws', async () => {
    const created = {
      type: 'response.created',
      sequence_number: 0,
      response: { id: 'r', object: 'response', status: 'in_progress', output: [] },
    };
    handle = (request, response) => {
      response
        .writeHead(200, SSE)
        .write(`event: response.created\ndata: ${JSON.stringify(created)}\n\n`, () =>
          setTimeout(() => request.socket.destroy(), 20),
        );
    };
    const seen: string[] = [];
    const reading = async () => {
      for await (const event of await openai().responses.create({ model: 'm', input: 'hi', stream: true }))
        seen.push(event.type);
    };
    await expect(reading()).rejects.toThrow('the connection broke in the middle of the answer');
    expect(seen).toEqual(['response.created', 'response.failed']);
  });

  it('before the first event is a status, which the SDK tries again by itself', async () => {
    let failures = 2;
    handle = (_request, response) => {
      if (failures-- > 0) answers('', SSE)(_request, response, '');
      else answers(chatBody(...hello, '[DONE]'))(_request, response, '');
    };
    const client = openai({}, { maxRetries: 2 });
    expect(await textOf(await client.chat.completions.create(question))).toBe('Hello');
    expect(requests.length).toBe(3);
  });

  it('that no second request can help is not tried again', async () => {
    handle = answers('<!doctype html><title>Hello</title>', { 'content-type': 'text/html' });
    const client = openai({}, { maxRetries: 2 });
    const failed = client.chat.completions.create(question);
    await expect(failed).rejects.toBeInstanceOf(InternalServerError);
    await expect(failed).rejects.toMatchObject({ status: 502, code: 'no_model_server' });
    expect(requests.length).toBe(1);
  });

  const refusals: readonly (readonly [string, string, Record<string, string>, number, unknown, object])[] = [
    [
      'in an odd shape',
      '{"detail":"bad prompt"}',
      { 'content-type': 'application/json' },
      400,
      BadRequestError,
      { status: 400, message: '400 bad prompt', code: 'invalid_prompt' },
    ],
    [
      'as the SDK knows it goes on as it came',
      '{"error":{"message":"no","code":"x","more":1}}',
      { 'content-type': 'application/json' },
      400,
      BadRequestError,
      { status: 400, code: 'x', error: { message: 'no', code: 'x', more: 1 } },
    ],
    [
      'in the stream first',
      chatBody({ error: { message: 'slow down', code: 'rate_limit_exceeded' } }),
      SSE,
      200,
      RateLimitError,
      { status: 429, code: 'rate_limit_exceeded' },
    ],
  ];
  it.each(refusals)('%s', async (_name, body, headers, status, type, fields) => {
    handle = answers(body, { ...headers, 'x-request-id': 'req_7' }, status);
    const failed = openai().chat.completions.create(question);
    await expect(failed).rejects.toBeInstanceOf(type);
    await expect(failed).rejects.toMatchObject({ ...fields, requestID: 'req_7' });
  });

  it('of fetch itself is thrown as it came', async () => {
    const error = new TypeError('fetch failed');
    const fetch = healing({ fetch: () => Promise.reject(error) });
    await expect(fetch(base + paths.chat, { method: 'POST', body: JSON.stringify(asks.chat) })).rejects.toBe(error);
    const client = new OpenAI({ baseURL: base, apiKey: 'none', maxRetries: 0, fetch });
    await expect(client.chat.completions.create(question)).rejects.toBeInstanceOf(APIConnectionError);
  });

  it("of Anthropic's SDK has its class, its type and our reason", async () => {
    handle = answers('<html>', { 'content-type': 'text/html' }, 503);
    const client = new Anthropic({ baseURL: base, apiKey: 'none', maxRetries: 0, fetch: healing() });
    const failed = client.messages.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] });
    await expect(failed).rejects.toMatchObject({
      status: 529,
      type: 'overloaded_error',
      message: expect.stringContaining('answered 503 with an HTML page') as string,
    });
  });
});

describe('retry', () => {
  it('by a policy tries again before the first event, and the SDK does not', async () => {
    handle = answers(
      '{"error":{"message":"busy"}}',
      { 'content-type': 'application/json', 'retry-after-ms': '3' },
      503,
    );
    const repaired: string[] = [];
    const client = openai({ retry: 'default', onRepair: (name) => repaired.push(name) }, { maxRetries: 2 });
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 503 });
    expect(requests.length).toBe(5);
    expect(repaired).toEqual(['retry', 'retry', 'retry', 'retry']);
  });

  it('never behind the first event', async () => {
    handle = answers(chatBody(...hello.slice(0, 2)));
    await expect(textOf(await openai({ retry: 'default' }).chat.completions.create(question))).rejects.toThrow(
      'the answer was cut off',
    );
    expect(requests.length).toBe(1);
  });

  it('is given up by an abort, as fetch tells it', async () => {
    handle = answers('', { 'retry-after-ms': '60000' }, 503);
    const stop = new AbortController();
    const clock = manualClock();
    const asking = ask('chat', { retry: 'default', clock }, { signal: stop.signal });
    while (!clock.asked.includes(60_000)) await new Promise(setImmediate);
    stop.abort();
    await expect(asking).rejects.toBe(stop.signal.reason);
    expect(clock.pending).toBe(0);
  });
});

describe('onRepair', () => {
  const shifted = chatBody({ ...good({ content: 'x' }), choices: [{ delta: { content: 'x' }, finish_reason: null }] });
  const called = good({ tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] });
  const one = {
    id: 'c',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  };
  const JSON_HEAD = { 'content-type': 'application/json' };
  const streams: readonly (readonly [readonly string[], string, Handler])[] = [
    [[], 'a good stream', answers(chatBody(...hello, '[DONE]'))],
    [[], 'a good refusal', answers('{"error":{"message":"no","code":"x"}}', JSON_HEAD, 400)],
    [['held_connection'], 'an end over an open connection', holds(chatBody(...hello, '[DONE]'))],
    [
      ['odd_shape'],
      'a choice without an index',
      answers(chatBody(hello[0]!) + shifted + chatBody(...hello.slice(3), '[DONE]')),
    ],
    [['odd_shape'], 'a role that is missing', answers(chatBody(...hello.slice(1), '[DONE]'))],
    [
      ['no_tool_index', 'stop_with_tool_calls'],
      'what has a name',
      answers(chatBody(hello[0]!, called, ...hello.slice(3), '[DONE]')),
    ],
    [['no_last_blank_line'], 'no last blank line', answers(chatBody(...hello).trimEnd())],
    [
      ['wrong_content_type'],
      'another content type',
      answers(chatBody(...hello, '[DONE]'), { 'content-type': 'text/plain' }),
    ],
    [['json_for_stream'], 'a body for a stream', answers(JSON.stringify(one), JSON_HEAD)],
    [['odd_refusal'], 'a refusal that is a page', answers('<html>', { 'content-type': 'text/html' }, 503)],
    [['odd_refusal'], 'a page', answers('<html>', { 'content-type': 'text/html' })],
    [['failure_as_success'], 'an error first', answers(chatBody({ error: { message: 'no', code: 'x' } }))],
    [['untold_failure'], 'nothing at all', answers('')],
    [['untold_failure'], 'a cut', answers(chatBody(...hello.slice(0, 2)))],
  ];
  const unfinished = { ...one, choices: [{ ...one.choices[0], finish_reason: undefined }] };
  const bodies: readonly (readonly [readonly string[], string, Handler])[] = [
    [[], 'a good body', answers(JSON.stringify(one), JSON_HEAD)],
    [['stream_for_json'], 'a stream for a body', answers(chatBody(...hello, '[DONE]'))],
    [['untold_failure'], 'a body without its finish', answers(JSON.stringify(unfinished), JSON_HEAD)],
  ];
  const cases = [
    ...streams.map((each) => [...each, {}] as const),
    ...bodies.map((each) => [...each, { stream: false }] as const),
  ];
  it.each(cases)('%j for %s', async (names, _what, handler, body) => {
    handle = handler;
    const repaired: string[] = [];
    const options = { onRepair: (name: string) => repaired.push(name), usageGraceMs: 20 };
    await (await ask('chat', options, { body })).text().catch(() => undefined);
    await allClosed(); // that it was held shows when it is let go
    expect(repaired).toEqual(names);
  });

  it('is told the call, and which attempt of it', async () => {
    handle = answers('', SSE, 503);
    const seen: RepairedRequest[] = [];
    const options: HealingOptions = {
      retry: { ...retryPolicies.default, request: { ...retryPolicies.default.request, maxRetries: 1, baseDelayMs: 1 } },
      onRepair: (_, request) => seen.push(request),
    };
    for (let n = 0; n < 2; n++) await ask('messages', options, { body: {} });
    const url = base + paths.messages;
    const [first, , , last] = seen;
    expect(first?.id).not.toBe(last?.id);
    const of = (id: string | undefined, attempt: number) => ({ id, wire: 'messages', url, attempt });
    expect(seen).toEqual([1, 1, 2].map((at) => of(first?.id, at)).concat([1, 1, 2].map((at) => of(last?.id, at))));
  });
});

describe('one body and a stream', () => {
  const whole = {
    id: 'c',
    object: 'chat.completion',
    created: 5,
    model: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    extra: true,
  };

  it('a body where a stream was asked for becomes one, though the connection stays open', async () => {
    handle = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write(JSON.stringify(whole));
    const response = await ask('chat');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await response.text()).toContain('"delta":{"content":"Hello"}');
    expect(await textOf(await openai().chat.completions.create(question))).toBe('Hello');
  });

  it('a stream where a body was asked for becomes one', async () => {
    handle = answers(chatBody(...hello, '[DONE]'));
    const completion = await openai().chat.completions.create(plain);
    expect(completion).toMatchObject({
      id: 'chatcmpl-1',
      model: 'gpt-x',
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { total_tokens: 5 },
    });
  });

  it('a body that is good goes on as it came, though the connection stays open', async () => {
    handle = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write(JSON.stringify(whole));
    expect(await (await ask('chat', {}, { body: { stream: false } })).json()).toEqual(whole);
    await allClosed();
  });

  it('a body that is cut is thrown', async () => {
    handle = answers(JSON.stringify(whole).slice(0, 60), { 'content-type': 'application/json' });
    await expect(openai().chat.completions.create(plain)).rejects.toMatchObject({
      status: 502,
    });
  });
});

describe('the body', () => {
  it('may be compressed', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { ...SSE, 'content-encoding': 'gzip' }).end(gzipSync(chatBody(...hello, '[DONE]')));
    };
    const response = await ask('chat');
    expect(response.headers.get('content-encoding')).toBe(null);
    expect(await response.text()).toBe(chatBody(...hello, '[DONE]'));
  });

  it('may come by way of a redirect, whose address it has', async () => {
    handle = (request, response, body) => {
      if (request.url === paths.chat)
        answers('', { location: '/moved/chat/completions' }, 307)(request, response, body);
      else answers(chatBody(...hello, '[DONE]'))(request, response, body);
    };
    const response = await ask('chat');
    expect([response.url, response.redirected]).toEqual([`${base}/moved/chat/completions`, true]);
    await response.body?.cancel();
  });

  it('can be teed and cloned, and not read twice', async () => {
    handle = answers(chatBody(...hello, '[DONE]'));
    const response = await ask('chat');
    const copy = response.clone();
    const [left, right] = response.body!.tee();
    const texts = await Promise.all([copy.text(), new Response(left).text(), new Response(right).text()]);
    expect(texts).toEqual(Array(3).fill(chatBody(...hello, '[DONE]')));
    await expect(copy.text()).rejects.toBeInstanceOf(TypeError);
  });

  it('that is never read leaves no timer', async () => {
    handle = holds(chatBody(...hello.slice(0, 2)));
    const clock = manualClock();
    const response = await ask('chat', { clock });
    clock.advance(1000);
    expect(clock.pending).toBe(0);
    await response.body?.cancel();
    await allClosed();
  });

  it('that is never read and dropped is cancelled when it is collected', async () => {
    handle = holds(chatBody(...hello.slice(0, 2)));
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await ask('chat');
    expect(open.size).toBe(1);
    while (open.size > 0) {
      collect();
      await new Promise(setImmediate);
    }
  });

  it('is not read faster than its reader takes it', async () => {
    let pulled = 0;
    const text = chatBody(hello[1]!);
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new TextEncoder().encode(pulled === 1 ? chatBody(hello[0]!) : text));
        },
      },
      { highWaterMark: 0 },
    );
    const fetch = healing({ fetch: () => Promise.resolve(new Response(body, { headers: SSE })) });
    const response = await fetch(base + paths.chat, { method: 'POST', body: JSON.stringify(asks.chat) });
    expect(pulled).toBe(1);
    const reader = response.body!.getReader();
    for (let n = 0; n < 3; n++) await reader.read();
    expect(pulled).toBe(3);
    await reader.cancel();
  });

  it('that the SDK leaves in the middle is cancelled', async () => {
    handle = holds(chatBody(...hello.slice(0, 3)));
    for await (const { choices } of await openai().chat.completions.create(question))
      if (choices[0]?.delta.content === 'Hel') break;
    await allClosed();
    expect(open.size).toBe(0);
  });

  it('that is aborted rejects with the reason', async () => {
    handle = holds(chatBody(...hello.slice(0, 2)));
    const stop = new AbortController();
    const response = await ask('chat', {}, { signal: stop.signal });
    const reading = response.text();
    stop.abort();
    await expect(reading).rejects.toBe(stop.signal.reason);
    await allClosed();
  });
});

it('a thousand answers at once are each their own', { timeout: 60_000 }, async () => {
  handle = (_request, response, body) => {
    const { user } = JSON.parse(body) as { user: string };
    response.writeHead(200, SSE).write(chatBody(good({ role: 'assistant', content: user }), good({}, 'stop')));
    setTimeout(() => response.end(), 5);
  };
  const texts = await Promise.all(
    Array.from({ length: 1000 }, async (_, n) => await (await ask('chat', {}, { body: { user: `n${n}` } })).text()),
  );
  expect(
    texts.every(
      (text, n) => text === chatBody(good({ role: 'assistant', content: `n${n}` }), good({}, 'stop'), '[DONE]'),
    ),
  ).toBe(true);
  await allClosed();
});

it('a request that is a Request is read as well', async () => {
  handle = holds(chatBody(chunk({ content: 'Hi' }), chunk({}, 'stop')));
  const request = new Request(base + paths.chat, { method: 'POST', body: JSON.stringify(asks.chat) });
  const text = await (await healing({ usageGraceMs: 20 })(request)).text();
  expect(text).toContain('"delta":{"role":"assistant","content":""}');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(requests[0]?.body).toBe(JSON.stringify(asks.chat));
});
