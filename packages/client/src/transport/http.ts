import type { LookupFunction } from 'node:net';
import { headerIn, type HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import type { ByteSource } from '@turnwire/wire/internal/base/byte-source';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { remembered } from '@turnwire/wire/internal/base/remembered';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { Connections } from './dispatcher.ts';
import { bodyReader, type BodyReader } from './decompress.ts';
import { Exchange, type Head, type RestOfBody } from './exchange.ts';
import { timerFailure } from '@turnwire/wire/internal/model/timer-failure';
import { describeTarget } from './failures.ts';
import type { ProxyOptions } from './proxy-choice.ts';
import { followRedirect, isRedirect, MAX_REDIRECTS, tooManyRedirects, type Hop } from './redirect.ts';
import { systemClock } from '../platform/system-clock.ts';
import { defaultTimers, type HttpTimers } from './watch.ts';

/** What a transport is made of. */
export interface HttpTransportOptions {
  /** Default: the clock of the system. */
  readonly clock?: Clock;
  /** Proxies on the way. Default: none. */
  readonly proxy?: ProxyOptions;
  /** Finds the addresses of a server that no proxy stands before; a proxy looks names up itself. Default: the system. */
  readonly lookup?: LookupFunction;
}

/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string | URL;
  /**
   * Names in lower case. A redirect to another origin takes none along that could identify the caller. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body. Default: none. */
  readonly body?: string | Uint8Array;
  /**
   * Aborting it ends the request, and the reading of its body, with kind `aborted`. Without one nothing else ends it
   * early.
   */
  readonly signal?: AbortSignal | undefined;
  /** Default: {@link defaultTimers}. */
  readonly timers?: HttpTimers;
  /** `manual` hands redirects back as they are. Default `follow`, at most 5. */
  readonly redirect?: 'follow' | 'manual';
}

/** An answer whose headers are there and whose body is read on demand. */
export interface HttpResponse extends ByteSource {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: HeaderValues;
  /** One header, its values joined with `, `; names in any case. */
  header(name: string): string | undefined;
  /** The same bytes, one by one; leaving the loop early cancels. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** @param rest - hears of what still comes, where somebody wants to know; not of bytes that are compressed */
  release(rest?: RestOfBody): void;
}

/** HTTP/1.1 with kept connections, timers, cancellation and backpressure; knows nothing about models. */
export interface HttpTransport {
  /** What its requests go through; a session's WebSockets go through the same. */
  readonly proxy?: ProxyOptions | undefined;
  /**
   * Sends one request; resolves when the headers are there, whatever the status.
   *
   * Fails with `ModelError`: `connection_failed`, `timeout`, `stream_idle`, `aborted`, `protocol` (redirects),
   * `invalid_request` (a header or address that cannot be sent).
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes all connections, those in use as well. */
  close(): Promise<void>;
}

/**
 * A transport with connections of its own.
 *
 * @example
 * ```ts
 * const http = createHttpTransport();
 * const response = await http.send({ method: 'GET', url: 'http://127.0.0.1:8080/health' });
 * for await (const chunk of response.chunks) process.stdout.write(chunk);
 * ```
 */
export function createHttpTransport(options: HttpTransportOptions = {}): HttpTransport {
  const clock = options.clock ?? systemClock;
  let connections: Connections | undefined;
  let opening: Promise<Connections> | undefined;
  let isClosed = false;
  const open = async (): Promise<Connections> => {
    // undici is a hundred files: they are read with the first request, and not before a program can do anything.
    const { createConnections } = await import('./dispatcher.ts');
    connections = createConnections(options.proxy, options.lookup);
    if (isClosed) await connections.destroy();
    return connections;
  };
  return {
    proxy: options.proxy,
    send: async (request) => send(connections ?? (await (opening ??= open())), clock, request),
    close: async () => {
      isClosed = true;
      await (await opening)?.destroy();
    },
  };
}

async function send(connections: Connections, clock: Clock, request: HttpRequest): Promise<HttpResponse> {
  if (connections.settling) await connections.settled();
  const timers = request.timers ?? {};
  const totalMs = timers.totalMs ?? defaultTimers.totalMs;
  let hop: Hop = { url: toUrl(request.url), headers: request.headers ?? {} };
  let exchange: Exchange | undefined;
  const total = new Deadline(clock, totalMs, () => {
    exchange?.fail(timerFailure('total', totalMs, describeTarget(request.method, hop.url)));
  });
  total.start();
  for (let redirects = 0; ; redirects++) {
    exchange = new Exchange({
      connections,
      clock,
      timers,
      method: request.method,
      url: hop.url,
      headers: hop.headers,
      body: request.body,
      signal: request.signal,
    });
    const head = await waitForHead(exchange, total);
    if (!isRedirect(head.status) || request.redirect === 'manual') return toResponse(exchange, head, total);
    exchange.release();
    try {
      if (redirects === MAX_REDIRECTS) throw tooManyRedirects(request.method, hop.url);
      hop = followRedirect(request.method, hop, head.status, headerIn(head.headers, 'location'));
    } catch (error) {
      total.stop();
      throw error;
    }
  }
}

function toUrl(address: string | URL): URL {
  return typeof address === 'string' ? parsedUrl(address) : new URL(address);
}

/** Nobody changes an address here, and a server is asked at the same one again and again. */
const parsedUrl = remembered((address) => new URL(address), { most: 100, longest: 500 });

async function waitForHead(exchange: Exchange, total: Deadline): Promise<Head> {
  try {
    return await exchange.head;
  } catch (error) {
    total.stop();
    throw error;
  }
}

function toResponse(exchange: Exchange, head: Head, total: Deadline): HttpResponse {
  const body = bodyReader(exchange, headerIn(head.headers, 'content-encoding'));
  const read = total.running ? () => readTimed(body, total) : () => body.read();
  const cancel = (): void => {
    total.stop();
    body.cancel();
  };
  return {
    status: head.status,
    headers: head.headers,
    header: (name) => headerIn(head.headers, name.toLowerCase()),
    read,
    chunks: { [Symbol.asyncIterator]: () => iterate(read, cancel) },
    wake: () => exchange.wake(),
    progress: () => exchange.progress(),
    cancel,
    release: (rest) => {
      total.stop();
      body.release(rest);
    },
  };
}

async function readTimed(body: BodyReader, total: Deadline): Promise<readonly Uint8Array[] | undefined> {
  try {
    const chunks = await body.read();
    if (chunks === undefined) total.stop();
    return chunks;
  } catch (error) {
    total.stop();
    throw error;
  }
}

async function* iterate(
  read: () => Promise<readonly Uint8Array[] | undefined>,
  cancel: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let chunks = await read(); chunks !== undefined; chunks = await read()) yield* chunks;
  } finally {
    cancel();
  }
}
