import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import type { BridgeContext } from '../exchange/context.ts';
import { badRequest, shuttingDown, tooMany, type ApiError } from '../reply/api-error.ts';
import { internalError } from '../reply/internal-error.ts';
import { sendError } from '../reply/sink.ts';
import { newId } from '../request/prepare.ts';
import type { Refused } from '../request/request-body.ts';
import { MAX_HEADER_BYTES, refuseConnection } from './client-error.ts';
import { createGate, type Gate, type GateRequest } from './gate.ts';
import { keptAlive, Listener } from './listener.ts';
import { readBody } from './read-body.ts';
import { refuseRaw } from './refuse-raw.ts';
import { Router } from './router.ts';
import { pathsOf, routeMethods, routesFor, upstreamPath, type Route } from './routes.ts';
import { WebSocketRoute } from './websocket.ts';

/** A client that does not get its headers, or its request, across in this time is cut off. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 120_000;
/** How often Node looks for them. */
const LOOK_MS = 5000;
const KEEP_ALIVE_MS = 65_000;
/** A client that is answered before it sent all of its request may go on for this long. */
const UNREAD_MS = 2000;

/** The HTTP server of a bridge: all routes, behind the gate. */
export class HttpFront {
  readonly listener: Listener;
  readonly sockets: WebSocketRoute;
  readonly #context: BridgeContext;
  readonly #gate: Gate;
  readonly #router: Router;
  readonly #openPaths: ReadonlySet<string>;
  readonly #upgradePaths: ReadonlySet<string>;
  /** The newest answer of each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();

  constructor(context: BridgeContext) {
    const routes = routesFor(context.settings.mode);
    this.#context = context;
    this.#gate = createGate({ ...context.settings, isOwnHop: context.hop.isOwn });
    this.#router = new Router(routes);
    this.#openPaths = pathsOf(routes, 'health');
    this.#upgradePaths = pathsOf(routes, 'upgrade');
    this.sockets = new WebSocketRoute(context);
    this.listener = new Listener(this.#createServer());
  }

  #createServer(): Server {
    const server = createServer({
      ...keptAlive,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_MS,
      requireHostHeader: false, // the gate asks for it, and says so
      shouldUpgradeCallback: wantsWebSocket,
    });
    return server
      .on('request', (request, res) => void this.#serve(request, res))
      .on('checkExpectation', (request, res) => this.#refuseExpectation(request, res))
      .on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
      .on('clientError', (error, socket) => refuseConnection(error, socket, this.#answers.get(socket)));
  }

  /** Answers one request, whatever happens. */
  async #serve(request: IncomingMessage, res: ServerResponse): Promise<void> {
    const id = newId('req');
    this.#answers.set(request.socket, res);
    res.setHeader('x-request-id', id);
    res.once('finish', () => this.#leaveUnread(request));
    try {
      const refusal = this.#isOpenToAll(request) ? undefined : this.#gate(gateRequestOf(request));
      if (refusal === undefined) await this.#route(id, request, res);
      else sendError(res, refusal);
    } catch (error) {
      sendError(res, internalError(this.#context.log.child({ request: id }), error, 'a route failed'));
    }
  }

  async #route(id: string, request: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    tellPage(request, res);
    if (method === 'OPTIONS') {
      res.writeHead(204).end();
      return;
    }
    const found = this.#router.find(method, url);
    if ('refusal' in found) {
      sendError(res, found.refusal);
      return;
    }
    const { route } = found;
    const body = await this.#bodyFor(route, request);
    if (body === undefined) return; // its client is gone
    if ('refusal' in body) {
      sendError(res, body.refusal);
      return;
    }
    const path = upstreamPath(route, found.id);
    const { protocol } = route;
    await route.handler({ context: this.#context, id, method, url, headers, body, res, path, protocol }, found.id);
  }

  /** What a route is given to read. Whether another answer may begin is asked when all of it is here. */
  async #bodyFor(route: Route, request: IncomingMessage): Promise<Uint8Array | Refused | undefined> {
    if (route.method !== 'POST') return NO_BODY;
    const body = await readBody(request, this.#context.settings.bodyLimit);
    const refusal = route.kind === 'generate' ? this.#busy(this.#context.streams.full) : undefined;
    return body !== undefined && refusal !== undefined && !('refusal' in body) ? { refusal } : body;
  }

  /** Why no answer can begin now. */
  #busy(full: boolean): ApiError | undefined {
    if (full) return tooMany();
    return this.#context.streams.closing ? shuttingDown() : undefined;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { settings, streams } = this.#context;
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '/').split('?', 1)[0] ?? '';
    const refusal =
      this.#gate(gateRequestOf(request)) ??
      (this.#upgradePaths.has(path) ? undefined : notThere()) ??
      this.#busy(streams.full || this.sockets.size >= settings.maxStreams) ??
      (settings.websocket && settings.mode !== 'passthrough' ? undefined : noWebSocket());
    if (refusal === undefined) this.sockets.upgrade(request, socket, head);
    else refuseRaw(socket, refusal);
  }

  #refuseExpectation(request: IncomingMessage, res: ServerResponse): void {
    res.once('finish', () => this.#leaveUnread(request));
    sendError(res, badRequest('Expect: only 100-continue is known', { status: 417 }));
  }

  /** Liveness says nothing that would need protection but the fact itself. */
  #isOpenToAll({ method, url = '', headers }: IncomingMessage): boolean {
    return method === 'GET' && this.#openPaths.has(url) && headers.origin === undefined;
  }

  /** What a client goes on sending behind its answer is of no use: it gets a moment to notice, then its connection ends. */
  #leaveUnread(request: IncomingMessage): void {
    if (request.complete) return;
    const timer = this.#context.settings.clock.after(UNREAD_MS, () => request.socket.destroy());
    request.once('end', () => timer.cancel()).resume();
  }
}

const NO_BODY = new Uint8Array();

function gateRequestOf({ method = 'GET', url = '/', headers, headersDistinct }: IncomingMessage): GateRequest {
  return { method, url, headers, hosts: headersDistinct.host };
}

/** Some clients offer HTTP/2 with every request (`upgrade: h2c`): they are served as if they did not. */
function wantsWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** The page of an allowed origin may read the answer; without these headers its browser would not let it. */
function tellPage({ method, headers }: IncomingMessage, res: ServerResponse): void {
  const { origin } = headers;
  if (origin === undefined) return;
  res.setHeader('access-control-allow-origin', origin);
  res.setHeader('vary', 'origin');
  if (method !== 'OPTIONS') return;
  res.setHeader('access-control-allow-methods', routeMethods.join(', '));
  res.setHeader('access-control-allow-headers', headers['access-control-request-headers'] ?? '*');
  res.setHeader('access-control-max-age', '600');
}

function notThere(): ApiError {
  return badRequest('there is no WebSocket here', { status: 404, code: 'not_found' });
}

/** What makes Codex go on over HTTP at once. */
function noWebSocket(): ApiError {
  return badRequest('WebSockets are switched off: use HTTP', { status: 426, code: 'websocket_disabled' });
}
