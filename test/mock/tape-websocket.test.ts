import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readTape, recordTo, replayTape, startMock } from '../../packages/testing/src/index.ts';
import { tapeFolder } from './tape-support.ts';

interface Talk {
  readonly messages: readonly string[];
  readonly pings: number;
  readonly state: string | undefined;
  readonly end: string;
}

/** Sends the requests one after another; leaves after the last answer unless the server closes first. */
async function talk(url: string, requests: readonly object[]): Promise<Talk> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, {
    headers: { authorization: 'Bearer ws-secret-123' },
  });
  const messages: string[] = [];
  let [pings, next, left] = [0, 0, false];
  let state: string | undefined;
  const send = (): void => {
    const request = requests[next++];
    if (request !== undefined) socket.send(JSON.stringify(request));
    else {
      left = true;
      socket.close();
    }
  };
  return await new Promise((resolve) => {
    socket.on('upgrade', (response) => (state = response.headers['x-note']?.toString()));
    socket.on('open', send);
    socket.on('ping', () => pings++);
    socket.on('message', (data: Buffer, binary: boolean) => {
      const text = data.toString('utf8');
      messages.push(binary ? `binary ${text}` : text);
      if (/"type":"(response\.completed|error)"/.test(text)) send();
    });
    socket.on('unexpected-response', (_request, response) => {
      resolve({ messages, pings, state, end: `status ${response.statusCode ?? 0}` });
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => resolve({ messages, pings, state, end: left ? 'left' : `closed ${code}` }));
  });
}

const create = { type: 'response.create', model: 'm', input: 'hi' };

describe('a WebSocket on tape', () => {
  it.each([
    [[]],
    [['ws-ping']],
    [['ws-binary']],
    [['ws-close-after:3']],
    [['reset-after:2']],
    [['ws-426']],
    [['ws-error-frame']],
  ])('is replayed message by message: %j', async (faults) => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults });
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    const live = await talk(recorder.url, [create, create]);
    await recorder.close();
    await using replay = await replayTape(folder.path, { speed: 'max' });
    expect(replay.problems).toEqual([]);
    expect(await talk(replay.url, [create, create])).toEqual(live);
  });

  it('keeps both sides in order, and no secret', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['turn-state:state-secret-9'] });
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    const first = { ...create, client_metadata: { 'x-codex-turn-state': 'state-secret-8' } };
    const live = await talk(recorder.url, [first, create]);
    await recorder.close();
    const { exchanges } = await readTape(folder.path);
    const sides = exchanges[0]?.messages.map(({ from }) => from) ?? [];
    expect(sides.filter((from) => from === 'client')).toHaveLength(2);
    expect(sides.filter((from) => from === 'server')).toHaveLength(live.messages.length);
    expect(sides[0]).toBe('client');
    expect(live.messages[0]).toContain('state-secret-9');
    expect(folder.tapes()[0]?.text).not.toMatch(/secret/);
    expect(exchanges[0]?.end.how).toBe('client-left');
  });

  it('that is refused with an answer that breaks off breaks off for its client, and harms nobody else', async () => {
    using folder = tapeFolder();
    const upstream = createServer().on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhalf of ');
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as AddressInfo;
    await using recorder = await recordTo(folder.path, { upstream: `http://127.0.0.1:${port}` });
    expect(await refusedBy(recorder.url, '/v1/responses')).toBe('ECONNRESET');
    upstream.close();
    const { exchanges } = await readTape(folder.path);
    expect(exchanges[0]).toMatchObject({ response: { status: 500 }, end: { how: 'cut' } });
  });

  it('to an address that is none is dropped, with an end on its tape', async () => {
    using folder = tapeFolder();
    const told: string[] = [];
    await using recorder = await recordTo(folder.path, {
      upstream: 'http://127.0.0.1:9',
      onProblem: (message) => told.push(message),
    });
    expect(await refusedBy(recorder.url, '//')).toBe('ECONNRESET');
    expect(told).toHaveLength(1);
    expect((await readTape(folder.path)).exchanges[0]?.end).toMatchObject({ how: 'failed', error: 'ERR_INVALID_URL' });
  });

  it('that was swallowed is swallowed again', async () => {
    using folder = tapeFolder();
    await using mock = await startMock({ faults: ['ws-silent'] });
    const recorder = await recordTo(folder.path, { upstream: mock.url });
    const silent = async (url: string): Promise<string> => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, { handshakeTimeout: 150 });
      return await new Promise((resolve) => socket.on('error', (error) => resolve(error.message)));
    };
    const live = await silent(recorder.url);
    await expect.poll(async () => (await readTape(folder.path)).exchanges[0]?.end.how).toBe('client-left');
    await recorder.close();
    await using replay = await replayTape(folder.path, { speed: 'max' });
    expect(await silent(replay.url)).toBe(live);
  });
});

/** The code of the error with which a handshake ends. */
async function refusedBy(url: string, path: string): Promise<string | undefined> {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const handshake = request(url, { path, headers, agent: false }).end();
  return await new Promise((resolve) => handshake.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
}
