import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTape, recordTo, replayTape, startMock } from '../../packages/testing/src/index.ts';
import { parseTape } from '../../packages/testing/src/tape/tape.ts';
import { chatBody, hear, messagesBody, tapeFolder, textOf } from './tape-support.ts';

describe('a tape', () => {
  it('is JSON lines: the request, the head, every chunk with its time, the end', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['split-utf8'], scenario: 'text' });
    await using recorder = await recordTo(folder.path, { upstream: mock.url });
    const body = chatBody('Grüße');
    const live = await hear(`${recorder.baseUrl}/chat/completions?trace=1`, { body });
    const [tape] = folder.tapes();
    const [head, answer, ...rest] = linesOf(tape?.text ?? '');
    expect(head).toMatchObject({
      tape: 1,
      kind: 'http',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      request: { method: 'POST', target: '/v1/chat/completions?trace=1', body: { text: body } },
    });
    expect(answer).toMatchObject({ status: 200, reason: 'OK', ms: expect.any(Number) as number });
    const end = rest.pop();
    expect(end).toEqual({ ms: expect.any(Number) as number, end: 'complete' });
    expect(rest).toEqual(live.chunks.map((chunk) => ({ ms: expect.any(Number) as number, ...asData(chunk) })));
    const times = [answer, ...rest, end].map((line) => line?.ms as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it.each([
    ['', 'line 1: the file is empty'],
    ['{"tape":2,"request":{"method":"GET","target":"/"}}\n', 'line 1: it is no tape of version 1'],
    ['{"tape":1,"request":{"method":"GET"}}\n', 'line 1: it has no request'],
    ['not a tape', 'line 1: it is not a whole JSON object'],
  ])('of which nothing is whole is a problem: %j', (text, message) => {
    const { exchange, problems } = parseTape('x', text);
    expect(exchange).toBeUndefined();
    expect(problems.map((problem) => problem.message)[0]).toContain(message);
  });

  it.each([
    ['{"ms":3,"te', 'line 4: it is not a whole JSON object'],
    ['{"text":"x"}\n', 'line 4: it has no time'],
    ['{"ms":3}\n', 'line 4: it has no data'],
    ['{"ms":3,"end":"complete"}\n{"ms":4,"text":"more"}\n', 'line 5: something follows the end'],
    ['', 'it has no end: the recorder died'],
  ])('keeps what is whole before a torn line: %j', (torn, message) => {
    const text = `${HEAD}{"ms":1,"status":200,"reason":"OK","headers":[["a","b"]]}\n{"ms":2,"text":"one"}\n${torn}`;
    const { exchange, problems } = parseTape('x', text);
    expect(exchange?.chunks.map(({ ms, data }) => [ms, Buffer.from(data).toString()])).toEqual([[2, 'one']]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
    if (!torn.includes('"end"')) expect(exchange?.end.how).toBe('torn');
  });
});

describe('a torn tape', () => {
  it('is served as far as it is whole, then cut; the rest is reported', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['drip:1'] });
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    const live = await hear(`${recorder.baseUrl}/chat/completions`, { body: chatBody('hi') });
    await recorder.close();
    const file = join(folder.path, folder.tapes()[0]?.name ?? '');
    const text = folder.tapes()[0]?.text ?? '';
    // In the middle of the line of the fourth chunk.
    const lines = text.split('\n');
    truncateSync(file, Buffer.byteLength(lines.slice(0, 5).join('\n')) + 20);
    await using replay = await replayTape(folder.path, { speed: 'max' });
    expect(replay.problems.map(({ line, message }) => [line, message])).toEqual([
      [6, 'line 6: it is not a whole JSON object; the 3 chunks before it are served'],
    ]);
    const again = await hear(`${replay.baseUrl}/chat/completions`, { body: chatBody('hi') });
    expect(again.how).toBe('broken');
    expect(again.chunks).toEqual(live.chunks.slice(0, 3));
  });

  it('beside whole ones does not keep them from being served', async () => {
    using folder = tapeFolder();
    writeFileSync(
      join(folder.path, '0001-a.tape.jsonl'),
      `${HEAD}${ANSWER}{"ms":2,"text":"ok"}\n{"ms":3,"end":"complete"}\n`,
    );
    writeFileSync(join(folder.path, '0002-b.tape.jsonl'), 'rubbish');
    mkdirSync(join(folder.path, 'more'));
    appendFileSync(join(folder.path, 'notes.txt'), 'no tape');
    await using replay = await replayTape(folder.path);
    expect(replay.problems.map(({ file }) => file)).toEqual(['0002-b.tape.jsonl']);
    expect(textOf((await hear(`${replay.url}/x`)).chunks)).toBe('ok');
  });

  it('with nothing in it is refused', async () => {
    using folder = tapeFolder();
    await expect(replayTape(folder.path)).rejects.toThrow(/no tape in .*\.tape\.jsonl/);
    await expect(replayTape(join(folder.path, 'none'))).rejects.toThrow(/no such tape/);
    writeFileSync(join(folder.path, '1.tape.jsonl'), '');
    await expect(replayTape(folder.path)).rejects.toThrow('the tape holds no exchange (1.tape.jsonl: line 1');
  });
});

describe('secrets', () => {
  const key = 'sk-very-secret-0123456789';
  const cookie = 'session=cookie-secret-42';

  it('never reach a tape: headers, queries, fields of the request, and echoes in the answer', async () => {
    using folder = tapeFolder();
    // A server that repeats everything it was told, one byte at a time.
    const echo = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => {
        res.writeHead(200, { 'set-cookie': 'id=server-secret-1', 'x-codex-turn-state': 'turn-secret-77' });
        const text = `wrong key ${req.headers.authorization ?? ''} ${req.url ?? ''} turn-secret-77 ${body}`;
        for (const byte of Buffer.from(text)) res.write(Buffer.of(byte));
        res.end();
      });
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as AddressInfo;
    await using recorder = await recordTo(folder.path, { upstream: `http://127.0.0.1:${port}` });
    const live = await hear(`${recorder.url}/v1/x?api_key=query-secret-5&trace=7`, {
      headers: {
        authorization: `Bearer ${key}`,
        cookie,
        'x-api-key': 'other-secret-6',
        'x-goog-api-key': 'goog-secret-7',
        'x-codex-turn-state': 'turn-secret-88',
        'x-ratelimit-remaining-tokens': '12345',
      },
      body: JSON.stringify({ tools: [{ type: 'mcp', authorization: 'Bearer mcp-secret-8' }], key, harmless: 1 }),
    });
    echo.close();
    const tape = folder.tapes()[0]?.text ?? '';
    expect(textOf(live.chunks)).toContain(key); // the client got it all
    const whole = Buffer.concat((await readTape(folder.path)).exchanges[0]?.chunks.map(({ data }) => data) ?? []);
    for (const text of [
      tape,
      whole.toString(),
      Buffer.from((await readTape(folder.path)).exchanges[0]?.request.body ?? []).toString(),
    ]) {
      expect(text).not.toMatch(/secret/);
    }
    expect(tape).toContain('/v1/x?api_key=[redacted]&trace=7');
    expect(tape).toContain('"Bearer [redacted]"');
    expect(tape).toContain('12345');
    expect(whole.length).toBe(Buffer.concat(live.chunks).length);
    expect((await readTape(folder.path)).exchanges[0]?.chunks).toHaveLength(live.chunks.length);
  });

  it('never reach a tape of the Messages wire; what seals its thinking does, byte for byte', async () => {
    using folder = tapeFolder();
    const apiKey = 'sk-ant-api03-secret-0123456789';
    const signature = 'EqQBCgIYAhIkeyJhbGciOi+/secretive==';
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature } };
    const upstream = createServer((req, res) => {
      res.writeHead(401, { 'request-id': 'req_1', 'content-type': 'text/event-stream' });
      const message = `invalid x-api-key: ${req.headers['x-api-key'] as string}`;
      const error = { type: 'error', error: { type: 'authentication_error', message } };
      const text = [delta, error].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
      for (const byte of Buffer.from(text)) res.write(Buffer.of(byte));
      res.end();
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    await using recorder = await recordTo(folder.path, { upstream: `http://127.0.0.1:${port}` });
    const thinking = { type: 'thinking', thinking: 'Hm.', signature };
    const body = messagesBody('q', { messages: [{ role: 'assistant', content: [thinking] }] });
    const headers = { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' };
    const live = await hear(`${recorder.url}/v1/messages`, { headers, body });
    upstream.close();
    const { request, response, chunks } = (await readTape(folder.path)).exchanges[0]!;
    expect(new Map(request.headers).get('x-api-key')).toBe('[redacted]');
    expect(new Map(request.headers).get('anthropic-version')).toBe('2023-06-01');
    expect(new Map(response?.headers).get('request-id')).toBe('req_1');
    expect(Buffer.from(request.body).toString()).toBe(body);
    expect(textOf(chunks.map(({ data }) => data))).toBe(textOf(live.chunks).replace(apiKey, '*'.repeat(apiKey.length)));
    expect(textOf(live.chunks)).toContain(apiKey);
  });

  it('never reach a tape in other headers, or in what a status says', async () => {
    using folder = tapeFolder();
    const upstream = createServer((req, res) => {
      const seen = req.headers.authorization ?? '';
      res.writeHead(307, `No ${seen}`, { location: `https://example.com/v1/x?user=${seen.slice(7)}`, 'x-seen': seen });
      res.end();
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    await using recorder = await recordTo(folder.path, { upstream: `http://127.0.0.1:${port}` });
    const live = await hear(`${recorder.baseUrl}/models?user=${key}`, {
      method: 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        referer: `http://127.0.0.1/?user=${key}`,
        'sec-websocket-protocol': 'realtime, openai-insecure-api-key.sk-browser-secret-9, openai-beta.realtime-v1',
      },
    });
    upstream.close();
    expect(live.headers['x-seen']).toContain(key); // the client got it all
    const tape = folder.tapes()[0]?.text ?? '';
    expect(tape).not.toMatch(/secret/);
    const [exchange] = (await readTape(folder.path)).exchanges;
    expect(exchange?.request.headers).toContainEqual(['referer', 'http://127.0.0.1/?user=[redacted]']);
    expect(tape).toContain('openai-beta.realtime-v1');
  });

  it('are no reason not to find the exchange again', async () => {
    using folder = tapeFolder();
    await using mock = await startMock();
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    await hear(`${recorder.baseUrl}/models?key=first-secret`, { method: 'GET' });
    await recorder.close();
    await using replay = await replayTape(folder.path, { speed: 'max' });
    expect((await hear(`${replay.baseUrl}/models?key=another`, { method: 'GET' })).status).toBe(200);
  });
});

describe('which exchange is served', () => {
  it('is the same body, else the most similar, in order; again when all were played', async () => {
    using folder = tapeFolder();
    write(folder.path, 1, 'summarise the report', 'a');
    write(folder.path, 2, 'translate the poem about rain', 'b');
    write(folder.path, 3, 'summarise the report', 'c');
    await using replay = await replayTape(folder.path, { speed: 'max' });
    const ask = async (body: string): Promise<string> => textOf((await hear(`${replay.url}/x`, { body })).chunks);
    expect(await ask('please translate the poem about snow')).toBe('b');
    expect(replay.unplayed.map(({ file }) => file)).toEqual(['1.tape.jsonl', '3.tape.jsonl']);
    expect(await ask('summarise the report')).toBe('a');
    expect(await ask('summarise the report')).toBe('c');
    expect(await ask('translate the poem')).toBe('b');
    expect(replay.unplayed).toEqual([]);
  });

  it('is none for another path, and none any more with `once`', async () => {
    using folder = tapeFolder();
    write(folder.path, 1, 'x', 'a');
    await using replay = await replayTape(folder.path, { speed: 'max', once: true });
    expect((await hear(`${replay.url}/x`)).status).toBe(200);
    const second = await hear(`${replay.url}/x`);
    expect([second.status, textOf(second.chunks)]).toEqual([404, expect.stringContaining('it has: POST /x (1)')]);
    expect((await hear(`${replay.url}/y`)).status).toBe(404);
    expect(replay.strangers).toEqual(['POST /x', 'POST /y']);
  });
});

const HEAD =
  '{"tape":1,"kind":"http","at":"2026-01-01T00:00:00Z","request":{"method":"POST","target":"/x","headers":[]}}\n';
const ANSWER = '{"ms":1,"status":200,"reason":"OK","headers":[]}\n';

function write(folder: string, n: number, asked: string, answer: string): void {
  const head = {
    tape: 1,
    kind: 'http',
    at: '',
    request: { method: 'POST', target: '/x', headers: [], body: { text: asked } },
  };
  const text = `${JSON.stringify(head)}\n${ANSWER}{"ms":1,"text":${JSON.stringify(answer)}}\n{"ms":2,"end":"complete"}\n`;
  writeFileSync(join(folder, `${n}.tape.jsonl`), text);
}

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function asData(chunk: Buffer): Record<string, string> {
  const text = chunk.toString('utf8');
  return Buffer.from(text).equals(chunk) ? { text } : { base64: chunk.toString('base64') };
}
