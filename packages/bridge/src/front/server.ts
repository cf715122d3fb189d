import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import { clientWireOf, protocols } from '@turnwire/wire/internal/protocols';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { BridgeContext } from '../exchange/context.ts';
import { refuse } from '../exchange/refuse.ts';
import type { Exchange } from '../observe/exchange.ts';
import { pathOf } from '../observe/secrets.ts';
import { badRequest, shuttingDown, tooMany, type ApiError, type ErrorForm } from '../reply/api-error.ts';
import { internalError } from '../reply/internal-error.ts';
import { newId } from '../request/prepare.ts';
import type { Refused } from '../request/request-body.ts';
import { connectionRefusal, MAX_HEADER_BYTES } from './client-error.ts';
import { Callers, type Known } from './callers.ts';
import { createAccessGuard, forbidden, type AccessGuard, type AccessRequest } from './access-guard.ts';
import { keptAlive, Listener } from './listener.ts';
import { readBody } from './read-body.ts';
import { refuseRaw } from './refuse-raw.ts';
import { Router, type Found } from './router.ts';
import { answering, nameOf, pathsOf, routeMethods, routesFor, upgradesIn, upstreamPath, type Route } from './routes.ts';
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
export class HttpServer {
  readonly listener: Listener;
  readonly sockets: WebSocketRoute;
  readonly #context: BridgeContext;
  readonly #gate: AccessGuard;
  /** Of the inspector, which has a token of its own, and takes it in the address once. */
  readonly #inspectGate: AccessGuard;
  readonly #callers: Callers;
  readonly #router: Router;
  readonly #openPaths: ReadonlySet<string>;
  readonly #upgradePaths: ReadonlySet<string>;
  /** The newest answer of each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();

  constructor(context: BridgeContext) {
    const routes = routesFor(context.settings.mode);
    this.#context = context;
    this.#callers = new Callers(context);
    this.#gate = createAccessGuard({
      ...context.settings,
      isOwnHop: context.hop.isOwn,
      isKnown: (headers) => this.#callers.find(headers) !== undefined,
    });
    const isOwnHop = context.hop.isOwn;
    this.#inspectGate = createAccessGuard({ ...context.settings, isOwnHop, servesPage: true });
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
      .on('clientError', (error, socket) => this.#refuseConnection(error, socket));
  }

  /** Answers one request, whatever happens. */
  async #serve(request: IncomingMessage, res: ServerResponse): Promise<void> {
    const id = newId('req');
    this.#answers.set(request.socket, res);
    const found = this.#router.find(request.method ?? 'GET', request.url ?? '/');
    const client = protocols[clientWireOf('route' in found ? found.route.protocol : undefined, request.headers)];
    res.setHeader('x-request-id', id).setHeader(client.requestIdHeader, id);
    res.once('finish', () => this.#leaveUnread(request));
    const exchange = this.#begin(id, 'route' in found ? nameOf(found.route) : 'other', request);
    try {
      const gate = isInspected(found) && this.#context.inspector !== undefined ? this.#inspectGate : this.#gate;
      const refusal = this.#isOpenToAll(request) ? undefined : gate(gateRequestOf(request));
      if (refusal === undefined)
        await this.#route(found, exchange, request, res, client, this.#knownBy(request, exchange));
      else refuse({ exchange, res, errors: client }, refusal);
    } catch (error) {
      const internal = internalError(this.#context.log.child({ request: id }), error, 'a route failed');
      refuse({ exchange, res, errors: client }, internal);
    }
  }

  async #route(
    found: Found,
    exchange: Exchange,
    request: IncomingMessage,
    res: ServerResponse,
    errors: ErrorForm,
    known: Known,
  ): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    tellPage(request, res);
    if (method === 'OPTIONS') {
      res.writeHead(204).end();
      return;
    }
    if ('refusal' in found) {
      refuse({ exchange, res, errors }, found.refusal);
      return;
    }
    const { route } = found;
    if (route.kind === 'metrics' && this.#isHidden(known)) {
      refuse(
        { exchange, res, errors },
        forbidden('the metrics are for the token of --auth-token-env, not for that of a caller'),
      );
      return;
    }
    const body = await this.#bodyFor(route, request, known);
    if (body === undefined) {
      exchange.onEnd({ how: 'failed', error: new ModelError({ kind: 'aborted', message: 'the client is gone' }) });
      return;
    }
    if ('refusal' in body) {
      refuse({ exchange, res, errors }, body.refusal);
      return;
    }
    const path = upstreamPath(route, found.id);
    const { protocol } = route;
    const left = protocol === undefined ? {} : (known.caller?.headers(protocol) ?? {});
    for (const [name, value] of Object.entries(left)) res.setHeader(name, value);
    const { id } = exchange;
    const all = { context: known.context, id, exchange, method, url, headers, body, res, errors, path, protocol };
    await route.handler(all, found.id);
  }

  /** Everything that arrives is watched from here on; what asks about the bridge itself is never said to end. */
  #begin(id: string, route: string, { method = '', url = '', headers }: IncomingMessage): Exchange {
    return this.#context.begin({ id, route, method, url, headers });
  }

  /** What a route is given to read. Whether another answer may begin is asked when all of it is here. */
  async #bodyFor(
    route: Route,
    request: IncomingMessage,
    { context, caller }: Known,
  ): Promise<Uint8Array | Refused | undefined> {
    if (route.method !== 'POST') return NO_BODY;
    const body = await readBody(request, this.#context.settings.bodyLimit);
    if (body === undefined || 'refusal' in body || !answering.has(route.kind)) return body;
    const refusal = this.#busy(context.streams.full) ?? caller?.admit(route.protocol ?? 'responses');
    return refusal === undefined ? body : { refusal };
  }

  /** Why no answer can begin now. */
  #busy(full: boolean): ApiError | undefined {
    if (full) return tooMany();
    return this.#context.streams.closing ? shuttingDown() : undefined;
  }

  /** What all callers do is told to whoever runs the bridge, where that can be told. */
  #isHidden({ caller }: Known): boolean {
    return caller !== undefined && this.#context.settings.authToken !== undefined;
  }

  /** Who asks, as the gate found out; what is open to all is anybody's. */
  #knownBy({ headers }: IncomingMessage, exchange: Exchange): Known {
    const known = this.#callers.find(headers) ?? this.#callers.anybody;
    if (known.caller !== undefined) exchange.identify(known.caller);
    return known;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { settings, streams } = this.#context;
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '/').split('?', 1)[0] ?? '';
    const refusal =
      this.#gate(gateRequestOf(request)) ??
      (this.#upgradePaths.has(path) ? undefined : notThere(path)) ??
      this.#busy(streams.full || this.sockets.size >= settings.maxStreams) ??
      (settings.websocket && upgradesIn(settings.mode) ? undefined : noWebSocket());
    const refuseSocket = (error: ApiError): void =>
      refuseUnheard(this.#begin(newId('req'), 'responses_ws', request), socket, error);
    const known = refusal === undefined ? this.#callers.find(request.headers) : undefined;
    if (known !== undefined) this.sockets.upgrade(request, { socket, head, context: known.context }, refuseSocket);
    else if (refusal !== undefined) refuseSocket(refusal);
  }

  #refuseConnection(error: Error, socket: Duplex): void {
    const refusal = connectionRefusal(error, socket, this.#answers.get(socket));
    if (refusal === undefined) {
      socket.destroy();
      return;
    }
    const unread = { id: newId('req'), route: 'other', method: '', url: '', headers: {} };
    refuseUnheard(this.#context.begin(unread), socket, refusal);
  }

  #refuseExpectation(request: IncomingMessage, res: ServerResponse): void {
    res.once('finish', () => this.#leaveUnread(request));
    const exchange = this.#begin(newId('req'), 'other', request);
    const errors = protocols[clientWireOf(undefined, request.headers)];
    refuse({ exchange, res, errors }, badRequest('Expect: only 100-continue is known', { status: 417 }));
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

function isInspected(found: Found): boolean {
  return 'route' in found && found.route.kind === 'inspect';
}

/** Refuses somebody whose connection is no HTTP connection, or not any more. */
function refuseUnheard(exchange: Exchange, socket: Duplex, error: ApiError): void {
  exchange.onEnd({ how: 'refused', refusal: error });
  refuseRaw(socket, error);
}

function gateRequestOf({ method = 'GET', url = '/', headers, rawHeaders }: IncomingMessage): AccessRequest {
  return { method, url, headers, hosts: rawHeaders.filter((_, at) => at % 2 === 1 && isHost(rawHeaders[at - 1])) };
}

function isHost(name = ''): boolean {
  return name.length === 'host'.length && name.toLowerCase() === 'host';
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

function notThere(path: string): ApiError {
  const message = `there is no WebSocket at ${pathOf(path)}: it is at /v1/responses`;
  return badRequest(message, { status: 404, code: 'not_found' });
}

/** What makes Codex go on over HTTP at once. */
function noWebSocket(): ApiError {
  return badRequest('WebSockets are switched off (--no-websocket, or --mode passthrough): use HTTP', {
    status: 426,
    code: 'websocket_disabled',
  });
}
