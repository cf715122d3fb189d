import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Json } from './harness.ts';

/** A connection that stays open on our side whatever the bridge does. */
export async function dial(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that the bridge says until it closes. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

/** The same on a connection that is still written to: what is under way when it is closed is answered with a reset. */
export async function readToTheCut(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (piece) => (text += String(piece)));
  await new Promise((resolve) => socket.once('close', resolve)); // `once` would reject with the reset
  return text;
}

export function head(line: string, ...headers: readonly string[]): string {
  return [line, 'host: 127.0.0.1', ...headers, '', ''].join('\r\n');
}

export function post(body: Json, ...headers: readonly string[]): string {
  const text = JSON.stringify(body);
  const length = `content-length: ${Buffer.byteLength(text)}`;
  return head('POST /v1/responses HTTP/1.1', 'content-type: application/json', length, ...headers) + text;
}

/** Status and error of an answer. */
export function errorOf(answer: string): readonly [number, Json] {
  const [top = '', body = ''] = answer.split('\r\n\r\n');
  return [Number(top.split(' ')[1]), (JSON.parse(body) as { error: Json }).error];
}

export const UPGRADE = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];
