import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { MockUsageError } from '../errors.ts';
import { LocalServer } from '../server/local-server.ts';
import { BODY_LIMIT, readBody } from '../server/read-body.ts';
import { protocolOf } from '../server/paths.ts';
import type { TapedExchange, TapeProblem } from './tape.ts';
import { TapeMatcher } from './match.ts';
import { playExchange, type ReplayPace } from './play.ts';
import { playWebSocket } from './play-websocket.ts';
import { passedHeaders } from './proxy.ts';
import { readTape, type Tape } from './read.ts';

/** How a tape is played, and where its server listens. */
export interface ReplayOptions {
  /** How many times as fast as it was recorded: 1 is as it was, 2 twice as fast; `max` waits for nothing. Default 1. */
  readonly speed?: number | 'max' | undefined;
  /** Each exchange answers one request only. Default false: the most similar one is played again. */
  readonly once?: boolean | undefined;
  /** TCP port. Default 0: a free one. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Listens beyond loopback, where whoever can reach it may use it. Default: refused. */
  readonly insecure?: boolean | undefined;
  /** Names that a `Host` header may have beside the loopback names and `host`; `*` allows all. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Default: the clock of the system. */
  readonly clock?: Clock | undefined;
}

/** A running replay. */
export interface TapeServer extends AsyncDisposable {
  readonly url: string;
  /** `url` with `/v1`: what clients take as base URL. */
  readonly baseUrl: string;
  readonly port: number;
  /** The parts of the tapes that could not be read; the rest is served. */
  readonly problems: readonly TapeProblem[];
  /** Exchanges that no request asked for yet. */
  readonly unplayed: readonly TapedExchange[];
  /** Requests to which the tape had no answer, e.g. `GET /v1/models`. At most the first 100. */
  readonly strangers: readonly string[];
  /** Drops every connection. */
  close(): Promise<void>;
}

/**
 * Serves a tape, or a folder of them, chunk for chunk as it was recorded.
 *
 * Rejects with `MockUsageError` when there is no tape at this path or nothing in it can be served.
 *
 * @example
 * ```ts
 * await using server = await replayTape('tapes', { speed: 'max' });
 * await runMyClient(server.baseUrl);
 * ```
 */
export async function replayTape(source: string | Tape, options: ReplayOptions = {}): Promise<TapeServer> {
  const tape = typeof source === 'string' ? await readTape(source) : source;
  if (tape.exchanges.length === 0) {
    const why = tape.problems.map(({ file, message }) => `${file}: ${message}`).join('; ');
    throw new MockUsageError(`the tape holds no exchange${why === '' ? '' : ` (${why})`}`);
  }
  const replay = new Replay(tape, options);
  await replay.listen();
  return replay;
}

const KEPT_STRANGERS = 100;

class Replay implements TapeServer {
  readonly problems: readonly TapeProblem[];
  readonly strangers: string[] = [];
  readonly #matcher: TapeMatcher;
  readonly #pace: ReplayPace;
  readonly #server: LocalServer;
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Duplex>();

  constructor(tape: Tape, options: ReplayOptions) {
    this.problems = tape.problems;
    this.#matcher = new TapeMatcher(tape.exchanges, { once: options.once });
    this.#pace = { clock: options.clock ?? systemClock, factor: toFactor(options.speed ?? 1) };
    this.#server = new LocalServer(options, {
      http: (req, res) => void this.#http(req, res),
      upgrade: (req, socket, head) => void this.#upgrade(req, socket, head),
    });
  }

  get url(): string {
    return this.#server.url;
  }

  get baseUrl(): string {
    return this.#server.baseUrl;
  }

  get port(): number {
    return this.#server.port;
  }

  get unplayed(): readonly TapedExchange[] {
    return this.#matcher.unplayed;
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const socket of this.#sockets) socket.destroy();
    await this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #http(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    res.on('error', () => undefined); // told by 'close'
    const body = await readBody(req, BODY_LIMIT);
    if (body === undefined) {
      res.destroy();
      return;
    }
    const asked = {
      kind: 'http',
      method: req.method ?? 'GET',
      target: req.url ?? '/',
      headers: passedHeaders(req),
      body,
    } as const;
    const exchange = this.#matcher.take(asked);
    if (exchange === undefined) {
      this.#stranger(asked.method, asked.target);
      res.writeHead(404, { 'content-type': 'application/json' }).end(this.#nothing(req));
      return;
    }
    await playExchange(res, exchange, this.#pace, AbortSignal.any([gone.signal, this.#closing.signal]));
  }

  async #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // told by 'close'
    const asked = {
      kind: 'websocket',
      method: 'GET',
      target: req.url ?? '/',
      headers: passedHeaders(req),
      body: new Uint8Array(),
    } as const;
    const exchange = this.#matcher.take(asked);
    if (exchange === undefined) {
      this.#stranger('WebSocket', asked.target);
      socket.end(rawResponse(426, []));
      return;
    }
    await playWebSocket({ req, socket, head }, exchange, this.#pace, this.#closing.signal);
  }

  #stranger(method: string, target: string): void {
    if (this.strangers.length < KEPT_STRANGERS) this.strangers.push(`${method} ${target.split('?')[0] ?? ''}`);
  }

  #nothing(req: IncomingMessage): string {
    const asked = `${req.method ?? 'GET'} ${(req.url ?? '/').split('?')[0] ?? ''}`;
    const message = `the tape has no (further) answer to ${asked}; it has: ${this.#matcher.describe()}`;
    return JSON.stringify(protocolOf(req).errorBody({ message, code: 'not_on_tape', status: 404 }));
  }
}

/** By what taped times are multiplied. */
function toFactor(speed: number | 'max'): number {
  if (speed === 'max') return 0;
  if (!Number.isFinite(speed) || speed <= 0) throw new MockUsageError(`speed ${speed}: use a number above 0, or max`);
  return 1 / speed;
}
