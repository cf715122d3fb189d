import type { LookupFunction, Socket } from 'node:net';
import { Agent, buildConnector, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { nextTurn } from '../platform/wait.ts';
import type { ProxyOptions } from './proxy-choice.ts';

/** A dispatcher whose connection attempts can be given up one by one. */
export interface Connections {
  readonly dispatcher: Dispatcher;
  /**
   * Runs `dispatch`, and hands the socket that it opened, if it opened one, to `onSocket`: whoever stops
   * waiting before the connection stands can then destroy it.
   */
  dispatching(onSocket: (socket: Socket) => void, dispatch: () => void): void;
  /** A body just ended: its connection is free again only after this turn of the event loop. */
  readonly settling: boolean;
  settled(): Promise<void>;
  /** To be called when a body ended. */
  bodyEnded(): void;
  /** Closes every connection, those in use as well. */
  destroy(): Promise<void>;
}

/**
 * Milliseconds after which a connection attempt that nobody owns ends: a reconnect of undici's own, or the
 * tunnel through a proxy. Waiting requests have their own, usually shorter, timer.
 */
const ORPHAN_CONNECT_MS = 30_000;

/**
 * Pools per origin over HTTP/1.1 without undici's own timers; a proxy only when one is given. `lookup` is asked for the names of servers
 * that are connected to directly, and not for a proxy's.
 */
export function createConnections(proxy: ProxyOptions = {}, lookup?: LookupFunction): Connections {
  const owned = connector(0, lookup);
  const orphan = connector(ORPHAN_CONNECT_MS, lookup);
  let listener: ((socket: Socket) => void) | undefined;
  const connect: buildConnector.connector = (options, callback) => {
    // undici connects within `dispatch`, so the listener of the moment is the one that asked.
    const asker = listener;
    listener = undefined;
    const socket = (asker === undefined ? orphan : owned)(options, callback);
    asker?.(socket);
  };
  const dispatcher = createDispatcher(connect, proxy);
  let settling: Promise<void> | undefined;
  return {
    dispatcher,
    get settling() {
      return settling !== undefined;
    },
    settled: () => settling ?? Promise.resolve(),
    bodyEnded() {
      // undici frees the connection one turn after the end; asking earlier would open a second one.
      settling ??= twoTurns().then(() => {
        settling = undefined;
      });
    },
    dispatching(onSocket, dispatch) {
      listener = onSocket;
      try {
        dispatch();
      } finally {
        listener = undefined;
      }
    },
    destroy: () => dispatcher.destroy(),
  };
}

async function twoTurns(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** undici's connector returns the socket it opens, which its types leave out. */
type OpeningConnector = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;

function connector(timeout: number, lookup: LookupFunction | undefined): OpeningConnector {
  const own = lookup === undefined ? {} : { lookup };
  return buildConnector({ timeout, allowH2: false, ...own }) as unknown as OpeningConnector;
}

function createDispatcher(connect: buildConnector.connector, proxy: ProxyOptions): Dispatcher {
  const options = { connect, headersTimeout: 0, bodyTimeout: 0, pipelining: 1, allowH2: false };
  const httpProxy = proxy.httpProxy ?? '';
  const httpsProxy = proxy.httpsProxy ?? '';
  if (httpProxy === '' && httpsProxy === '') return new Agent(options);
  // Empty strings, not absent ones: undici would read the environment for those.
  return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy: proxy.noProxy ?? '' });
}
