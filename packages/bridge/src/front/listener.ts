import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer, Server, type AddressInfo, type ListenOptions, type Socket } from 'node:net';

/** Connections that the kernel holds until they are accepted: many clients come back at once after a restart. */
const BACKLOG = 4096;

/** A connection silent for so long is asked by TCP whether its client is still there. */
export const keptAlive = { keepAlive: true, keepAliveInitialDelay: 60_000 };

/** How the connections of clients are: a client that has sent all it will is still answered. */
const ofClients = { allowHalfOpen: true, noDelay: true, ...keptAlive };

/**
 * Where a server listens for others, which are given each connection as it comes, with nothing of it read.
 */
export function createHandingListener(onConnection: (socket: Socket) => void): Listener {
  return new Listener(createServer({ ...ofClients, pauseOnConnect: true }, onConnection));
}

/**
 * Where an HTTP server listens. `localhost` is each address of that name (`127.0.0.1` and `::1`): a client takes either.
 */
export class Listener {
  readonly #server: HttpServer | Server;
  readonly #others: Server[] = [];
  #closed: Promise<unknown> | undefined;

  constructor(server: HttpServer | Server) {
    this.#server = server;
  }

  /** 0 before {@link listen}. */
  get port(): number {
    return addressOf(this.#server)?.port ?? 0;
  }

  /** Rejects with Node's error, e.g. for a port in use. */
  async listen(host: string, port: number): Promise<void> {
    await listening(this.#server, { host, port, backlog: BACKLOG });
    if (host !== 'localhost') return;
    const main = addressOf(this.#server);
    const addresses = (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
    const others = new Set(addresses.filter((address) => address !== main?.address));
    await Promise.all(Array.from(others, (address) => this.#listenOn(address)));
  }

  /** Listens at a path of the file system, and beside that serves what it is given. Rejects with Node's error. */
  async listenAt(path: string): Promise<void> {
    await listening(this.#server, { path });
  }

  /** Serves a connection that another process has accepted. */
  take(socket: Socket): void {
    socket.allowHalfOpen = true;
    socket.setNoDelay(true).setKeepAlive(true, keptAlive.keepAliveInitialDelay);
    this.#server.emit('connection', socket);
  }

  /** Accepts no more. Connections stay, also those of answers that have ended but are still being read. */
  stop(): void {
    this.#closed ??= Promise.all([this.#server, ...this.#others].map(stopped));
  }

  /** Cuts the connections that are left; settles when all are gone. */
  async close(): Promise<void> {
    this.stop();
    if ('closeAllConnections' in this.#server) this.#server.closeAllConnections();
    this.#server.close(); // ends its timers as well
    await this.#closed;
  }

  /** An address that cannot be had, e.g. without IPv6, is done without: the server has one already. */
  async #listenOn(host: string): Promise<void> {
    const pauseOnConnect = !('closeAllConnections' in this.#server);
    const other = createServer({ ...ofClients, pauseOnConnect }, (socket) => {
      this.#server.emit('connection', socket);
    });
    try {
      await listening(other, { host, port: this.port, backlog: BACKLOG });
      this.#others.push(other);
    } catch {
      other.close();
    }
  }
}

/** The address of a server that listens there. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function listening(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options);
  await once(server, 'listening');
}

/** HTTP's own `close` would also cut the connections whose answer has ended but is still being read. */
async function stopped(server: Server): Promise<void> {
  await new Promise((resolve) => Server.prototype.close.call(server, resolve));
}

function addressOf(server: Server): AddressInfo | undefined {
  const address = server.address();
  return typeof address === 'object' ? (address ?? undefined) : undefined;
}
