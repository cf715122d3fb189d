import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordTo, replayTape, startMock } from '../../packages/testing/src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-page-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The status of a request with these headers. */
async function ask(port: number, headers: Readonly<Record<string, string>>, upgrade = false): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  const all = upgrade
    ? {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGVzdA==',
      }
    : { ...headers, connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET /__requests HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1]);
}

const pages = [
  { host: 'evil.example' },
  { host: '127.0.0.1', origin: 'https://evil.example' },
  { host: 'localhost', origin: 'null' },
];
const friends = [
  { host: 'localhost:1' },
  { host: '[::1]:1' },
  { host: '127.0.0.1', origin: 'http://localhost:5173' },
  { host: 'friend.example' },
];

describe('a page that somebody visits', () => {
  it('reads nothing of the scripted server, the recorder and the replay; what runs on this machine does', async () => {
    const allowedHosts = ['friend.example'];
    await using mock = await startMock({ allowedHosts });
    await using recorder = await recordTo(folder, { upstream: mock.url, allowedHosts });
    for (const { port } of [mock, recorder]) {
      for (const page of pages) expect([await ask(port, page), await ask(port, page, true)]).toEqual([403, 403]);
    }
    expect(readdirSync(folder)).toEqual([]); // nor was anything sent on
    for (const { port } of [mock, recorder]) for (const friend of friends) expect(await ask(port, friend)).toBe(200);
    await recorder.close();
    await using replay = await replayTape(folder, { allowedHosts });
    for (const page of pages)
      expect([await ask(replay.port, page), await ask(replay.port, page, true)]).toEqual([403, 403]);
    for (const friend of friends) expect(await ask(replay.port, friend)).toBe(200);
  });
});
