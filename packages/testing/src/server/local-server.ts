import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import { isLoopback } from '@turnwire/client/internal/platform/local-only';
import { MockUsageError } from '../errors.ts';
import { doorGuard, type DoorGuard } from './door-guard.ts';

/** Where a server of this package listens. */
export interface LocalAddress {
  /** Default 0: a free one. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
  /** What callers have to send as API key. Default: nothing. */
  readonly authToken?: string | undefined;
  /** Beyond loopback without a token all the same. Default: refused. */
  readonly insecure?: boolean | undefined;
}

/** What becomes of requests that no web page made. */
export interface LocalHandlers {
  http(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Connections that wait to be accepted, at most: tests of load open many at once. */
const BACKLOG = 4096;

/** The HTTP server that the mock, a recorder and a replay stand on. */
export class LocalServer {
  readonly #server: Server;
  readonly #guard: DoorGuard;
  readonly #port: number;
  readonly #host: string;
  #bound: { readonly url: string; readonly port: number } = { url: '', port: 0 };

  /** @throws MockUsageError for an address that others can reach, without a token */
  constructor(
    { port, host, allowedHosts, authToken, insecure }: LocalAddress,
    handlers: LocalHandlers,
    options: ServerOptions = {},
  ) {
    this.#port = port ?? 0;
    this.#host = host ?? '127.0.0.1';
    if (!isLoopback(this.#host) && authToken === undefined && insecure !== true) {
      throw new MockUsageError(
        `listening on ${this.#host} lets others in: only with --insecure, or for a mock with a token (--auth-token-env)`,
      );
    }
    this.#guard = doorGuard({ host: this.#host, allowedHosts }, authToken);
    this.#server = createServer({ keepAliveTimeout: 5000, ...options }, (req, res) => {
      if (!this.#guard.refuses(req, res)) handlers.http(req, res);
    });
    this.#server.on('upgrade', (req, socket, head) => {
      if (!this.#guard.refusesUpgrade(req, socket)) handlers.upgrade(req, socket, head);
    });
  }

  /** Empty until it listens. */
  get url(): string {
    return this.#bound.url;
  }

  /** What clients take as base URL. */
  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  /** 0 until it listens. */
  get port(): number {
    return this.#bound.port;
  }

  /** Rejects with Node's error for a port in use. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#host, BACKLOG, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const { port } = this.#server.address() as AddressInfo;
    this.#bound = { port, url: `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}` };
  }

  /** Drops every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
