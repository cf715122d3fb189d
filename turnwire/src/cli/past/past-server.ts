import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Listener } from '@turnwire/bridge/internal/front/listener';
import type { Inspector } from '@turnwire/bridge/internal/inspect/inspector';
import { createPageGuard } from '@turnwire/client/internal/platform/local-only';
import { createServer } from '@turnwire/client/internal/platform/node-http';

const HOST = '127.0.0.1';

/** Serves an inspector alone, on loopback. */
export class PastServer {
  readonly #listener: Listener;
  readonly #inspector: Inspector;
  readonly #isForeign = createPageGuard({ host: HOST });

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
    const server: Server = createServer((request, res) => void this.#serve(request, res));
    this.#listener = new Listener(server);
  }

  get port(): number {
    return this.#listener.port;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** Rejects with Node's error, e.g. for a port in use. */
  listen(port: number): Promise<void> {
    return this.#listener.listen(HOST, port);
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  async #serve({ method, url = '/', headers }: IncomingMessage, res: ServerResponse): Promise<void> {
    const foreign = this.#isForeign(headers);
    if (foreign !== undefined) answer(res, 403, foreign);
    else if (method !== 'GET' && method !== 'HEAD') answer(res, 405, 'only GET is known here');
    else if (/^\/inspect(?:[/?]|$)/.test(url)) await this.#inspector.serve({ url, headers, res });
    else answer(res, 404, 'only /inspect/ is here');
  }
}

function answer(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
