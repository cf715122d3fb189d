import type { Logger } from 'pino';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ApiError } from '../reply/api-error.ts';
import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import type { Inspector } from '../inspect/inspector.ts';
import type { ExchangeRing } from '../inspect/ring.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Settings } from '../options.ts';
import type { LiveResponses, ResponseStore } from '../store/index.ts';
import type { OpenStreams } from '../upstream/streams.ts';
import type { Exchange, KnownCaller } from '../observe/exchange.ts';
import type { SaidOnce } from '../observe/said-once.ts';
import type { ExchangeStart } from '../observe/observer.ts';
import type { TurnStateSigner } from '../upstream/sealed-turn.ts';
import type { Hop } from '../upstream/hop.ts';
import type { Peers } from '../workers/peers.ts';
import type { UpstreamPool } from '../upstream/pool.ts';

/** What answering a request has to do with who asked. */
export interface NamedCaller extends KnownCaller {
  /** Takes one request off what is left of a limit; or says why there is none. */
  admit(wire: ProtocolId): ApiError | undefined;
  /** What is left, for the head of an answer. */
  headers(wire: ProtocolId): Record<string, string>;
}

/** What all requests of one bridge share, or all of one caller. */
export interface BridgeContext {
  readonly settings: Settings;
  readonly transport: HttpTransport;
  readonly pool: UpstreamPool;
  /** The mark on what this bridge sends, and how it knows it again. */
  readonly hop: Hop;
  /** The other workers of the same bridge, where there are several. */
  readonly peers?: Peers | undefined;
  /** Who asks, where callers have names. */
  readonly caller?: NamedCaller;
  readonly store: ResponseStore;
  /** What runs in the background, and lately did. */
  readonly live: LiveResponses;
  readonly seal: TurnStateSigner;
  readonly streams: OpenStreams;
  readonly metrics: Metrics;
  /** The exchanges that run, and the last of those that are over. */
  readonly exchanges: ExchangeRing;
  /** The page that shows them, where it is served. */
  readonly inspector: Inspector | undefined;
  readonly log: Logger;
  /** For what the log need not repeat with each request. */
  readonly saidOnce: SaidOnce;
  /** Has the log tell what it waits with, and traces written. */
  readonly closeLog: () => void;
  /** Begins to watch a request: every one that arrives, but for those about the bridge itself. */
  readonly begin: (start: ExchangeStart) => Exchange;
}
