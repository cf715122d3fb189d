import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

/** One accepted WebSocket, seen from the server. */
export interface ServerSocket {
  readonly ws: WebSocket;
  readonly request: IncomingMessage;
  /** Below the WebSocket: for resets and raw bytes. */
  readonly raw: Socket;
  /** The next text message, in order. */
  message(): Promise<string>;
  /** Resolves when the client's side is gone. */
  readonly closed: Promise<number>;
}

export interface TestServer {
  readonly url: string;
  /** The next accepted socket, in order. */
  socket(): Promise<ServerSocket>;
  /** Handshakes that arrived, refused ones too. */
  readonly handshakes: readonly IncomingMessage[];
  /** The next handshakes are answered by this; without it they are accepted. */
  refuse: ((socket: Duplex, request: IncomingMessage) => void) | undefined;
  /** Answers plain requests; default 404. */
  onRequest: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Added to the 101. */
  headers: readonly string[];
  close(): Promise<void>;
}

/** A queue whose `next` waits for what is not there yet. */
class Inbox<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#values.push(value);
    else waiting(value);
  }

  next(): Promise<T> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A WebSocket server on loopback whose every socket the test speaks for. */
export async function startWebSocketServer(): Promise<TestServer> {
  const http: Server = createServer((request, response) => {
    if (server.onRequest === undefined) response.writeHead(404).end();
    else server.onRequest(request, response);
  });
  const wss = new WebSocketServer({ noServer: true });
  const sockets = new Inbox<ServerSocket>();
  const handshakes: IncomingMessage[] = [];
  const open = new Set<Duplex>();
  const server: TestServer = {
    url: '',
    refuse: undefined,
    onRequest: undefined,
    headers: [],
    handshakes,
    socket: () => sockets.next(),
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  wss.on('headers', (headers) => headers.push(...server.headers));
  http.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  http.on('upgrade', (request, socket, head) => {
    handshakes.push(request);
    if (server.refuse !== undefined) {
      server.refuse(socket, request);
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => sockets.push(serverSocket(ws, request, request.socket)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return Object.assign(server, { url: `http://127.0.0.1:${port}` });
}

function serverSocket(ws: WebSocket, request: IncomingMessage, raw: Socket): ServerSocket {
  const messages = new Inbox<string>();
  const closed = Promise.withResolvers<number>();
  ws.on('message', (data) => messages.push((data as Buffer).toString('utf8')));
  ws.on('error', () => undefined);
  ws.on('close', (code) => closed.resolve(code));
  return { ws, request, raw, message: () => messages.next(), closed: closed.promise };
}

/** Answers a handshake with a plain HTTP response. */
export function refusal(status: number, headers: Record<string, string> = {}, body = ''): (socket: Duplex) => void {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return (socket) => socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${body}`);
}
