import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { expect, it } from 'vitest';
import { conceal } from '../../packages/client/src/platform/conceal.ts';
import { runInProcess } from '../cli/harness.ts';

const KEY = 'sk-live-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-abcdefghijklmnopqrstuvwxyz';
const error = { message: `Incorrect API key provided: ${KEY}.`, type: 'invalid_request_error', code: KEY };

/** A server that quotes the key wherever it can. */
const servers = {
  'in an error body': (): [number, string, string] => [401, 'application/json', JSON.stringify({ error })],
  'in an error of a number': () => [400, 'application/json', JSON.stringify({ error: { ...error, code: 400 } })],
  'in a page': () => [500, 'text/html', `<html><body>${KEY} is wrong</body></html>`],
  'in a page with 200': () => [200, 'text/html', `<html><body>${KEY} is wrong</body></html>`],
  'in a stream': () => [200, 'text/event-stream', `data: ${JSON.stringify({ error })}\n\ndata: ${KEY}\n\n${KEY}\n\n`],
  'in an event that is cut off': () => [200, 'text/event-stream', `event: error\ndata: {"error":{"message":"${KEY}`],
} satisfies Record<string, () => [number, string, string]>;

it.each(Object.entries(servers))('the doctor shows a key nowhere that its server quotes %s', async (_name, answer) => {
  const server = createServer((req, res) => {
    const [status, type, body] = answer();
    if (req.method === 'GET') {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: [{ id: KEY }] }));
    } else res.writeHead(status, { 'content-type': type }).end(body);
  }).listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', () => socket.send(JSON.stringify({ type: 'error', status: 401, error })));
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const format of [[], ['--json']]) {
      const args = ['doctor', url, '--env-key', 'KEY', '--timeout', '1000', '--hold', '100', ...format];
      const { stdout, stderr } = await runInProcess(args, { env: { KEY } });

      expect(stdout).toContain('[redacted]');
      expect(pieces(stdout + stderr)).toEqual([]);
    }
  } finally {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  }
});

/** What a text holds of the key, in pieces of 8 characters. */
function pieces(text: string): string[] {
  const all = Array.from({ length: KEY.length - 7 }, (_, at) => KEY.slice(at, at + 8));
  return all.filter((piece) => text.includes(piece));
}

it.each([
  ['the key my-key-1 is wrong', 'my-key-1', 'the key [redacted] is wrong'],
  ['cut: sk-0123456', 'sk-0123456789', 'cut: [redacted]'],
  ['…456789abcd said', 'sk-0123456789abcd', '…[redacted] said'],
  ['sk-0123 is short', 'sk-0123456789', 'sk-0123 is short'],
  ['no and none', 'no', 'no and none'],
  ['secret secret', ' secret\n', '[redacted] [redacted]'],
])('conceals in %j the key %j', (text, key, shown) => {
  expect(conceal(text, [key])).toBe(shown);
  expect(conceal(text, [])).toBe(text);
});
