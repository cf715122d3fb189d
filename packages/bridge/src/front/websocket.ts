import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { firstHeaderValue } from '@turnwire/wire/internal/base/http-headers';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import type { BridgeContext } from '../exchange/context.ts';
import { badRequest, shuttingDown, type ApiError } from '../reply/api-error.ts';
import { internalError } from '../reply/internal-error.ts';
import { refuseRaw } from './refuse-raw.ts';
import { SocketConnection } from './socket-connection.ts';

/** A client that said goodbye, or was told to, has this long to close its connection. */
const CLOSE_MS = 1000;

/** A connection that is about to become a socket. */
interface Handshake {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** The bridge as its caller sees it. */
  readonly context: BridgeContext;
}

/** Serves the Responses API over WebSocket. */
export class WebSocketRoute {
  readonly #context: BridgeContext;
  #server: WebSocketServer | undefined;
  /** Handshakes that wait for `ws` to be loaded. */
  #opening = 0;
  #closed = false;

  constructor(context: BridgeContext) {
    this.#context = context;
  }

  /** @param refuse - tells why there is no handshake after all */
  upgrade(request: IncomingMessage, handshake: Handshake, refuse: (error: ApiError) => void): void {
    this.#opening++;
    void this.#upgrade(request, handshake, refuse)
      .catch((error: unknown) => refuse(internalError(this.#context.log, error, 'a handshake failed')))
      .finally(() => this.#opening--);
  }

  async #upgrade(
    request: IncomingMessage,
    { socket, head, context }: Handshake,
    refuse: (error: ApiError) => void,
  ): Promise<void> {
    // Loaded at the first handshake: a bridge whose clients speak HTTP only does not pay for it.
    const { WebSocketServer: Server } = await import('ws');
    if (this.#closed) {
      refuse(shuttingDown());
      return;
    }
    this.#server ??= createSocketServer(Server, this.#context);
    this.#server.handleUpgrade(request, socket, head, (client) => {
      new SocketConnection(context, client, request).start();
    });
  }

  /** Sockets that are open, busy or not, or about to be. */
  get size(): number {
    return this.#clients.size + this.#opening;
  }

  /** Closes the sockets that have nothing to do; those under way close when they are done. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.emit('turnwire-drain');
    this.#server?.close();
  }

  terminate(): void {
    for (const client of this.#clients) client.terminate();
  }

  get #clients(): ReadonlySet<WebSocket> {
    return this.#server?.clients ?? new Set();
  }
}

function createSocketServer(Server: typeof WebSocketServer, { settings, seal }: BridgeContext): WebSocketServer {
  // Deflate costs memory per socket and time per event, and may be declined.
  const options = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: settings.bodyLimit,
    closeTimeout: CLOSE_MS,
  };
  const server = new Server(options);
  server.on('wsClientError', (error: Error, socket: Duplex) => {
    refuseRaw(socket, badRequest(error.message, { headers: { 'sec-websocket-version': '13' } }));
  });
  server.on('headers', (lines, request: IncomingMessage) => {
    const turn = firstHeaderValue(request.headers[TURN_STATE_HEADER]);
    if (turn !== undefined && seal.open(turn) !== undefined) lines.push(`${TURN_STATE_HEADER}: ${turn}`);
  });
  return server;
}
