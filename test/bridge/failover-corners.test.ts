import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { askChat } from './harness.ts';
import { chatChunk, chatEnd, startBridge } from './raw-upstream.ts';

const json = { 'content-type': 'application/json' };
const sse = { 'content-type': 'text/event-stream' };
const events = chatChunk('Hello') + chatEnd;
const choice = { index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' };
const whole = JSON.stringify({ id: 'c', object: 'chat.completion', choices: [choice] });

describe.each(['translate', 'passthrough'] as const)('bridge: odd answers of one of two upstreams, %s', (mode) => {
  const error = { message: 'out of memory', type: 'server_error', code: 'server_error' };
  it.each([
    [{ error }, true],
    [{ error }, false],
    [{ success: false, message: 'out of memory' }, false],
    [{ base_resp: { status_code: 1000, status_msg: 'unknown error' } }, false],
  ])('asks the other one after an error that comes as JSON with 200: %j, stream: %s', async (body, stream) => {
    await using bad = await serve((_request, res) => res.writeHead(200, json).end(JSON.stringify(body)));
    await using good = await serve(answerWell);
    await using bridge = await startBridge([bad, good], { mode });
    for (let round = 0; round < 4; round++) {
      expect(await askChat(bridge, {}, stream)).toEqual({ how: 'stop', text: 'Hello' });
    }
    expect([bad.asked, good.asked]).toEqual([1, 4]);
  });

  it('counts the time that it takes to find out the wire as silence before the first event', async () => {
    const clock = manualClock();
    await using silent = await serve(() => clock.advance(400));
    await using good = await serve(answerWell);
    await using bridge = await startBridge([silent, good], { mode, wire: 'auto', firstEventTimeoutMs: 400, clock });
    expect(await askChat(bridge, {})).toEqual({ how: 'stop', text: 'Hello' });
    expect(await askChat(bridge, {})).toEqual({ how: 'stop', text: 'Hello' });
    expect(silent.asked).toBe(1);
  });

  it('tells servers apart whose addresses differ in their query alone', async () => {
    await using server = await serve((request, res, body) => {
      if (request.url?.includes('tenant=a') === true) res.writeHead(500).end('{}');
      else answerWell(request, res, body);
    });
    const upstreams = ['a', 'b'].map((tenant) => ({ url: `${server.url}?tenant=${tenant}` }));
    await using bridge = await startBridge(upstreams, { mode });
    await askChat(bridge, {});
    await askChat(bridge, {});
    const text = await metrics(bridge);
    expect(text).toContain(`turnwire_upstream_state{upstream="${server.url}",state="resting"} 1`);
    expect(text).toContain(`turnwire_upstream_state{upstream="${server.url} (2)",state="ready"} 1`);
  });
});

describe('bridge: passthrough to one of two upstreams', () => {
  it('waits for an answer that is not to be streamed, and takes its server for a good one', async () => {
    const slow: Handler = (request, res, body) => setTimeout(() => answerWell(request, res, body), 300);
    await using one = await serve(slow);
    await using two = await serve(slow);
    await using bridge = await startBridge([one, two], { mode: 'passthrough', firstEventTimeoutMs: 50 });
    expect(await askChat(bridge, {}, false)).toEqual({ how: 'stop', text: 'Hello' });
    expect([one.asked, two.asked]).toEqual([1, 0]);
    expect(await metrics(bridge)).not.toContain('turnwire_upstream_failures_total{');
  });

  it('does not judge a stream whose coding it cannot take off', async () => {
    const coded: Handler = (_request, res) =>
      res.writeHead(200, { ...sse, 'content-encoding': 'zstd' }).end(zstdCompressSync(events));
    await using one = await serve(coded);
    await using two = await serve(coded);
    await using bridge = await startBridge([one, two], { mode: 'passthrough' });
    expect(await askChat(bridge, {})).toEqual({ how: 'stop', text: 'Hello' });
    expect([one.asked, two.asked]).toEqual([1, 0]);
    expect(await metrics(bridge)).not.toContain('turnwire_upstream_failures_total{');
  });
});

type Handler = (request: IncomingMessage, res: ServerResponse, body: string) => unknown;

interface Server extends AsyncDisposable {
  readonly url: string;
  /** Requests that came. */
  readonly asked: number;
}

/** A server that answers a chat request as `handle` does, and has no list of models. */
async function serve(handle: Handler): Promise<Server> {
  let asked = 0;
  const server = createServer((request, res) => {
    if (request.method === 'GET') {
      res.writeHead(404).end();
      return;
    }
    asked++;
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      handle(request, res, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerWell(_request: IncomingMessage, res: ServerResponse, body: string): void {
  if (body.includes('"stream":true')) res.writeHead(200, sse).end(events);
  else res.writeHead(200, json).end(whole);
}

async function metrics(bridge: Bridge): Promise<string> {
  return (await fetch(`${bridge.url}/metrics`)).text();
}
