import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { askOn, openSocket, post, startRig, type Json } from './harness.ts';
import { startRawUpstream } from './raw-upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-watching-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A request that carries secrets where requests may. */
const telling: Json = {
  model: 'm',
  input: 'what was asked',
  stream: true,
  client_metadata: { 'x-codex-turn-state': 'state-secret' },
  tools: [
    { type: 'mcp', server_label: 's', server_url: 'http://127.0.0.1:1', authorization: 'tool-secret' },
    { type: 'mcp', server_label: 't', server_url: 'http://127.0.0.1:1', headers: { 'X-Api-Key': 'header-secret' } },
  ],
};

/** The one trace in a folder, once the answer is in it. */
async function traceIn(traceDir: string): Promise<string> {
  const read = (): string =>
    readdirSync(traceDir)
      .map((name) => readFileSync(join(traceDir, name), 'utf8'))
      .join('');
  await expect.poll(read).toContain('response.completed');
  return read();
}

describe('bridge: a trace', () => {
  it('is written of requests on a socket', async () => {
    const traceDir = join(folder, 'socket');
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat', traceDir });
    const socket = await openSocket(at.bridge, { authorization: 'Bearer caller-secret' });
    const end = await askOn(socket, telling);
    expect(end.how).toBe('completed');
    expect(JSON.stringify(end.body)).not.toMatch(/-secret/);
    const trace = await traceIn(traceDir);
    expect(trace).toContain('what was asked');
    expect(trace).not.toMatch(/-secret/);
    socket.terminate();
  });

  it('is written of what passes through', async () => {
    const traceDir = join(folder, 'through');
    await using at = await startRig({ wire: 'responses', scenario: 'text' }, { mode: 'passthrough', traceDir });
    const headers = { authorization: 'Bearer caller-secret' };
    await (await post(at.bridge, '/v1/responses', telling, { headers })).text();
    const trace = await traceIn(traceDir);
    expect(trace).toContain('what was asked');
    expect(trace).not.toMatch(/-secret/);
  });
});

describe('bridge: what passes through', () => {
  it('is counted: tokens and failures', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = createBridge({ upstreams: [upstream.url], mode: 'passthrough', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const whole = post(bridge, '/v1/chat/completions', { model: 'm' });
    (await upstream.next()).res.end('{"usage":{"prompt_tokens":7,"completion_tokens":5}}');
    await (await whole).text();
    const cut = post(bridge, '/v1/chat/completions', { model: 'm' });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-length': '1000' }).write('{');
    const body = (await cut).text();
    res.destroy();
    await expect(body).rejects.toThrow();
    const left = new AbortController();
    const leaving = post(bridge, '/v1/chat/completions', { model: 'm' }, { signal: left.signal });
    const waiting = await upstream.next();
    left.abort();
    await expect(leaving).rejects.toThrow();
    await waiting.left;
    const metrics = (): Promise<string> => fetch(`${bridge.url}/metrics`).then((answer) => answer.text());
    await expect.poll(metrics).toContain('requests_total{route="passthrough",outcome="aborted"} 1');
    const told = await metrics();
    expect(told).toContain('requests_total{route="passthrough",outcome="completed"} 1');
    expect(told).toContain('requests_total{route="passthrough",outcome="stream_truncated"} 1');
    expect(told.match(/^turnwire_errors_total.*$/gm)).toEqual(['turnwire_errors_total{kind="stream_truncated"} 1']);
    expect(told).toMatch(/tokens_total\{direction="input"\} 7\n[^]*tokens_total\{direction="output"\} 5\n/);
    expect(told).toContain('turnwire_streams_open 0');
  });

  it('is told of a shutdown where it waits for its answer', async () => {
    await using upstream = await startRawUpstream();
    const bridge = createBridge({ upstreams: [upstream.url], mode: 'passthrough', port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const answer = post(bridge, '/v1/chat/completions', { model: 'm' });
    const { req } = await upstream.next();
    const gone = once(req.socket, 'close');
    await bridge.close();
    const { error } = (await (await answer).json()) as { error: Json };
    expect([(await answer).status, error.message]).toEqual([500, 'the bridge is shutting down']);
    await gone;
  });
});
