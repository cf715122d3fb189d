import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCommand, type Command } from '../bridge/bridge-process.ts';
import { askJson, askOn, askSse, openSocket, post } from '../bridge/harness.ts';
import { chatChunk, chatEnd, startRawUpstream, type RawUpstream } from '../bridge/raw-upstream.ts';
import { startRedis, whyNoRedis, type RedisServer } from '../bridge/redis-server.ts';
import { startNginx, whyNoNginx, type NginxServer } from './nginx-server.ts';

const missing = whyNoNginx() ?? whyNoRedis();
if (missing !== undefined) console.log(`two bridges behind nginx are not tested: ${missing}`);

describe.skipIf(missing !== undefined)('two bridges behind nginx, with deploy/nginx/turnwire.conf', () => {
  let upstream: RawUpstream;
  let redis: RedisServer;
  let bridges: readonly Command[] = [];
  let nginx: NginxServer;

  beforeAll(async () => {
    [upstream, redis] = await Promise.all([startRawUpstream(), startRedis()]);
    const args = ['--upstream', upstream.url, '--wire', 'chat', '--store', redis.url, '--allow-host', 'llm.example'];
    const start = (): Promise<Command> =>
      startCommand([...args, '--turn-state-key-env', 'KEY', '--log-level', 'silent'], { KEY: 'k'.repeat(32) });
    bridges = await Promise.all([start(), start()]);
    nginx = await startNginx(bridges);
  });
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]();
    await Promise.all(bridges.map((bridge) => bridge.end('SIGKILL')));
    await Promise.all([upstream.close(), redis.stop()]);
  });

  /** Answers the next request of a model with this text. */
  async function say(text: string): Promise<string> {
    const { res, body } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk(text) + chatEnd);
    return JSON.stringify(body.messages);
  }

  it('hands on each event of a stream at once', async () => {
    const asked = post(nginx, '/v1/responses', { model: 'm', input: 'x', stream: true });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    const body = (await asked).body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const until = async (end: string): Promise<void> => {
      while (!heard.includes(end)) heard += (await body?.read())?.value ?? '(over)';
    };
    await until('"delta":"Hel"');
    expect(heard).not.toContain('(over)');
    res.end(chatChunk('lo') + chatEnd);
    await until('(over)');
    expect(heard).toMatch(/event: response\.completed\ndata: .*\n\n\(over\)$/);
  });

  it('tells the model server at once that a client has left', async () => {
    const leave = new AbortController();
    const asked = post(nginx, '/v1/responses', { model: 'm', input: 'x', stream: true }, { signal: leave.signal });
    const { res, left } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel'));
    await asked;
    leave.abort();
    await left;
    expect(upstream.open).toBe(0);
  });

  it('hands on a WebSocket, with several turns', async () => {
    const socket = await openSocket(nginx);
    const [first] = await Promise.all([askOn(socket, { input: 'one' }), say('eins')]);
    const again = askOn(socket, { input: 'two', previous_response_id: first.body?.id });
    expect(await say('zwei')).toMatch(/one.*eins.*two/);
    expect([first.text, (await again).text]).toEqual(['eins', 'zwei']);
    socket.terminate();
  });

  it('finds a response at the other bridge, and continues it', async () => {
    const [{ body }] = await Promise.all([askJson(nginx, { input: 'one' }), say('eins')]);
    for (const { url } of [...bridges, nginx]) {
      const found = await fetch(`${url}/v1/responses/${String(body?.id)}`);
      expect([found.status, await found.json()]).toEqual([200, body]);
    }
    for (const at of bridges) {
      const next = askSse(at, { input: 'two', previous_response_id: body?.id });
      expect(await say('zwei')).toMatch(/one.*eins.*two/);
      expect((await next).text).toBe('zwei');
    }
  });

  it('keeps the name by which it was called, which the bridge checks, and does not show metrics', async () => {
    const statusOf = async (path: string, host: string): Promise<number | undefined> => {
      const asked = request(nginx.url + path, { headers: { host }, agent: false }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    expect(await statusOf('/v1/models', 'llm.example')).toBe(200);
    expect(await statusOf('/v1/models', 'rebound.example')).toBe(403);
    expect(await statusOf('/metrics', 'llm.example')).toBe(404);
  });

  it('takes a request of 8 MiB', async () => {
    const text = 'x'.repeat(8 * 1024 * 1024);
    const [answer, asked] = await Promise.all([askJson(nginx, { input: text }), say('long')]);
    expect([answer.text, asked.length > text.length]).toEqual(['long', true]);
  });

  it('goes on when one of the bridges is killed', async () => {
    expect(await bridges[0]?.end('SIGKILL')).toBe(null);
    for (let n = 0; n < 6; n++) {
      const [{ how, text }] = await Promise.all([askSse(nginx, { input: 'x' }), say(`${n}`)]);
      expect([how, text]).toEqual(['completed', `${n}`]);
    }
  });
});
