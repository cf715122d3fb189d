import type { Socket } from 'node:net';
import { pino, type Logger } from 'pino';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { unixMs } from '@turnwire/client/internal/platform/wall-time';
import { Inspector } from './inspect/inspector.ts';
import { ExchangeRing } from './inspect/ring.ts';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
// Before the first request: its connections would be read when it comes.
import '@turnwire/client/internal/transport/dispatcher';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import type { BridgeContext } from './exchange/context.ts';
import { isLoopback, reachableUrl } from '@turnwire/client/internal/platform/local-only';
import { nextTurn, unlessAborted } from '@turnwire/client/internal/platform/wait';
import { createExchanges } from './observe/exchange.ts';
import { createLogObserver } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { SaidOnce } from './observe/said-once.ts';
import {
  BridgeOptionsError,
  settingsOf,
  type BridgeModel,
  type BridgeOptions,
  type ModelFacts,
  type Settings,
} from './options.ts';
import { urlOf } from './front/listener.ts';
import { HttpServer } from './front/server.ts';
import { isOfServer, LIVE_BYTES, LiveResponses, openStore, type ResponseStore } from './store/index.ts';
import { OpenStreams } from './upstream/streams.ts';
import { createTracer, type Tracer } from './observe/trace.ts';
import { createTurnStateSigner } from './upstream/sealed-turn.ts';
import { createHop } from './upstream/hop.ts';
import { refuseOwnAddress } from './upstream/own-address.ts';
import { UpstreamPool } from './upstream/pool.ts';
import type { UpstreamReach } from './upstream/reach.ts';
import { Channel, type Port, type Told } from './workers/channel.ts';
import type { Answers, BridgeIdentity } from './workers/message.ts';
import { Peers } from './workers/peers.ts';

/** A Responses and Chat Completions server in front of other model servers. */
export interface Bridge extends AsyncDisposable {
  /** Starts to listen. Rejects with Node's error for a port in use, or when the store cannot be opened. */
  listen(): Promise<void>;
  /** Stops to accept, lets streams finish up to the drain timeout, then ends. */
  close(): Promise<void>;
  /** Asks each model server within 3 s whether it is there, as `GET /ready` does. Never rejects; empty before `listen`. */
  reach(): Promise<readonly UpstreamReach[]>;
  /**
   * The models of all servers, each once, with what is known of them. It asks no server that told in the last second. Empty
   * before `listen`, when no server tells, and once `signal` fires. Never rejects.
   */
  models(signal: AbortSignal): Promise<readonly BridgeModel[]>;
  /** e.g. `http://127.0.0.1:18080`; empty before `listen`. */
  readonly url: string;
  readonly port: number;
  /** The link to the inspector, which holds its token; undefined where it is not served, and before `listen`. */
  readonly inspectUrl: string | undefined;
}

/**
 * A bridge that serves clients of every wire from the upstreams, once it listens.
 *
 * @throws BridgeOptionsError for options that cannot be served
 *
 * @example
 * ```ts
 * const bridge = createBridge({ upstreams: ['http://127.0.0.1:8080'], wire: 'chat', port: 0 });
 * await bridge.listen();
 * console.log(`${bridge.url}/v1`);
 * await bridge.close();
 * ```
 */
export function createBridge(options: BridgeOptions): Bridge {
  return new RunningBridge(checkedSettings(options));
}

/** @throws BridgeOptionsError for options that cannot be served */
function checkedSettings(options: BridgeOptions): Settings {
  const settings = settingsOf(options);
  refuseOpenDoors(settings);
  return settings;
}

/** What makes a bridge one worker of several. */
interface WorkerPlace {
  readonly identity: BridgeIdentity;
  /** Where it answers the others. */
  readonly path: string;
  readonly peers: Peers;
}

/**
 * Runs one worker of a bridge, which gets its clients and all that it has in common with others through `port`. Settles when it was
 * told to close, or `stop` has settled, or the primary process is gone, and its streams have finished, as they do when a bridge closes.
 *
 * @throws BridgeOptionsError for options that cannot be served
 */
export async function runWorker(options: BridgeOptions, port: Port, stop: Promise<unknown>): Promise<void> {
  const settings = checkedSettings(options);
  const begun = Promise.withResolvers<Extract<Told, { kind: 'begin' }>>();
  const close = Promise.withResolvers<unknown>();
  const cut = Promise.withResolvers<unknown>();
  const running: { bridge?: RunningBridge } = {};
  const channel = new Channel(port, settings.clock, answersOf(running), (told, socket) => {
    if (told.kind === 'begin') begun.resolve(told);
    else if (told.kind === 'close') close.resolve(undefined);
    else if (told.kind === 'news' || told.kind === 'gone') peers.hear(told);
    else if (told.kind === 'connection') {
      channel.tell({ kind: 'taken', client: told.client });
      if (socket !== undefined) running.bridge?.take(socket);
    }
  });
  const peers = new Peers(channel, settings.clock);
  let closing = false;
  port.onGone(() => {
    channel.close();
    // Whoever ends the primary process while streams finish does not want to wait for them.
    (closing ? cut : close).resolve(undefined);
  });
  const { identity, path } = await begun.promise;
  const bridge = new RunningBridge({ ...settings, turnStateKey: identity.turnStateKey }, { identity, path, peers });
  running.bridge = bridge;
  await bridge.listen();
  channel.tell({ kind: 'ready' });
  await Promise.race([close.promise, stop]);
  closing = true;
  channel.tell({ kind: 'closing' });
  await Promise.race([bridge.close(), cut.promise]);
}

/** What the primary process asks a worker, once that serves. */
function answersOf(running: { readonly bridge?: RunningBridge }): Answers {
  return {
    metrics: () => Promise.resolve(running.bridge?.context?.metrics.registry.families() ?? []),
    rows: (caller) => Promise.resolve(running.bridge?.context?.exchanges.rows(caller ?? undefined) ?? []),
    reach: () => running.bridge?.reach() ?? Promise.resolve([]),
    models: (ms) => running.bridge?.models(AbortSignal.timeout(ms)) ?? Promise.resolve([]),
  };
}

class RunningBridge implements Bridge {
  readonly #settings: Settings;
  /** Absent: it is a bridge by itself. */
  readonly #place: WorkerPlace | undefined;
  #context: BridgeContext | undefined;
  #front: HttpServer | undefined;
  #url = '';
  #port = 0;
  #closed: Promise<void> | undefined;

  constructor(settings: Settings, place?: WorkerPlace) {
    this.#settings = settings;
    this.#place = place;
  }

  /** Undefined before {@link listen}. */
  get context(): BridgeContext | undefined {
    return this.#context;
  }

  get url(): string {
    return this.#url;
  }

  get port(): number {
    return this.#port;
  }

  get inspectUrl(): string | undefined {
    const link = this.#context?.inspector?.link;
    return link === undefined || this.#url === '' ? undefined : reachableUrl(this.#url) + link;
  }

  async listen(): Promise<void> {
    const context = await createContext(this.#settings, this.#place);
    const front = new HttpServer(context);
    this.#context = context;
    this.#front = front;
    const { host, port } = this.#settings;
    try {
      await this.#warmUp();
      if (this.#place === undefined) await front.listener.listen(host, port);
      else await front.listener.listenAt(this.#place.path);
      this.#port = this.#place?.identity.port ?? front.listener.port;
      refuseOwnAddress(this.#settings, this.#port);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#url = urlOf(host, this.#port);
  }

  /** It does without where that fails: then the first clients wait. */
  async #warmUp(): Promise<void> {
    const { warmUpMs, logger } = this.#settings;
    if (warmUpMs === 0) return;
    const { warmUp } = await import('./warm-up.ts');
    try {
      await warmUp(this.#settings, createBridge);
    } catch (error) {
      logger?.warn({ error: thrownText(error) }, 'the code could not be warmed up: the first answers come later');
    }
  }

  /** Serves a connection that another process has accepted. */
  take(socket: Socket): void {
    this.#front?.listener.take(socket);
  }

  reach(): Promise<readonly UpstreamReach[]> {
    return this.#context?.pool.reach() ?? Promise.resolve([]);
  }

  async models(signal: AbortSignal): Promise<readonly BridgeModel[]> {
    const catalogue = this.#context?.pool.catalogue;
    if (catalogue === undefined) return [];
    try {
      const names = (await catalogue.list(signal)).map(({ id }) => id);
      const facts = (await unlessAborted(catalogue.facts(names), signal)) ?? new Map<string, ModelFacts>();
      return names.map((id) => ({ id, ...facts.get(id) }));
    } catch {
      return []; // no server tells: `reach` says why
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const context = this.#context;
    const front = this.#front;
    if (context === undefined || front === undefined) return;
    context.streams.close();
    front.listener.stop();
    front.sockets.close();
    tellDrain(context, this.#settings.drainTimeoutMs);
    await context.streams.drain(this.#settings.drainTimeoutMs);
    context.pool.close();
    await settleWithin(front);
    await context.transport.close();
    await context.store.close();
    context.closeLog();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Says why the process does not end yet. */
function tellDrain({ streams, log }: BridgeContext, ms: number): void {
  if (streams.size === 0 || ms === 0) return;
  const open = streams.size === 1 ? '1 stream is open and may' : `${streams.size} streams are open and may`;
  const text = `shutting down: ${open} finish for up to ${ms / 1000} s; a second signal ends at once`;
  log.info({ streams: streams.size, drain_ms: ms }, text);
}

/** What was told to stop has a moment to say so to its client; then connections are cut. */
async function settleWithin({ listener, sockets }: HttpServer): Promise<void> {
  await nextTurn();
  sockets.terminate();
  await listener.close();
}

async function createContext(settings: Settings, place: WorkerPlace | undefined): Promise<BridgeContext> {
  const peers = place?.peers;
  const log = settings.logger ?? pino({ level: 'silent' });
  const transport = createHttpTransport({
    clock: settings.clock,
    ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
  });
  const streams = new OpenStreams(settings.clock, settings.heartbeatMs, settings.maxStreams);
  peers?.shareStreams(undefined, streams);
  const hop = createHop(place?.identity.hop);
  const pool: UpstreamPool = new UpstreamPool(
    settings,
    transport,
    hop,
    peers?.shareRests((rest) => pool.adopt(rest)),
  );
  const logged = createLogObserver(log, settings.clock);
  const metrics = createMetrics(
    () => streams.size,
    () => pool.status(),
  );
  const exchanges = createRing(settings);
  const tracer = tracerOf(settings, log);
  return {
    settings,
    transport,
    hop,
    pool,
    streams,
    log,
    ...(peers === undefined ? {} : { peers }),
    store: peers === undefined || isOfServer(settings.store) ? await storeOf(settings, log) : peers.store,
    live: new LiveResponses(settings.clock, LIVE_BYTES, peers?.responses),
    seal: createTurnStateSigner(settings.turnStateKey),
    metrics,
    saidOnce: new SaidOnce(),
    closeLog: () => {
      logged.close();
      tracer?.close();
    },
    exchanges,
    inspector: inspectorOf(settings, exchanges),
    begin: createExchanges(settings.clock, [
      logged.observe,
      metrics.observe,
      exchanges.observe,
      ...(tracer === undefined ? [] : [tracer.observe]),
    ]),
  };
}

function storeOf({ store, storeLimits }: Settings, log: Logger): Promise<ResponseStore> {
  return openStore(store, storeLimits, (error) => log.error({ error: error.message }, 'the store'));
}

/** What `turnwire top` shows is always there: rows of what runs, and of a few that are over. */
const KEPT_ROWS = 50;
const MIB = 1024 * 1024;

function createRing({ clock, inspect }: Settings): ExchangeRing {
  if (inspect === undefined) return new ExchangeRing({ clock, unixMs, keep: KEPT_ROWS });
  const records = { each: inspect.bytesEach ?? 8 * MIB, all: inspect.bytesInAll ?? 64 * MIB };
  return new ExchangeRing({ clock, unixMs, keep: inspect.keep ?? 200, records });
}

function inspectorOf({ clock, inspect }: Settings, source: ExchangeRing): Inspector | undefined {
  if (inspect === undefined) return undefined;
  const { page, token = randomHex(16), toTape = () => undefined } = inspect;
  return new Inspector({ source, page, token, clock, toTape });
}

function tracerOf({ traceDir, clock }: Settings, log: Logger): Tracer | undefined {
  if (traceDir === undefined) return undefined;
  return createTracer(traceDir, { clock, onError: (error) => log.error({ error: error.message }, 'a trace') });
}

/** Beyond loopback everybody on the network could spend the upstream's money. */
function refuseOpenDoors(settings: Settings): void {
  if (
    isLoopback(settings.host) ||
    settings.authToken !== undefined ||
    settings.callers.length > 0 ||
    settings.insecure === true
  )
    return;
  throw new BridgeOptionsError(
    `listening on ${settings.host} needs --auth-token-env or [callers.NAME], since others can reach it (--insecure to do it anyway)`,
  );
}
