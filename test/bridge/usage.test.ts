import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { BridgeOptions } from '../../packages/bridge/src/index.ts';
import { askOn, askJson, askSocket, askSse, openSocket, post, sseEvents, startRig, type Json } from './harness.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream, type RawExchange } from './raw-upstream.ts';

const CODEX = { originator: 'codex_cli_rs' };
const ZEROS = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};
const silent = { turns: [{ replies: [{ parts: [{ type: 'text' as const, text: 'Hi' }], usage: null }] }] };

describe.each(['chat', 'responses'] as const)('usage that a %s server does not tell', (wire) => {
  const start = () => startRig({ wire, scenario: silent }, { wire, usageGraceMs: 20 });

  it('is zeros to a Responses client, over SSE, as JSON, on a socket', async () => {
    await using rig = await start();
    for (const ask of [askSse, askJson, askSocket]) {
      const { how, body } = await ask(rig.bridge, { input: 'hi' });
      expect([how, body?.usage]).toEqual(['completed', ZEROS]);
    }
  });

  it('is none to Codex', async () => {
    await using rig = await start();
    for (const ask of [askSse, askSocket]) {
      const { how, body } = await ask(rig.bridge, { input: 'hi' }, CODEX);
      expect([how, body?.usage]).toEqual(['completed', null]);
    }
  });

  it('is none to a chat client, whether it asks or not', async () => {
    await using rig = await start();
    const messages = [{ role: 'user', content: 'hi' }];
    const asked = { model: 'm', messages, stream: true, stream_options: { include_usage: true } };
    const events = sseEvents(await (await post(rig.bridge, '/v1/chat/completions', asked)).text());
    expect(events.filter(({ usage }) => usage !== null && usage !== undefined)).toEqual([]);
    const whole = await post(rig.bridge, '/v1/chat/completions', { model: 'm', messages });
    expect(Object.keys((await whole.json()) as Json)).not.toContain('usage');
  });

  it('is not counted as 0 by the bridge', async () => {
    const lines: Json[] = [];
    await using rig = await startRig({ wire, scenario: silent }, { wire, usageGraceMs: 20, logger: collect(lines) });
    await askSse(rig.bridge, { input: 'hi' });
    const line = lines.find(({ msg }) => msg === 'response');
    expect(line).toMatchObject({ outcome: 'completed' });
    expect(Object.keys(line ?? {})).not.toContain('input_tokens');
  });
});

function collect(lines: Json[]): NonNullable<BridgeOptions['logger']> {
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)) as Json);
      done();
    },
  });
  return pino(sink);
}

const COUNTED = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n';
const FINISHED = chatEnd.slice(0, chatEnd.indexOf('data: [DONE]'));

describe('usage that comes when its answer is over', () => {
  async function lateAnswer(kind: 'sse' | 'socket', behind: string) {
    const lines: Json[] = [];
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        const line = JSON.parse(String(chunk)) as Json;
        lines.push(line);
        if (line.msg === 'usage came late') sink.emit('late');
        done();
      },
    });
    const upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { usageGraceMs: 20, logger: pino(sink) });
    const socket = kind === 'socket' ? await openSocket(bridge) : undefined;
    const answer = socket === undefined ? askSse(bridge, { input: 'hi' }) : askOn(socket, { input: 'hi' });
    const { res }: RawExchange = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel') + FINISHED);
    const ended = await answer;
    const late = once(sink, 'late');
    res.end(behind);
    await late;
    const stored = (await (await fetch(`${bridge.url}/v1/responses/${String(ended.body?.id)}`)).json()) as Json;
    const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
    socket?.terminate();
    await bridge.close();
    await upstream.close();
    return { ended, lines, stored, metrics };
  }

  it.each([
    ['sse', `${COUNTED}data: [DONE]\n\n`],
    ['sse', COUNTED],
    ['socket', `${COUNTED}data: [DONE]\n\n`],
  ] as const)('is kept with it, logged and counted (%s)', async (kind, behind) => {
    const { ended, lines, stored, metrics } = await lateAnswer(kind, behind);
    expect([ended.how, ended.text, ended.body?.usage]).toEqual(['completed', 'Hel', ZEROS]);
    expect(lines.find(({ msg }) => msg === 'usage came late')).toMatchObject({ input_tokens: 5, output_tokens: 2 });
    expect(stored).toEqual({ ...ended.body, usage: expect.objectContaining({ total_tokens: 7 }) as unknown });
    expect(metrics).toContain('turnwire_tokens_total{direction="output"} 2');
  });

  it('keeps no deleted answer', async () => {
    await using upstream = await startRawUpstream();
    const lines: Json[] = [];
    await using bridge = await startBridge([upstream], { usageGraceMs: 20, logger: collect(lines) });
    const answer = askSse(bridge, { input: 'hi' });
    const { res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk('Hel') + FINISHED);
    const url = `${bridge.url}/v1/responses/${String((await answer).body?.id)}`;
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
    res.end(COUNTED);
    await expect.poll(() => lines.some(({ msg }) => msg === 'usage came late')).toBe(true);
    expect((await fetch(url)).status).toBe(404);
  });
});
