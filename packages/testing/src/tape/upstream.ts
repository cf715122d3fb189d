import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent, request as requestHttp } from '@turnwire/client/internal/platform/node-http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';

/** Kept connections to the upstream: a recorder must not turn one connection into many. */
export class UpstreamAgents {
  readonly #plain = new Agent({ keepAlive: true });
  readonly #secure = new SecureAgent({ keepAlive: true });

  /** Starts a request; the caller ends it. */
  request(upstream: URL, options: RequestOptions): ClientRequest {
    const { hostname, port, protocol } = upstream;
    const where = { ...options, hostname: hostname.replace(/^\[|\]$/g, ''), port };
    return protocol === 'https:'
      ? requestHttps({ ...where, agent: this.#secure })
      : requestHttp({ ...where, agent: this.#plain });
  }

  /** Closes what is kept; running requests end by themselves. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}
