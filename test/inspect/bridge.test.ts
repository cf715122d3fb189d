import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { whyText, type ListMessage, type RecordsMessage } from '../../packages/bridge/src/inspect/api.ts';
import { askSse, openSocket, askOn, post } from '../bridge/harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from '../bridge/raw-upstream.ts';
import { inspect, messagesOf, page, recordsOf, rowOnce, rowsOf, TOKEN } from './reading.ts';

const SSE = { 'content-type': 'text/event-stream' };
const seen = { page, token: TOKEN };
const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';

describe('the way to the inspector', () => {
  it('is the link, which leaves a cookie that no page of another server can use', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, authToken: 'token-of-callers' });
    expect(bridge.inspectUrl).toBe(`${bridge.url}/inspect/?token=${TOKEN}`);
    const linked = await fetch(String(bridge.inspectUrl), { redirect: 'manual' });
    expect([linked.status, linked.headers.get('location')]).toEqual([303, '/inspect/']);
    const cookie = String(linked.headers.get('set-cookie'));
    expect(cookie).toBe(`turnwire_inspect_${bridge.port}=${TOKEN}; Path=/inspect/; HttpOnly; SameSite=Strict`);
    const shown = await inspect(bridge, '', { cookie: `other=1; ${String(cookie.split(';')[0])}` });
    expect([shown.status, await shown.text()]).toEqual([200, '<!doctype html>']);
    expect(shown.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(shown.headers.get('cache-control')).toBe('no-store');
    const own = { authorization: `Bearer ${TOKEN}`, origin: bridge.url };
    expect((await inspect(bridge, '', own)).status).toBe(200);
  });

  it.each<[why: string, path: string, headers: Record<string, string>, status: number, words: RegExp]>([
    ['no token', '', {}, 401, /open the link that was printed/],
    ['a wrong one in the link', '?token=wrong', {}, 401, /open the link/],
    ['that of callers', 'api/exchanges', { authorization: 'Bearer token-of-callers' }, 401, /open the link/],
    ['another Origin', '', { authorization: `Bearer ${TOKEN}`, origin: 'http://evil.example' }, 403, /--allow-origin/],
    ['no such file', 'nothing.js', { authorization: `Bearer ${TOKEN}` }, 404, /the inspector has no/],
    ['no such exchange', 'api/exchanges/req_1', { authorization: `Bearer ${TOKEN}` }, 404, /not kept any more/],
  ])('is refused: %s', async (_why, path, headers, status, words) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, authToken: 'token-of-callers' });
    const refused = await inspect(bridge, path, headers);
    expect([refused.status, await refused.text()]).toEqual([status, expect.stringMatching(words)]);
  });

  it('is refused under another name, whatever the link: a page may have been led here by its own', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen });
    const headers = { host: 'evil.example' };
    const asked = request(String(bridge.inspectUrl), { headers }).end();
    const [refused] = (await once(asked, 'response')) as [IncomingMessage];
    refused.resume();
    expect(refused.statusCode).toBe(403);
  });

  it('is told of where it is off', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const refused = await inspect(bridge, '');
    expect([refused.status, await refused.text()]).toEqual([404, expect.stringContaining('with --inspect')]);
    expect(bridge.inspectUrl).toBeUndefined();
  });
});

describe('what is seen of an answer', () => {
  it('has every step with its time, without secrets', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, apiKey: () => 'KEY-OF-THE-UPSTREAM' });
    const headers = { 'user-agent': 'OpenAI/JS 7.5.0', authorization: 'Bearer CALLERS-SECRET' };
    const asked = askSse(bridge, { input: 'hi' }, headers);
    const { res } = await upstream.next();
    res.writeHead(200, { ...SSE, 'x-echo': 'KEY-OF-THE-UPSTREAM' });
    res.write(chatChunk('Hello').slice(0, 20));
    await rowOnce(bridge, ({ bytes }) => bytes === 20);
    res.end(`${chatChunk('Hello').slice(20)}data: {"KEY-OF-THE-UPSTREAM\n\n${chatEnd}`);
    expect((await asked).text).toBe('Hello');
    const { row } = await rowOnce(bridge, ({ state }) => state === 'completed');
    expect(row).toMatchObject({
      client: 'openai-js 7.5',
      route: 'responses_sse',
      wire: 'responses',
      upstreamWire: 'chat',
      model: 'm',
      upstream: upstream.url,
      attempts: 1,
      status: 200,
      deltas: 1,
      repairs: { skipped_event: 1 },
    });
    const { askedAt = 0, headAt = 0, firstEventAt = 0, lastByteAt = 0, endedAt = 0 } = row;
    const times = [row.startedAt, askedAt, headAt, firstEventAt, lastByteAt, endedAt];
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    const { records } = await recordsOf(bridge, row.id);
    const text = JSON.stringify(records);
    expect(text).not.toMatch(/KEY-OF|CALLERS-SECRET/);
    expect(records.map(({ kind }) => kind)).toEqual([
      ...['request', 'attempt', 'asked', 'head', 'chunk', 'chunk', 'events', 'body', 'repair', 'sent', 'end'],
    ]);
    expect(records[0]).toMatchObject({ method: 'POST', url: '/v1/responses', body: { model: 'm', input: 'hi' } });
    expect(records[4]).toMatchObject({ kind: 'chunk', text: '', bytes: 20 });
    expect(records[5]).toMatchObject({
      text: `${chatChunk('Hello')}data: {"[redacted]\n\n${chatEnd}`,
    });
    expect(records.at(-1)).toEqual({ t: expect.any(Number) as number, kind: 'end', outcome: 'completed' });
  });

  it('can be had as a command, and as a tape where somebody makes one', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], {
      inspect: { ...seen, toTape: ({ row: { startedAt }, records }) => `${records.length} records since ${startedAt}` },
    });
    const asked = post(bridge, '/v1/chat/completions', { messages: [{ role: 'user', content: "it's" }] });
    (await upstream.next()).res
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no"}}');
    await asked;
    const [row] = await rowsOf(bridge);
    const { records } = await recordsOf(bridge, String(row?.id));
    const curl = await (await inspect(bridge, `api/exchanges/${row?.id}/curl`)).text();
    expect(curl).toContain(`curl -N -X 'POST' '${bridge.url}/v1/chat/completions' \\\n`);
    expect(curl).toContain(`--data-raw '{"messages":[{"role":"user","content":"it'\\''s"}]}'\n`);
    const tape = await inspect(bridge, `api/exchanges/${row?.id}/tape`);
    expect(await tape.text()).toBe(`${records.length} records since ${row?.startedAt}`);
    expect(tape.headers.get('content-disposition')).toBe(`attachment; filename="${row?.id}.tape.jsonl"`);
  });

  it('has the requests of a socket, and those that were refused', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen });
    const socket = await openSocket(bridge);
    await askOn(socket, { type: 'response.create', previous_response_id: 'resp_gone', input: 'x' });
    socket.terminate();
    await post(bridge, '/v1/responses', '{"model":');
    await fetch(`${bridge.url}/health`);
    await fetch(`${bridge.url}/metrics`);
    const rows = await rowsOf(bridge);
    expect(rows.map(({ route, state, status, attempts }) => [route, state, status, attempts])).toEqual([
      ['responses_ws', 'refused', 404, 0],
      ['responses', 'refused', 400, 0],
    ]);
  });
});

describe('why an agent waits', () => {
  it('the answer has finished, and its usage does not come', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, usageGraceMs: 60_000 });
    const asked = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('Hello') + finish);
    const { row } = await rowOnce(bridge, ({ state }) => state === 'finishing');
    expect(whyText(row, Number(row.finishedAt) + 3000)).toBe(
      `answer finished 3 s ago, waiting for usage from ${upstream.url}`,
    );
    res.end('data: [DONE]\n\n');
    expect((await asked).text).toBe('Hello');
  });

  it('the server is silent behind its first words', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen });
    const asked = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('Hello'));
    const { row } = await rowOnce(bridge, ({ state }) => state === 'streaming');
    expect(whyText(row, Number(row.lastByteAt) + 12_000)).toBe(`no byte from ${upstream.url} for 12 s`);
    res.end(chatEnd);
    await asked;
  });

  it('the server was over its limit, and is asked again', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, requestMaxRetries: 1 });
    const leaving = new AbortController();
    const body = { model: 'm', input: 'hi', stream: true };
    const asked = post(bridge, '/v1/responses', body, { signal: leaving.signal });
    const limited = { 'content-type': 'application/json', 'retry-after': '4' };
    (await upstream.next()).res.writeHead(429, limited).end('{"error":{"message":"slow down"}}');
    const { row } = await rowOnce(bridge, ({ state }) => state === 'retrying');
    expect(whyText(row, Number(row.retryAt) - 3900)).toBe(`429 from ${upstream.url}, retry in 3.9 s`);
    expect(row.error).toEqual({ kind: 'rate_limited', message: 'slow down' });
    leaving.abort();
    await asked.catch(() => undefined);
    const left = await rowOnce(bridge, ({ state }) => state === 'aborted');
    expect(whyText(left.row, left.now)).toMatch(/^the client left after /);
  });

  it('tells of that wait when the exchange is over', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, requestMaxRetries: 1 });
    const asked = askSse(bridge, { input: 'hi' });
    const limited = { 'content-type': 'application/json', 'retry-after-ms': '150' };
    (await upstream.next()).res.writeHead(429, limited).end('{"error":{"message":"slow down"}}');
    (await upstream.next()).res.writeHead(200, SSE).end(chatChunk('Hello') + chatEnd);
    expect((await asked).text).toBe('Hello');
    const { row, now } = await rowOnce(bridge, ({ state }) => state === 'completed');
    // A timer of Node counts whole milliseconds, so it may ring a part of one before its time.
    expect(row.setback?.waitedMs).toBeGreaterThan(149);
    const setback = { failures: 1, failure: '429', upstream: upstream.url, waitedMs: 4000 };
    expect({ ...row.setback, waitedMs: 4000 }).toEqual(setback);
    expect(whyText({ ...row, endedAt: row.startedAt + 4100, setback }, now)).toBe(
      `completed in 4.1 s, after 429 from ${upstream.url} and a wait of 4 s`,
    );
  });

  it('what passes through has finished, and its body does not end', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen, mode: 'passthrough' });
    const asked = post(bridge, '/v1/chat/completions', { model: 'm', messages: [], stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('Hello') + finish);
    const { row } = await rowOnce(bridge, ({ state }) => state === 'finishing');
    expect([row.deltas, row.upstreamWire, row.model]).toEqual([1, 'chat', 'm']);
    expect(whyText(row, Number(row.finishedAt) + 3000)).toBe(
      `answer finished 3 s ago, but ${upstream.url} keeps the body open`,
    );
    const { records } = await recordsOf(bridge, row.id);
    expect(records.filter(({ kind }) => kind === 'events')).toHaveLength(1);
    expect(records.filter(({ kind }) => kind === 'sent')).toHaveLength(1);
    res.end();
    await (await asked).text();
  });
});

describe('the streams of the page', () => {
  it('tell an exchange as it goes on, and end with it', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: seen });
    const asked = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('Hel'));
    const { row } = await rowOnce(bridge, ({ state }) => state === 'streaming');
    const messages: RecordsMessage[] = [];
    for await (const message of messagesOf<RecordsMessage>(bridge, `api/exchanges/${row.id}`)) {
      messages.push(message);
      if (messages.length === 1) res.end(chatChunk('lo') + chatEnd);
    }
    await asked;
    const counts = messages.map(({ records }) => records.length);
    expect(messages.map(({ from }) => from)).toEqual(
      counts.map((_, at) => counts.slice(0, at).reduce((a, b) => a + b, 0)),
    );
    expect(messages.at(-1)?.row.state).toBe('completed');
    const all = messages.flatMap(({ records }) => records);
    expect(all).toEqual((await recordsOf(bridge, row.id)).records);
  });

  it('say which exchanges are not kept any more', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { inspect: { ...seen, keep: 4 } });
    const refused = async (): Promise<string> => (await post(bridge, '/v1/responses', '{')).text();
    await refused();
    const [first] = await rowsOf(bridge);
    const messages = messagesOf<ListMessage>(bridge, 'api/exchanges');
    expect((await messages.next()).value).toMatchObject({ rows: [first], removed: [] });
    await refused();
    let removed: readonly string[] = [];
    for await (const message of messages) {
      removed = message.removed;
      if (removed.length > 0) break;
    }
    expect(removed).toEqual([first?.id]);
    expect(await rowsOf(bridge)).toHaveLength(1);
  });
});

describe('GET /exchanges', () => {
  it('is there without the inspector, behind the gate of callers, each of whom sees their own', async () => {
    await using upstream = await startRawUpstream();
    const callers = ['ann', 'bob'].map((name) => ({ name, token: `token-of-${name}` }));
    await using bridge = await startBridge([upstream], { authToken: 'token-of-all', callers });
    const asking = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
    const answers = ['token-of-ann', 'token-of-bob'].map((token) => askSse(bridge, { input: 'x' }, asking(token)));
    for (let n = 0; n < 2; n++) (await upstream.next()).res.writeHead(200, SSE).end(chatChunk('Hi') + chatEnd);
    await Promise.all(answers);
    const told = async (token: string): Promise<unknown> => {
      const response = await fetch(`${bridge.url}/exchanges`, { headers: asking(token) });
      return ((await response.json()) as ListMessage).rows.map(({ caller, state }) => `${caller} ${state}`).toSorted();
    };
    expect(await told('token-of-ann')).toEqual(['ann completed']);
    expect(await told('token-of-all')).toEqual(['ann completed', 'bob completed']);
    expect((await fetch(`${bridge.url}/exchanges`)).status).toBe(401);
  });
});
