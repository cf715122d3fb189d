import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import { badRequest, shuttingDown, tooMany, type ApiError } from '../reply/api-error.ts';
import type { BridgeContext } from '../exchange/context.ts';
import type { Handler } from '../exchange/handler.ts';
import { createGate, type Gate, type GateRequest } from './gate.ts';
import { internalError } from '../reply/internal-error.ts';
import { EXPOSITION_TYPE } from '../observe/exposition.ts';
import { passThrough } from '../exchange/passthrough.ts';
import { translate } from '../exchange/translate.ts';
import type { BridgeMode } from '../options.ts';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocols } from '@turnwire/wire/internal/protocols';
import { newId } from '../request/prepare.ts';
import { refuseRaw } from './refuse-raw.ts';
import { tooLarge } from '../request/request-body.ts';
import { sendError } from '../reply/sink.ts';
import { deleteResponse, getInputItems, getResponse } from './stored-routes.ts';
import { WebSocketRoute } from './websocket.ts';

/** Headers of a request, in bytes: Codex' own are some kilobytes. */
const MAX_HEADER_BYTES = 64 * 1024;
/** A client that does not get its headers, or its request, across in this time is cut off. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
/** A client that is answered before it sent all of its request may go on for this long. */
const UNREAD_MS = 2000;
/** A connection silent for so long is asked by TCP whether its client is still there. */
const PROBE_AFTER_MS = 60_000;

/** Ids of responses that gateways make can be long. */
const MAX_ID_LENGTH = 4096;

const RESPONSES_PATHS = new Set(['/v1/responses', '/responses']);

/** The HTTP server of a bridge, not listening yet. */
export interface HttpFront {
  readonly app: FastifyInstance;
  readonly sockets: WebSocketRoute;
}

/** All routes on one fastify instance, behind the gate. */
export function createFront(context: BridgeContext): HttpFront {
  const { settings } = context;
  const gate = createGate({ ...settings, isOwnHop: context.hop.isOwn });
  /** The newest answer of each connection. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  const app = fastify({
    bodyLimit: settings.bodyLimit,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    genReqId: () => newId('req'),
    routerOptions: { maxParamLength: MAX_ID_LENGTH },
    frameworkErrors: (error, _request, reply) => {
      void sendApiError(reply, badRequest('this path cannot be read', { status: error.statusCode ?? 400 }));
    },
    clientErrorHandler: (error, socket) => onClientError(error, socket, answers.get(socket)),
    serverFactory: (handler) =>
      createServer(
        {
          maxHeaderSize: MAX_HEADER_BYTES,
          headersTimeout: HEADERS_MS,
          requestTimeout: REQUEST_MS,
          keepAliveTimeout: KEEP_ALIVE_MS,
          keepAlive: true,
          keepAliveInitialDelay: PROBE_AFTER_MS,
          connectionsCheckingInterval: 5000,
          requireHostHeader: false, // the gate asks for it, and says so
          shouldUpgradeCallback: wantsWebSocket,
        },
        handler,
      ),
  });
  const sockets = new WebSocketRoute(context);
  readBodiesAsBytes(app);
  answerErrorsInShape(app, context);
  app.addHook('onRequest', (request, reply, done) => {
    answers.set(request.raw.socket, reply.raw);
    reply.raw.setHeader('x-request-id', request.id);
    reply.raw.once('finish', () => leaveUnread(context, request.raw));
    const refusal = isOpenToAll(request) ? undefined : gate(gateRequestOf(request.raw));
    if (refusal !== undefined) {
      void sendApiError(reply, refusal);
      return;
    }
    tellPage(request, reply);
    done();
  });
  addRoutes(app, context);
  app.server.on('checkExpectation', (request: IncomingMessage, res: ServerResponse) => {
    res.once('finish', () => leaveUnread(context, request));
    sendError(res, badRequest('Expect: only 100-continue is known', { status: 417 }));
  });
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    onUpgrade(context, gate, sockets, request, socket, head);
  });
  return { app, sockets };
}

function gateRequestOf({ method = 'GET', url = '/', headers, headersDistinct }: IncomingMessage): GateRequest {
  return { method, url, headers, hosts: headersDistinct.host };
}

/** What a client goes on sending behind its answer is of no use: it gets a moment to notice, then its connection ends. */
function leaveUnread({ settings }: BridgeContext, request: IncomingMessage): void {
  if (request.complete) return;
  const timer = settings.clock.after(UNREAD_MS, () => request.socket.destroy());
  request.once('end', () => timer.cancel()).resume();
}

/** Some clients offer HTTP/2 with every request (`upgrade: h2c`): they are served as if they did not. */
function wantsWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Routes here have no schemas: the compilers for them, 8 MiB of code, are not loaded. */
function noSchemas(): never {
  throw new Error('the routes of the bridge have no schemas');
}

/** The page of an allowed origin may read the answer; without these headers its browser would not let it. */
function tellPage(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  reply.raw.setHeader('access-control-allow-origin', origin);
  reply.raw.setHeader('vary', 'origin');
  if (request.method !== 'OPTIONS') return;
  reply.raw.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  reply.raw.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
  reply.raw.setHeader('access-control-max-age', '600');
}

/** Liveness says nothing that would need protection but the fact itself. */
function isOpenToAll(request: FastifyRequest): boolean {
  return request.method === 'GET' && /^\/(?:v1\/)?health$/.test(request.url) && request.headers.origin === undefined;
}

function readBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function answerErrorsInShape(app: FastifyInstance, context: BridgeContext): void {
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.split('?', 1)[0] ?? ''} here`;
    return sendApiError(reply, badRequest(message, { status: 404, code: 'not_found' }));
  });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendApiError(reply, tooLarge(context.settings.bodyLimit));
    if (status < 500) return sendApiError(reply, badRequest(error.message, { status }));
    return tellFailure(context, request, reply, error);
  });
}

function tellFailure(
  context: BridgeContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<void> {
  const log = context.log.child({ request: request.id });
  return sendApiError(reply, internalError(log, error, 'a route failed'));
}

/** Work that writes its answer itself: fastify would leave its client waiting if it failed. */
async function answered(
  context: BridgeContext,
  request: FastifyRequest,
  reply: FastifyReply,
  work: Promise<void>,
): Promise<void> {
  reply.hijack();
  await work.catch((error: unknown) => tellFailure(context, request, reply, error));
}

function addRoutes(app: FastifyInstance, context: BridgeContext): void {
  const { streams, metrics } = context;
  const generate = generators[context.settings.mode];
  for (const prefix of ['', '/v1']) {
    app.get(`${prefix}/health`, (_request, reply) => reply.send({ ok: true }));
    app.get(`${prefix}/models`, (request, reply) => handled(context, request, reply, passThrough, 'models'));
    for (const { id, path } of Object.values(protocols)) {
      app.post(`${prefix}/${path}`, (request, reply) => generating(context, request, reply, generate, path, id));
    }
    addStoredRoutes(app, context, prefix);
  }
  // A plain GET on the path of the WebSocket is a client whose upgrade got lost on the way.
  for (const path of RESPONSES_PATHS) {
    app.get(path, (_request, reply) =>
      sendApiError(
        reply,
        badRequest('use POST, or a WebSocket upgrade', { status: 426, headers: { upgrade: 'websocket' } }),
      ),
    );
  }
  app.options('*', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(204).end();
  });
  app.get('/metrics', (_request, reply) => reply.type(EXPOSITION_TYPE).send(metrics.registry.text()));
  app.addHook('onClose', () => {
    streams.closing = true;
  });
}

/** What answers a request for an answer, by mode. */
const generators: Readonly<Record<BridgeMode, Handler>> = {
  translate,
  'final-only': translate,
  passthrough: passThrough,
};

/** Kept responses; in passthrough mode they are the upstream's. */
function addStoredRoutes(app: FastifyInstance, context: BridgeContext, prefix: string): void {
  interface ById {
    Params: { id: string };
  }
  // A step of a path is the id of no response, and would lead an upstream elsewhere.
  const passes = (id: string): boolean => context.settings.mode === 'passthrough' && id !== '.' && id !== '..';
  const at = (id: string): string => `responses/${encodeURIComponent(id)}`;
  app.get<ById>(`${prefix}/responses/:id`, (request, reply) => {
    const { id } = request.params;
    return passes(id)
      ? handled(context, request, reply, passThrough, at(id))
      : answered(context, request, reply, getResponse(context, id, reply));
  });
  app.delete<ById>(`${prefix}/responses/:id`, (request, reply) => {
    const { id } = request.params;
    return passes(id)
      ? handled(context, request, reply, passThrough, at(id))
      : answered(context, request, reply, deleteResponse(context, id, reply));
  });
  app.get<ById>(`${prefix}/responses/:id/input_items`, (request, reply) => {
    const { id } = request.params;
    if (passes(id)) return handled(context, request, reply, passThrough, `${at(id)}/input_items`);
    return answered(context, request, reply, getInputItems(context, id, request.query, reply));
  });
}

/** A route that generates: bounded in number. */
async function generating(
  context: BridgeContext,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: Handler,
  path: string,
  protocol: ProtocolId,
): Promise<void> {
  if (context.streams.full) return sendApiError(reply, tooMany());
  if (context.streams.closing) return sendApiError(reply, shuttingDown());
  await handled(context, request, reply, handler, path, protocol);
}

/** Leaves the raw response to a handler. */
async function handled(
  context: BridgeContext,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: Handler,
  path: string,
  protocol?: ProtocolId,
): Promise<void> {
  const { id, method, url, headers } = request;
  const work = handler({ context, id, method, url, headers, body: bodyOf(request), res: reply.raw, path, protocol });
  await answered(context, request, reply, work);
}

function bodyOf(request: FastifyRequest): Uint8Array {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** Answers in the API's own error shape. */
export async function sendApiError(reply: FastifyReply, error: ApiError): Promise<void> {
  reply.hijack();
  sendError(reply.raw, error);
  return Promise.resolve();
}

function onUpgrade(
  context: BridgeContext,
  gate: Gate,
  sockets: WebSocketRoute,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  socket.on('error', () => socket.destroy());
  const url = request.url ?? '/';
  const refusal =
    gate(gateRequestOf(request)) ??
    (RESPONSES_PATHS.has(url.split('?', 1)[0] ?? '') ? undefined : notThere()) ??
    (context.streams.full || sockets.size >= context.settings.maxStreams ? tooMany() : undefined) ??
    (context.streams.closing ? shuttingDown() : undefined) ??
    (servesSockets(context) ? undefined : noWebSocket());
  if (refusal === undefined) sockets.upgrade(request, socket, head);
  else refuseRaw(socket, refusal);
}

function servesSockets({ settings }: BridgeContext): boolean {
  return settings.websocket && settings.mode !== 'passthrough';
}

function notThere(): ApiError {
  return badRequest('there is no WebSocket here', { status: 404, code: 'not_found' });
}

/** What makes Codex go on over HTTP at once. */
function noWebSocket(): ApiError {
  return badRequest('WebSockets are switched off: use HTTP', { status: 426, code: 'websocket_disabled' });
}

/** What is no HTTP, or too slow to become some, ends its own connection alone. */
function onClientError(error: Error & { code?: string }, socket: Duplex, answer: ServerResponse | undefined): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isUnderWay(answer)) {
    socket.destroy();
    return;
  }
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      refuseRaw(socket, badRequest(`the headers are over ${MAX_HEADER_BYTES} bytes`, { status: 431 }));
      return;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      refuseRaw(socket, badRequest('the request took too long to arrive', { status: 408 }));
      return;
    default:
      refuseRaw(socket, badRequest('this is no HTTP request'));
  }
}

/** Another answer in the middle of this one would be read as a part of it; one without a socket waits for an earlier one. */
function isUnderWay(answer: ServerResponse | undefined): boolean {
  if (answer === undefined || answer.writableFinished) return false;
  return answer.headersSent || answer.socket === null;
}
