import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { createExchanges } from '../../packages/bridge/src/observe/exchange.ts';
import { createLogObserver } from '../../packages/bridge/src/observe/log.ts';
import { createMetrics } from '../../packages/bridge/src/observe/metrics.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { repairs } from '../../packages/wire/src/index.ts';
import { listFaults } from '../../packages/testing/src/index.ts';
import { manualClock, type ManualClock } from '../transport/support/manual-clock.ts';
import { askChat, askOn, askSse, openSocket, post, startRig, type Json } from './harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from './raw-upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-observing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A logger, and the lines that it wrote. */
function collecting(level: string): { readonly logger: Logger; readonly lines: Json[] } {
  const lines: Json[] = [];
  const logger = pino({ level, base: null }, { write: (text: string) => lines.push(JSON.parse(text) as Json) });
  return { logger, lines };
}

/** The samples of one metric, each as `{labels} value`. */
async function samplesOf(bridge: Bridge, name: string): Promise<string[]> {
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`turnwire_${name}_total{`))
    .map((line) => line.slice(`turnwire_${name}_total`.length))
    .toSorted();
}

describe('a refused request', () => {
  it('is counted and logged, whatever it is refused for', async () => {
    const { logger, lines } = collecting('info');
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat', logger });
    const plain = { headers: { 'content-type': 'text/plain' } };
    await post(at.bridge, '/v1/responses', {}, plain);
    await post(at.bridge, '/v1/responses?key=SECRET-IN-ADDRESS', {}, { headers: { origin: 'https://evil.example' } });
    await post(at.bridge, '/v1/responses', '{"model":');
    await post(at.bridge, '/v1/responses', { model: 'm', input: 'x', previous_response_id: 'resp_gone' });
    await post(at.bridge, '/v1/chat/completions', { model: 'm', messages: 'none' });
    await fetch(`${at.bridge.url}/v1/responses/resp_gone`);
    await fetch(`${at.bridge.url}/v1/elsewhere`);
    expect(await samplesOf(at.bridge, 'refusals')).toEqual([
      '{route="chat_json",status="400",code="invalid_type"} 1',
      '{route="other",status="404",code="not_found"} 1',
      '{route="responses",status="400",code="invalid_json"} 1',
      '{route="responses",status="403",code="forbidden"} 1',
      '{route="responses",status="415",code="unsupported_media_type"} 1',
      '{route="responses_json",status="404",code="previous_response_not_found"} 1',
      '{route="stored",status="404",code="not_found"} 1',
    ]);
    expect(await samplesOf(at.bridge, 'requests')).toContain('{route="responses",outcome="refused"} 3');
    expect(await samplesOf(at.bridge, 'errors')).toEqual([]);
    const told = lines.filter(({ msg }) => msg === 'refused');
    expect(told.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/v1/responses', 415],
      ['POST', '/v1/responses', 403],
      ['POST', '/v1/responses', 400],
      ['POST', '/v1/responses', 404],
      ['POST', '/v1/chat/completions', 400],
      ['GET', '/v1/responses/resp_gone', 404],
      ['GET', '/v1/elsewhere', 404],
    ]);
    expect(told[3]).toMatchObject({
      level: 30,
      request: expect.stringMatching(/^req_/) as string,
      outcome: 'refused',
      code: 'previous_response_not_found',
      param: 'previous_response_id',
      error: "Previous response with id 'resp_gone' not found.",
    });
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });

  it.each([
    [{ headers: { host: 'box.example' } }, {}, 403, /this Host is not allowed here: --allow-host NAME/],
    [{ headers: { origin: 'http://page.example' } }, {}, 403, /this Origin is not allowed.*--allow-origin ORIGIN/],
    [{}, { websocket: false }, 426, /WebSockets are switched off \(--no-websocket/],
  ])('names the flag that would let it in, a WebSocket too: %j %j', async (init, options, status, why) => {
    const { logger, lines } = collecting('info');
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { logger, ...options });
    const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/v1/responses`, init);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain(String(status));
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'refused',
        method: 'GET',
        path: '/v1/responses',
        status,
        error: expect.stringMatching(why) as string,
      }),
    ]);
  });

  it('is told of at the limit of open streams, and on a socket', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { maxStreams: 1 });
    const socket = await openSocket(bridge);
    expect((await askOn(socket, { type: 'response.cancel' })).how).toBe('http:400');
    const waiting = post(bridge, '/v1/responses', { model: 'm', input: 'x', stream: true });
    const { res } = await upstream.next();
    expect((await post(bridge, '/v1/responses', { model: 'm', input: 'x' })).status).toBe(429);
    expect((await askOn(socket, { input: 'x' })).how).toBe('http:429');
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${chatChunk('Hello')}data: [DONE]\n\n`);
    await (await waiting).text();
    socket.terminate();
    expect(await samplesOf(bridge, 'refusals')).toEqual([
      '{route="responses",status="429",code="rate_limit_exceeded"} 1',
      '{route="responses_ws",status="400",code="none"} 1',
      '{route="responses_ws",status="429",code="rate_limit_exceeded"} 1',
    ]);
  });
});

describe('refusals that go on and on', () => {
  /** An exchange of the log alone that is refused. */
  function refusing(): { readonly refuse: (status: number) => void; readonly told: () => unknown[] } & {
    readonly clock: ManualClock;
    readonly close: () => void;
  } {
    const { logger, lines } = collecting('info');
    const clock = manualClock();
    const log = createLogObserver(logger, clock);
    const begin = createExchanges(clock, [log.observe]);
    let id = 0;
    return {
      clock,
      close: () => log.close(),
      refuse: (status) =>
        begin({ id: `req_${id++}`, route: 'other', method: 'GET', url: `/${id}`, headers: {} }).onEnd({
          how: 'refused',
          refusal: { status, code: null, message: 'no' },
        }),
      told: () =>
        lines.splice(0).map(({ msg, status, times }) => [msg, status, ...(times === undefined ? [] : [times])]),
    };
  }

  it('are told one by one at first, then once a minute by their number, until a minute is without', () => {
    const { refuse, told, clock } = refusing();
    for (let at = 0; at < 9; at++) refuse(404);
    refuse(401);
    expect(told()).toEqual([...Array.from({ length: 5 }, () => ['refused', 404]), ['refused', 401]]);
    clock.advance(60_000);
    expect(told()).toEqual([['refused again', 404, 4]]);
    for (let at = 0; at < 1000; at++) refuse(404);
    clock.advance(59_999);
    expect(told()).toEqual([]);
    clock.advance(1);
    expect(told()).toEqual([['refused again', 404, 1000]]);
    clock.advance(60_000);
    expect([told(), clock.pending]).toEqual([[], 0]);
    refuse(404);
    expect(told()).toEqual([['refused', 404]]);
  });

  it('are told at the end of the bridge, which waits for no timer', () => {
    const { refuse, told, clock, close } = refusing();
    for (let at = 0; at < 7; at++) refuse(404);
    refuse(401);
    told();
    close();
    expect([told(), clock.pending]).toEqual([[['refused again', 404, 2]], 0]);
  });
});

it('what a server lacks, or is not sent, is said once and not with each request', async () => {
  const { logger, lines } = collecting('info');
  await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat', logger });
  const tools = [{ type: 'web_search_preview' }];
  for (const one of [{ tools }, { tools }, { tools, truncation: 'auto' }, { tools: [{ type: 'file_search' }] }]) {
    expect((await askSse(at.bridge, { input: 'hi', ...one })).how).toBe('completed');
  }
  const about = lines.filter(({ msg }) => msg === 'the upstream cannot be given all of the request');
  expect(about.map(({ upstream, uncarried }) => [upstream, (uncarried as Json[]).map(({ type }) => type)])).toEqual([
    [`${at.mock.url}/v1`, ['web_search_preview']],
    [`${at.mock.url}/v1`, ['file_search']],
  ]);
  expect(lines.filter(({ msg }) => msg === 'response')).toHaveLength(4);
});

it('an answer is told with its client and its model, and how often a server was asked', async () => {
  const { logger, lines } = collecting('info');
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { logger, requestMaxRetries: 2 });
  const headers = { 'user-agent': 'OpenAI/JS 7.5.0' };
  const answer = post(bridge, '/v1/responses', { model: 'gpt-5', input: 'hi' }, { headers });
  for (let at = 0; at < 3; at++) (await upstream.next()).res.writeHead(500).end('{"error":{"message":"broken"}}');
  expect((await answer).status).toBe(500);
  const second = post(bridge, '/v1/responses', { model: 'gpt-5', input: 'hi' }, { headers });
  (await upstream.next()).res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk('a') + chatEnd);
  expect((await second).status).toBe(200);
  expect(
    lines
      .filter(({ msg }) => msg === 'response')
      .map(({ client, model, outcome, attempts, error }) => [client, model, outcome, attempts, error]),
  ).toEqual([
    ['openai-js 7.5', 'gpt-5', 'server_error', 3, 'broken'],
    ['openai-js 7.5', 'gpt-5', 'completed', undefined, undefined],
  ]);
});

it('a shutdown says which streams it waits for', async () => {
  const { logger, lines } = collecting('info');
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { logger, drainTimeoutMs: 30_000 });
  const answer = askSse(bridge, { input: 'hi' });
  const { res } = await upstream.next();
  const closed = bridge.close();
  expect(lines).toEqual([
    expect.objectContaining({
      streams: 1,
      drain_ms: 30_000,
      msg: 'shutting down: 1 stream is open and may finish for up to 30 s; a second signal ends at once',
    }),
  ]);
  res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk('Hello') + chatEnd);
  expect((await answer).text).toBe('Hello');
  await closed;
});

describe('an error of the upstream that passes through', () => {
  it('is not said to be completed, be it told by a status or in the last bytes', async () => {
    const { logger, lines } = collecting('info');
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { mode: 'passthrough', logger });
    const refused = post(bridge, '/v1/responses', { model: 'm', input: 'x', stream: true });
    (await upstream.next()).res
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no"}}');
    expect([(await refused).status, await (await refused).text()]).toEqual([400, '{"error":{"message":"no"}}']);
    const failed = post(bridge, '/v1/responses', { model: 'm', input: 'x', stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n');
    const reader = (await failed).body!.getReader();
    await reader.read(); // it has passed, and can be put to nobody else
    const error = { code: 'server_error', message: 'it broke' };
    const response = JSON.stringify({ type: 'response.failed', response: { id: 'r', status: 'failed', error } });
    res.end(`event: response.failed\ndata: ${response}\n\n`);
    while (!(await reader.read()).done);
    expect(await samplesOf(bridge, 'requests')).toEqual([
      '{route="passthrough",outcome="invalid_request"} 1',
      '{route="passthrough",outcome="server_error"} 1',
    ]);
    expect(
      lines
        .filter(({ msg }) => msg === 'response')
        .map(({ level, status, outcome, error: told }) => [level, status, outcome, told]),
    ).toEqual([
      [40, 400, 'invalid_request', 'no'],
      [40, 200, 'server_error', 'it broke'],
    ]);
  });

  /** Passes pieces of a chat stream through, each read by the client before the next; its outcome in the metrics. */
  async function outcomeOf(pieces: readonly string[]): Promise<readonly string[]> {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { mode: 'passthrough' });
    const answer = post(bridge, '/v1/chat/completions', { model: 'm', messages: [], stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.flushHeaders();
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    for (const piece of pieces) {
      res.write(piece);
      reader ??= (await answer).body!.getReader();
      for (let got = 0; got < Buffer.byteLength(piece);) got += (await reader.read()).value?.byteLength ?? Infinity;
    }
    res.end();
    while (reader !== undefined && !(await reader.read()).done);
    return await samplesOf(bridge, 'requests');
  }

  const broke = 'data: {"error":{"message":"it broke","code":"server_error"}}\n\n';

  it.each([
    ['an error before the last chunk', [chatChunk('a'), broke, '\n', ': bye\n\n'], 'server_error'],
    ['an error in pieces', [chatChunk('a'), broke.slice(0, 20), broke.slice(20, 40), broke.slice(40)], 'server_error'],
    ['a close before any end', [chatChunk('a'), chatChunk('b')], 'stream_truncated'],
    ['an end in pieces', [chatChunk('a'), chatEnd.slice(0, 30), chatEnd.slice(30)], 'completed'],
    ['an error behind a long answer', [chatChunk('a'.repeat(200_000)), broke, '\n'], 'server_error'],
    ['an end behind a long answer', [chatChunk('a'.repeat(200_000)), chatEnd], 'completed'],
  ])('is seen wherever its chunks are cut: %s', async (_name, pieces, outcome) => {
    expect(await outcomeOf(pieces)).toEqual([`{route="passthrough",outcome="${outcome}"} 1`]);
  });
});

/** What is repaired where a server has one of the faults of the mock; those that are not here need no repair, or end in an error. */
const repaired: Readonly<Record<string, Readonly<Partial<Record<'chat' | 'responses', readonly string[]>>>>> = {
  'bare-done': { chat: ['bare_sentinel', 'no_finish_reason'] },
  'bare-done-hold': { chat: ['bare_sentinel', 'no_finish_reason'] },
  'no-finish-done': { chat: ['no_finish_reason'] },
  'junk-lines': { chat: ['skipped_event'], responses: ['skipped_event'] },
  'json-instead-of-sse': { chat: ['json_for_stream'], responses: ['json_for_stream'] },
  'wrong-content-type': { chat: ['wrong_content_type'], responses: ['wrong_content_type'] },
  'usage-refused': { chat: ['usage_refused'] },
  'usage-in-choice': { chat: ['usage_in_choice'] },
  'retry-after:0:1': { chat: ['retry'], responses: ['retry'] },
  'tool-index-missing': { chat: ['no_tool_index'] },
  'tool-index-reused': { chat: ['reused_tool_index'] },
  'tool-id-late': { chat: ['late_call_id'] },
  'tool-id-missing': { chat: ['no_call_id'] },
  'tool-id-shared': { chat: ['shared_call_id'], responses: ['shared_call_id'] },
  'tool-args-object': { chat: ['arguments_object'] },
  'content-parts': { chat: ['content_parts'] },
  'message-not-delta': { chat: ['message_for_delta'] },
  'stop-with-tools': { chat: ['stop_with_tool_calls'] },
  'finish-tool-use': { chat: ['finish_reason_spelling'] },
  'finish-empty': { chat: ['empty_finish_reason'] },
  'only-completed': { responses: ['item_only_at_end'] },
  'no-item-done': { responses: ['unfinished_item'] },
  'fresh-item-ids': { responses: ['changed_item_id'] },
  'no-created': { responses: ['no_created'] },
  'no-item-ids': { responses: ['no_item_id'] },
  'no-indexes': { responses: ['no_output_index'] },
  'delta-without-added': { responses: ['unannounced_item'] },
};

const cases = Object.entries(repaired).flatMap(([fault, wires]) =>
  Object.entries(wires).map(([wire, names]) => ({ fault, wire: wire as 'chat' | 'responses', names })),
);

describe('a repair is counted by its name', () => {
  it.each(cases)('$fault of a $wire server', async ({ fault, wire, names }) => {
    const scenario = /^tool|stop-with-tools|tool-use/.test(fault) ? 'parallel-calls' : 'text';
    const { logger, lines } = collecting('info');
    await using at = await startRig(
      { wire, scenario, faults: [fault] },
      { wire, logger, usageGraceMs: 100, requestMaxRetries: 1 },
    );
    expect((await askSse(at.bridge, { input: 'hi' })).how).toBe('completed');
    const counted = (await samplesOf(at.bridge, 'repairs')).map((sample) => /repair="([^"]*)"/.exec(sample)?.[1]);
    expect(counted).toEqual(names.toSorted());
    const line = lines.find(({ msg }) => msg === 'response');
    expect(Object.keys((line?.repairs ?? {}) as Json).toSorted()).toEqual(names.toSorted());
    const former = await samplesOf(at.bridge, 'heals');
    expect(former.map((sample) => /fault="([^"]*)"/.exec(sample)?.[1])).toEqual(names.toSorted());
  });

  it.each(['crlf', 'comments', 'tool-whole', 'gzip', 'usage-on-finish'])('%s needs none', async (fault) => {
    expect(listFaults().some(({ name }) => name === fault)).toBe(true);
    await using at = await startRig({ wire: 'chat', scenario: 'parallel-calls', faults: [fault] }, { wire: 'chat' });
    expect((await askSse(at.bridge, { input: 'hi' })).how).toBe('completed');
    expect(await samplesOf(at.bridge, 'repairs')).toEqual([]);
  });

  it('a call that is dropped is a loss, and counted as one', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'parallel-calls', faults: ['stop-with-tools'] },
      { wire: 'chat', toolCallsOnStop: 'drop' },
    );
    await askChat(at.bridge, {});
    expect(await samplesOf(at.bridge, 'dropped_tool_calls')).toEqual(['{reason="stop"} 2']);
    expect(await samplesOf(at.bridge, 'repairs')).toEqual([]);
  });
});

it('docs/bridge/operations.md has a row for each repair', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/bridge/operations.md'), 'utf8');
  const section = page.slice(page.indexOf('## Repairs'), page.indexOf('## Traces'));
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)].map(([, name, text]) => [name, text]);
  expect(Object.fromEntries(rows)).toEqual(repairs);
});

describe('a trace', () => {
  it('holds both sides: what the server sent, and what the client was sent', async () => {
    const traceDir = join(folder, 'both');
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { traceDir, apiKey: () => 'KEY-OF-THE-UPSTREAM' });
    const asked = post(bridge, '/v1/responses', { model: 'm', input: 'x', stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream', 'x-key': 'KEY-OF-THE-UPSTREAM' });
    res.write(chatChunk('Hello').slice(0, 20));
    res.end(`${chatChunk('Hello').slice(20)}data: {"junk KEY-OF-THE-UPSTREAM\n\ndata: [DONE]\n\n`);
    const client = await (await asked).text();
    const [name = ''] = readdirSync(traceDir);
    const read = (): string => readFileSync(join(traceDir, name), 'utf8');
    await expect.poll(read).toContain('"outcome"');
    const text = read();
    expect(text).not.toContain('KEY-OF');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    expect(lines[0]).toMatchObject({ method: 'POST', url: '/v1/responses', body: { model: 'm', input: 'x' } });
    const partOf = (key: string): string => lines.map((line) => (line[key] as string | undefined) ?? '').join('');
    expect(partOf('received')).toBe(`${chatChunk('Hello')}data: {"junk [redacted]\n\ndata: [DONE]\n\n`);
    expect(partOf('sent')).toBe(client);
    expect(lines.filter(({ attempt }) => attempt !== undefined)).toEqual([
      { ms: expect.any(Number) as number, attempt: 1, upstream: upstream.url },
    ]);
    expect(lines.find(({ status }) => status !== undefined)).toMatchObject({
      status: 200,
      upstream: upstream.url,
      wire: 'chat',
    });
    const asks = lines.flatMap((line) => (line.asked === undefined ? [] : [line.asked as Json]));
    expect(asks).toMatchObject([
      { method: 'POST', url: '/v1/chat/completions', headers: { authorization: 'Bearer [redacted]' } },
    ]);
    expect(JSON.parse(asks[0]?.body as string)).toMatchObject({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
    });
    const cuts = lines.flatMap((line) => (line.cuts as [number, number][] | undefined) ?? []);
    expect(cuts.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(
      `${chatChunk('Hello')}data: {"junk KEY-OF-THE-UPSTREAM\n\ndata: [DONE]\n\n`.length,
    );
    expect(lines.filter(({ ended }) => ended !== undefined)).toHaveLength(1);
    expect(lines.filter(({ repair }) => repair !== undefined).map(({ repair, data }) => [repair, data])).toEqual([
      ['skipped_event', '{"junk [redacted]'],
      ['no_finish_reason', undefined],
    ]);
    expect(lines.at(-1)).toMatchObject({ outcome: 'completed', total_ms: expect.any(Number) as number });
  });

  it('is none of a request that was not let in', async () => {
    const traceDir = join(folder, 'none');
    await using at = await startRig({ wire: 'chat' }, { wire: 'chat', traceDir });
    await post(at.bridge, '/v1/responses', {}, { headers: { origin: 'https://evil.example' } });
    expect(readdirSync(traceDir)).toEqual([]);
  });
});

describe('the log', () => {
  async function linesOf(level: string): Promise<Json[]> {
    const { logger, lines } = collecting(level);
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['junk-lines'] },
      { wire: 'chat', logger, apiKey: () => 'KEY-OF-THE-UPSTREAM' },
    );
    await askSse(at.bridge, { input: 'hi' }, { authorization: 'Bearer KEY-OF-THE-CALLER' });
    expect(JSON.stringify(lines)).not.toContain('KEY-OF');
    return lines.filter(({ request }) => request !== undefined);
  }

  it('has one line at info', async () => {
    const lines = await linesOf('info');
    expect(lines.map(({ msg, outcome, repairs }) => [msg, outcome, Object.keys(repairs as Json)])).toEqual([
      ['response', 'completed', ['skipped_event']],
    ]);
  });

  it('has what is asked, heads, the types of events and what was skipped at debug', async () => {
    const lines = await linesOf('debug');
    expect([...new Set(lines.map(({ msg }) => msg))]).toEqual([
      'request',
      'read',
      'asking',
      'head',
      'events',
      'skipped',
      'response',
    ]);
    const events = lines.flatMap(({ events: types }) => (typeof types === 'string' ? types.split(', ') : []));
    expect([events[0], events.at(-1)]).toEqual(['created', 'completed']);
    expect(events.some((type) => type.startsWith('output_text.delta'))).toBe(true);
    expect(lines.filter(({ msg }) => msg === 'skipped').every(({ data }) => typeof data === 'string')).toBe(true);
  });

  it('has the whole answer at trace', async () => {
    const lines = await linesOf('trace');
    const answer = lines.find(({ msg }) => msg === 'answer')?.answer as Json;
    expect(answer).toMatchObject({ object: 'response', status: 'completed' });
    expect(JSON.stringify(answer.output)).toContain('Hello from the scripted model.');
  });

  it('and the metrics alone make nobody look at events or bytes', () => {
    const { logger } = collecting('info');
    const metrics = createMetrics(
      () => 0,
      () => [],
    );
    const begin = createExchanges(systemClock, [createLogObserver(logger, systemClock).observe, metrics.observe]);
    const exchange = begin({ id: 'req_1', route: 'responses', method: 'POST', url: '/v1/responses', headers: {} });
    expect([exchange.onChunk, exchange.onEvents]).toEqual([undefined, undefined]);
  });
});
