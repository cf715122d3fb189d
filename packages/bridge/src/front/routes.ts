import type { ApiRequest, Handler } from '../exchange/handler.ts';
import { refuse } from '../exchange/refuse.ts';
import { compact } from '../exchange/compact.ts';
import { passThrough } from '../exchange/passthrough.ts';
import { countTokens } from '../exchange/count-tokens.ts';
import { getModel, listModels } from '../exchange/models.ts';
import { search } from '../exchange/search.ts';
import { translate } from '../exchange/translate.ts';
import { EXPOSITION_TYPE } from '../observe/exposition.ts';
import type { ListMessage } from '../inspect/api.ts';
import type { BridgeMode } from '../options.ts';
import { badRequest } from '../reply/api-error.ts';
import { sendJson } from '../reply/reply-writer.ts';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocols } from '@turnwire/wire/internal/protocols';
import { handOn } from './hand-on.ts';
import {
  cancelResponse,
  deleteResponse,
  getInputItems,
  getResponse,
  isStep,
  notFound,
  type StoredHandler,
} from './stored-routes.ts';

/** The methods that some route takes. `HEAD` is answered like `GET`, and `OPTIONS` on every path alike. */
export const routeMethods = ['GET', 'POST', 'DELETE'] as const;

/**
 * - `generate`: asks an upstream for an answer; bounded in number.
 * - `search`: searches the web.
 * - `compact`: the same, for a compaction.
 * - `stored`: about a kept response.
 * - `models`: the upstream's list.
 * - `count`: how many tokens a request has.
 * - `upgrade`: the path of the WebSocket.
 * - `health`, `ready`, `metrics`, `exchanges`: about the bridge itself. Health alone is open to all.
 * - `inspect`: the inspector, whose token is another than that of callers.
 */
export type RouteKind =
  | 'generate'
  | 'compact'
  | 'search'
  | 'stored'
  | 'models'
  | 'count'
  | 'upgrade'
  | 'health'
  | 'ready'
  | 'metrics'
  | 'exchanges'
  | 'inspect';

/** One row of the table of what the bridge serves. */
export interface Route {
  readonly method: (typeof routeMethods)[number];
  /** With a leading slash; `:id` stands for one step of any text, `*` at the end for several. */
  readonly path: string;
  readonly kind: RouteKind;
  /** The wire that its clients speak. */
  readonly protocol?: ProtocolId;
  /** @param id - what `:id` or `*` stands for, decoded; empty where the path has none */
  readonly handler: (request: ApiRequest, id: string) => Promise<void>;
}

/** Everything that is served, below `/v1` and without it. Passthrough or translate is decided here, by the bridge's mode (`--mode`) alone and not by request or wire; `final-only` is to translate, with fewer events (`exchange/responses.ts`). */
export function routesFor(mode: BridgeMode): readonly Route[] {
  const api: readonly Route[] = [
    { method: 'GET', path: '/health', kind: 'health', handler: tellHealth },
    { method: 'GET', path: '/ready', kind: 'ready', handler: tellReady },
    { method: 'GET', path: '/models', kind: 'models', handler: modes[mode].models },
    { method: 'GET', path: '/models/*', kind: 'models', handler: modes[mode].model },
    ...Object.values(protocols).flatMap((protocol) => protocolRoutes(protocol, modes[mode].generate)),
    ...Object.values(protocols).flatMap((protocol) => countingRoutes(protocol, modes[mode].count)),
    { method: 'POST', path: '/alpha/search', kind: 'search', handler: modes[mode].search },
    { method: 'POST', path: '/responses/compact', kind: 'compact', handler: modes[mode].compact },
    { method: 'GET', path: '/responses/:id', kind: 'stored', handler: stored(mode, getResponse) },
    { method: 'POST', path: '/responses/:id/cancel', kind: 'stored', handler: stored(mode, cancelResponse) },
    { method: 'DELETE', path: '/responses/:id', kind: 'stored', handler: stored(mode, deleteResponse) },
    { method: 'GET', path: '/responses/:id/input_items', kind: 'stored', handler: stored(mode, getInputItems) },
  ];
  return [
    ...api,
    ...api.map((route) => ({ ...route, path: `/v1${route.path}` })),
    // Claude Code looks with `HEAD /` whether somebody is there.
    { method: 'GET', path: '/', kind: 'health', handler: tellHealth },
    { method: 'GET', path: '/metrics', kind: 'metrics', handler: tellMetrics },
    { method: 'GET', path: '/exchanges', kind: 'exchanges', handler: tellExchanges },
    { method: 'GET', path: '/inspect', kind: 'inspect', handler: inspect },
    { method: 'GET', path: '/inspect/', kind: 'inspect', handler: inspect },
    { method: 'GET', path: '/inspect/*', kind: 'inspect', handler: inspect },
  ];
}

/** Kinds of routes that ask an upstream for an answer: bounded in number. */
export const answering: ReadonlySet<RouteKind> = new Set(['generate', 'compact']);

/** The paths of one kind of routes. */
export function pathsOf(routes: readonly Route[], kind: RouteKind): ReadonlySet<string> {
  return new Set(routes.filter((route) => route.kind === kind).map(({ path }) => path));
}

/** What its exchanges are counted under. */
export function nameOf({ kind, protocol }: Route): string {
  return kind === 'count' ? kind : (protocol ?? kind);
}

/** Where an upstream has the same, below its base URL. */
export function upstreamPath({ path }: Route, id: string): string {
  return path.replace(/^\/(?:v1\/)?/, '').replace(/:id|\*$/, () => encodeURIComponent(id));
}

/** What a mode decides. */
interface ModeRow {
  /** Answers a request for an answer. */
  readonly generate: Handler;
  /** Answers a request for a search of the web. */
  readonly search: Handler;
  /** Answers a request for a compaction of a conversation. */
  readonly compact: Handler;
  /** Answers a request for the list of models. */
  readonly models: Route['handler'];
  /** Answers a request for one of them. */
  readonly model: Route['handler'];
  /** Answers a request that asks how many tokens another one has. */
  readonly count: Handler;
  /** Answers a request about a kept response, for which `handler` asks the store of the bridge. */
  readonly stored: (handler: StoredHandler) => StoredHandler;
  /** WebSockets are served. */
  readonly upgrades: boolean;
}

const translating: ModeRow = {
  generate: translate,
  search,
  compact,
  models: listModels,
  model: getModel,
  count: countTokens,
  stored: (handler) => handler,
  upgrades: true,
};

const modes: Readonly<Record<BridgeMode, ModeRow>> = {
  translate: translating,
  'final-only': translating,
  // Kept responses are the upstream's.
  passthrough: {
    generate: passThrough,
    search: (request) => (request.context.settings.search === undefined ? passThrough : search)(request),
    compact: passThrough,
    models: alone(passThrough, listModels),
    model: alone(passThrough, getModel),
    count: passThrough,
    stored: () => passThrough,
    upgrades: false,
  },
};

/** What one upstream lists is passed on, what several list is put together. */
function alone(one: Handler, several: Route['handler']): Route['handler'] {
  return (request, id) => (request.context.pool.servers > 1 || isStep(id) ? several(request, id) : one(request));
}

/** Whether WebSockets are served in a mode. */
export function upgradesIn(mode: BridgeMode): boolean {
  return modes[mode].upgrades;
}

function protocolRoutes(
  { id, path, overWebSocket }: (typeof protocols)[ProtocolId],
  handler: Handler,
): readonly Route[] {
  const generate: Route = { method: 'POST', path: `/${path}`, kind: 'generate', protocol: id, handler };
  if (!overWebSocket) return [generate];
  return [generate, { method: 'GET', path: `/${path}`, kind: 'upgrade', protocol: id, handler: askForUpgrade }];
}

function countingRoutes({ id, countPath }: (typeof protocols)[ProtocolId], handler: Handler): readonly Route[] {
  if (countPath === undefined) return [];
  return [{ method: 'POST', path: `/${countPath}`, kind: 'count', protocol: id, handler }];
}

/** A step of a path is the id of no response, and would lead an upstream elsewhere. */
function stored(mode: BridgeMode, local: StoredHandler): StoredHandler {
  const handler = modes[mode].stored(local);
  return async (request, id) => {
    const path = request.context.peers?.pathOf(id);
    if (isStep(id)) notFound(request, id);
    else if (path === undefined) await handler(request, id);
    else await handOn(request, path);
  };
}

const tellHealth: Handler = ({ res }) => {
  sendJson(res, 200, '{"ok":true}');
  return Promise.resolve();
};

/** 503 while no model server can be asked, or the bridge takes no more. It names the servers: whoever may use them may know. */
const tellReady: Handler = async ({ res, context }) => {
  const upstreams = await context.pool.reach();
  const ready = !context.streams.closing && upstreams.some(({ state }) => state === 'up');
  sendJson(res, ready ? 200 : 503, JSON.stringify({ ready, upstreams }));
};

const tellMetrics: Handler = async ({ res, context }) => {
  const text = (await context.peers?.metrics()) ?? context.metrics.registry.text();
  res.writeHead(200, { 'content-type': EXPOSITION_TYPE, 'content-length': Buffer.byteLength(text) }).end(text);
};

/** What runs and the last of what ran; a caller with a name is told of their own requests alone. */
const tellExchanges: Handler = async ({ res, context }) => {
  const { exchanges, caller, peers } = context;
  const rows = (await peers?.rows(caller?.name)) ?? exchanges.rows(caller?.name);
  const told: ListMessage = { now: exchanges.now(), rows, removed: [] };
  sendJson(res, 200, JSON.stringify(told));
};

const inspect: Handler = async (request) => {
  const { context, url, headers, res } = request;
  if (context.inspector !== undefined) await context.inspector.serve({ url, headers, res });
  else refuse(request, badRequest('the inspector is off: start the bridge with --inspect', { status: 404 }));
};

/** A plain GET on the path of the WebSocket is a client whose upgrade got lost on the way. */
const askForUpgrade: Handler = (request) => {
  const headers = { upgrade: 'websocket' };
  refuse(request, badRequest('use POST, or a WebSocket upgrade', { status: 426, headers }));
  return Promise.resolve();
};
