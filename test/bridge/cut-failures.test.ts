import { once } from 'node:events';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { post, readBody, sseEvents, type Json } from './harness.ts';
import { head, readAll } from './raw-client.ts';
import { chatChunk, startBridge, startRawUpstream } from './raw-upstream.ts';

const upstream = await startRawUpstream();
const bridge = await startBridge([upstream], { requestMaxRetries: 0 });
afterAll(async () => {
  await bridge.close();
  await upstream.close();
});

const ERROR = `data: ${JSON.stringify({ error: { message: 'out of memory', code: 'server_error' } })}\n\n`;
const CHAT: Json = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };
const told = { error: { type: 'server_error', code: 'server_error', message: 'out of memory', param: null } };

/** Says something, and then fails. */
async function failOnce(): Promise<void> {
  const { res } = await upstream.next();
  res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
  res.end(ERROR);
}

/** A chat request by hand, over the version of HTTP that is named. */
async function rawAnswer({ port }: Bridge, version: string): Promise<string> {
  const text = JSON.stringify(CHAT);
  const type = ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`];
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(head(`POST /v1/chat/completions HTTP/${version}`, ...type) + text);
  return readAll(socket);
}

describe('a chat stream that fails after its first event', () => {
  it('has the error as its last chunk, and no end', async () => {
    const answer = rawAnswer(bridge, '1.1');
    await failOnce();
    const [top, body = ''] = (await answer).split('\r\n\r\n');
    expect(top).toContain('200 OK');
    expect(top?.toLowerCase()).toContain('transfer-encoding: chunked');
    expect(body).toContain('"content":"Hel"');
    const data = `data: ${JSON.stringify(told)}\n\n`;
    expect(body.slice(body.lastIndexOf('\r\n', body.length - 3) + 2)).toBe(`${data}\r\n`);
  });

  it('ends with the error and the close for a client of HTTP/1.0, which knows no chunks', async () => {
    const answer = rawAnswer(bridge, '1.0');
    await failOnce();
    expect(sseEvents((await answer).split('\r\n\r\n')[1] ?? '').at(-1)).toEqual(told);
  });

  it('breaks off for fetch, behind the error', async () => {
    const answer = post(bridge, '/v1/chat/completions', CHAT);
    await failOnce();
    const { text, cut } = await readBody(await answer);
    expect(cut).toBe(true);
    expect(sseEvents(text).at(-1)).toEqual(told);
  });

  it('is thrown by the OpenAI SDK, once it has told what came before', async () => {
    const client = new OpenAI({ apiKey: 'none', baseURL: `${bridge.url}/v1`, maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const asked = client.chat.completions.create({ model: 'm', stream: true, messages });
    await failOnce();
    let text = '';
    const reading = (async () => {
      for await (const chunk of await asked) text += chunk.choices[0]?.delta.content ?? '';
    })();
    await expect(reading).rejects.toThrow('out of memory');
    expect(text).toBe('Hel');
  });

  it('leaves the next requests whole', async () => {
    for (let round = 0; round < 3; round++) {
      const answer = post(bridge, '/v1/chat/completions', CHAT);
      await failOnce();
      expect((await readBody(await answer)).cut).toBe(true);
    }
  });
});

describe('what is not cut', () => {
  it('a Responses stream, which says in an event of its own that it failed', async () => {
    const answer = post(bridge, '/v1/responses', { model: 'm', input: 'hi', stream: true });
    await failOnce();
    const { text, cut } = await readBody(await answer);
    expect(cut).toBe(false);
    expect(sseEvents(text).at(-1)).toMatchObject({ type: 'response.failed' });
  });

  it('a Messages stream, likewise', async () => {
    const answer = post(bridge, '/v1/messages', { ...CHAT, max_tokens: 9 });
    await failOnce();
    const { text, cut } = await readBody(await answer);
    expect(cut).toBe(false);
    expect(sseEvents(text).at(-1)).toMatchObject({ type: 'error', error: { message: 'out of memory' } });
  });

  it('a chat stream that a filter or a limit ended', async () => {
    const answer = post(bridge, '/v1/chat/completions', { ...CHAT, max_tokens: 9 });
    const { res } = await upstream.next();
    const end = { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'length' }] };
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    res.end(`data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
    const { text, cut } = await readBody(await answer);
    expect([cut, sseEvents(text).at(-1)]).toEqual([false, { type: '[DONE]' }]);
  });

  it('a chat answer that fails before its first event: that is its status', async () => {
    const answer = post(bridge, '/v1/chat/completions', CHAT);
    const { res } = await upstream.next();
    res.writeHead(500).end('{"error":{"message":"down"}}');
    expect((await answer).status).toBe(500);
  });
});
