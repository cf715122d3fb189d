import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';

/** A server on loopback for one test; disposing it destroys every connection. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: ReadonlySet<Socket>;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Settles when no connection is open any more. */
  idle(): Promise<void>;
}

export async function httpServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  return listen(createServer({ keepAliveTimeout: 60_000 }, handler));
}

/** Gets the socket once the whole request head arrived; what it writes is the answer, byte for byte. */
export async function rawServer(handler: (socket: Socket, head: string) => void): Promise<TestServer> {
  return listen(
    createNetServer((socket) => {
      let head = '';
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        const before = head;
        head += chunk.toString('latin1');
        if (!before.includes('\r\n\r\n') && head.includes('\r\n\r\n')) handler(socket, head);
      });
    }),
  );
}

async function listen(server: Server | NetServer): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      server.emit('turnwire-closed');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    get accepted() {
      return accepted;
    },
    async idle() {
      while (sockets.size > 0) await once(server, 'turnwire-closed');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The body of a request, as text. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
