import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { Bridge, BridgeOptions } from '../../packages/bridge/src/index.ts';
import { deadUrl } from '../free-port.ts';
import { askOn, askSse, openSocket, post, type Json } from './harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from './raw-upstream.ts';

const CODEX = { originator: 'codex_cli_rs' };
const hello = { model: 'm', input: 'hi', stream: true };

/** A bridge with its usual retries, in front of servers that are not running. */
function bridgeTo(urls: readonly string[], options: Partial<BridgeOptions> = {}): Promise<Bridge> {
  return startBridge(
    urls.map((url) => ({ url })),
    { requestMaxRetries: 4, ...options },
  );
}

async function repeated(bridge: Bridge): Promise<number> {
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  return Number(/^turnwire_repairs_total\{repair="retry"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

const reason = (url: string, path = 'chat/completions'): string =>
  `POST ${url}/${path} failed: connection refused; is the server running, and is this its port? (ECONNREFUSED)`;

describe.each(['translate', 'passthrough'] as const)('a server that is not running, in %s', (mode) => {
  const path = mode === 'translate' ? 'chat/completions' : 'responses';

  it('is asked three times, and the client is told not to ask again', async () => {
    const url = await deadUrl();
    await using bridge = await bridgeTo([url], { mode });
    const response = await post(bridge, '/v1/responses', hello);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(await response.json()).toEqual({
      error: { type: 'server_error', code: 'server_error', message: reason(url, path), param: null },
    });
    expect(await repeated(bridge)).toBe(2);
  });

  it('is a bad request to Codex, which repeats everything else', async () => {
    const url = await deadUrl();
    await using bridge = await bridgeTo([url], { mode });
    const response = await post(bridge, '/v1/responses', hello, { headers: CODEX });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        type: 'invalid_request_error',
        code: 'invalid_prompt',
        message: reason(url, path),
        param: null,
      },
    });
  });

  it('is put to the bridge once by the SDKs', async () => {
    await using bridge = await bridgeTo([await deadUrl()], { mode });
    const openai = new OpenAI({ apiKey: 'none', baseURL: `${bridge.url}/v1` });
    await expect(openai.responses.create({ model: 'm', input: 'hi' })).rejects.toMatchObject({ status: 502 });
    const anthropic = new Anthropic({ apiKey: 'none', baseURL: bridge.url });
    const asked = { model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content: 'hi' }] };
    await expect(anthropic.messages.create(asked)).rejects.toMatchObject({ status: 502 });
    expect(await repeated(bridge)).toBe(4);
  });
});

describe('a server that is not running', () => {
  it.each([
    [{}, 502, 'server_error'],
    [CODEX, 400, 'invalid_prompt'],
  ])('is an error frame on a socket (%j: %i)', async (headers, status, code) => {
    const url = await deadUrl();
    await using bridge = await bridgeTo([url]);
    const socket = await openSocket(bridge, headers);
    const ended = await askOn(socket, { input: 'hi' });
    socket.terminate();
    expect([ended.how, ended.body]).toEqual([
      `http:${status}`,
      expect.objectContaining({ code, message: reason(url) }) as Json,
    ]);
  });

  it('is not repeated either when it is one of several, none of which is running', async () => {
    await using bridge = await bridgeTo([await deadUrl(), await deadUrl()]);
    const response = await post(bridge, '/v1/responses', hello);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(await repeated(bridge)).toBe(0);
  });

  it('may come back while it is asked', async () => {
    const url = await deadUrl();
    await using bridge = await bridgeTo([url]);
    const answer = askSse(bridge, { input: 'hi' });
    await using upstream = await startRawUpstream(Number(new URL(url).port));
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk('Hello') + chatEnd);
    expect((await answer).text).toBe('Hello');
  });

  it('is another matter than one that hangs up, which clients may ask again', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream]);
    const answer = post(bridge, '/v1/responses', hello);
    (await upstream.next()).req.socket.destroy();
    expect([(await answer).status, (await answer).headers.get('x-should-retry')]).toEqual([502, null]);
  });
});
