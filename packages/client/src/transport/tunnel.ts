import type { ClientRequest } from 'node:http';
import { request as httpRequest } from '../platform/node-http.ts';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

type Settle = (error: Error | null, socket?: Socket) => void;

/** One connection through a proxy that knows `CONNECT`. */
export class Tunnel {
  readonly #proxy: URL;
  readonly #target: URL;
  #request: ClientRequest | undefined;

  /**
   * @param proxy - `http:` or `https:`; a user and password in it are the proxy's
   * @param target - `ws:` or `wss:`
   */
  constructor(proxy: URL, target: URL) {
    this.#proxy = proxy;
    this.#target = target;
  }

  /** Opens it; the socket of a `wss:` target speaks TLS with the target itself. Without a timer of its own. */
  open(settle: Settle): void {
    const request = this.#connect();
    this.#request = request;
    request.on('error', (error) => settle(error));
    request.on('connect', (response, socket: Socket, head: Buffer) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        settle(new Error(`the proxy ${this.#proxy.host} answered ${response.statusCode ?? 0}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      settle(null, this.#secured(socket));
    });
    request.end();
  }

  /** Gives up while it opens; an open tunnel belongs to its socket. */
  cancel(): void {
    this.#request?.destroy();
  }

  #connect(): ClientRequest {
    const { hostname, port, protocol } = this.#proxy;
    const secure = protocol === 'https:';
    const there = `${this.#target.hostname}:${this.#target.port === '' ? this.#defaultPort() : this.#target.port}`;
    return (secure ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: withoutBrackets(hostname),
      port: port === '' ? (secure ? 443 : 80) : Number(port),
      path: there,
      headers: { host: there, ...this.#authorization() },
      agent: false,
    });
  }

  #defaultPort(): number {
    return this.#target.protocol === 'wss:' ? 443 : 80;
  }

  #authorization(): Readonly<Record<string, string>> {
    const { username, password } = this.#proxy;
    if (username === '' && password === '') return {};
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
  }

  #secured(socket: Socket): Socket {
    if (this.#target.protocol !== 'wss:') return socket;
    const host = withoutBrackets(this.#target.hostname);
    return tlsConnect({ socket, servername: isIP(host) === 0 ? host : '', host });
  }
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
