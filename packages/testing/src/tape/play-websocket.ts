import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import { aborted } from '@turnwire/client/internal/platform/wait';
import type { TapedExchange, TapedMessage } from './tape.ts';
import { Timeline, type ReplayPace } from './play.ts';

/** A WebSocket handshake that has not been answered. */
export interface Handshake {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Messages of a client that are counted ahead of the tape, at most; more of them close the socket. */
const MAX_AHEAD = 1000;

/**
 * Serves one WebSocket as it was: a message that the client sent is waited for, whatever it says; the server's
 * messages follow at their taped distance from it.
 */
export async function playWebSocket(
  handshake: Handshake,
  exchange: TapedExchange,
  pace: ReplayPace,
  closing: AbortSignal,
): Promise<void> {
  const { response, end } = exchange;
  const { socket } = handshake;
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  socket.once('end', () => gone.abort()); // the server keeps half-open connections
  const signal = AbortSignal.any([gone.signal, closing]);
  const time = new Timeline(pace);
  await time.until(response?.ms ?? end.ms, signal);
  if (response?.status === 101) {
    const client = await accept(handshake, exchange);
    await playMessages(client, exchange, pace, signal);
    return;
  }
  if (response !== undefined) {
    socket.end(rawResponse(response.status, response.headers, bodyOf(exchange)));
    return;
  }
  // Swallowed: nobody knows when it would have been answered.
  if (end.how === 'client-left' || end.how === 'stopped') await aborted(signal);
  socket.destroy();
}

async function accept({ req, socket, head }: Handshake, { response }: TapedExchange): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('headers', (lines) => {
    lines.push(...(response?.headers ?? []).map(([name, value]) => `${name}: ${value}`));
  });
  return await new Promise((resolve) => {
    server.handleUpgrade(req, socket, head, (client) => resolve(client));
  });
}

async function playMessages(
  client: WebSocket,
  exchange: TapedExchange,
  pace: ReplayPace,
  signal: AbortSignal,
): Promise<void> {
  const inbox = new Inbox(client);
  // Times count from the last message of the client: it may take its own time to send it.
  let time = new Timeline(pace);
  let zero = exchange.response?.ms ?? 0;
  for (const message of exchange.messages) {
    if (message.from === 'client') {
      await inbox.next(signal);
      time = new Timeline(pace);
      zero = message.ms;
    } else {
      await time.until(message.ms - zero, signal);
      if (!signal.aborted) await send(client, message, signal);
    }
    if (signal.aborted) return;
  }
  await time.until(exchange.end.ms - zero, signal);
  if (!signal.aborted) await close(client, exchange, signal);
}

async function send(client: WebSocket, message: TapedMessage, signal: AbortSignal): Promise<void> {
  if (message.kind === 'ping') {
    client.ping(message.data);
    return;
  }
  const sent = new EventTarget();
  client.send(message.data, () => sent.dispatchEvent(new Event('sent')));
  // Not faster than the client reads: the message has to be with the kernel before the next.
  if (client.bufferedAmount > 0) await once(sent, 'sent', { signal }).catch(() => undefined);
}

async function close(client: WebSocket, { end }: TapedExchange, signal: AbortSignal): Promise<void> {
  switch (end.how) {
    case 'complete':
      if (end.code === undefined || end.code === 1005) client.close();
      else client.close(end.code, end.reason);
      return;
    case 'client-left':
    case 'stopped':
      await aborted(signal);
      return;
    case 'cut':
    case 'reset':
    case 'failed':
    case 'torn':
      client.terminate();
  }
}

/** Counts what the client sent. */
class Inbox {
  readonly #arrived = new EventTarget();
  #waiting = 0;

  constructor(client: WebSocket) {
    client.on('error', () => undefined); // told by 'close'
    client.on('message', () => {
      if (++this.#waiting > MAX_AHEAD) client.close(1008, 'too many messages');
      this.#arrived.dispatchEvent(new Event('message'));
    });
  }

  /** Waits for one more message; ends early when the signal does. */
  async next(signal: AbortSignal): Promise<void> {
    while (this.#waiting === 0 && !signal.aborted) {
      await once(this.#arrived, 'message', { signal }).catch(() => undefined);
    }
    this.#waiting--;
  }
}

/** The body of a refused handshake. */
function bodyOf({ messages }: TapedExchange): Buffer {
  return Buffer.concat(messages.map(({ data }) => Buffer.from(data as string)));
}
