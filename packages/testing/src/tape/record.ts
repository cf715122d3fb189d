import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { LocalServer } from '../server/local-server.ts';
import { parseUpstream } from './proxy.ts';
import { RecordedHttp, type RecordContext } from './record-http.ts';
import { UpstreamAgents } from './upstream.ts';
import { RecordedWebSocket } from './record-websocket.ts';
import { TapeFolder } from './writer.ts';

/** What is recorded, and where the recorder listens. */
export interface RecordOptions {
  /** Base of the server that is recorded, e.g. `http://127.0.0.1:8080` or `https://api.openai.com/v1`. */
  readonly upstream: string;
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
  /**
   * Called with one line for every tape that cannot be written, and for every exchange that failed. Must not throw.
   * Default: problems are passed over.
   */
  readonly onProblem?: ((message: string) => void) | undefined;
}

/** A running recorder: clients talk to it as they would to its upstream. */
export interface TapeRecorder extends AsyncDisposable {
  readonly url: string;
  /** What clients take as base URL: `url` with `/v1`. */
  readonly baseUrl: string;
  readonly port: number;
  /** Exchanges begun so far. */
  readonly exchanges: number;
  /** Stops; exchanges that are still open end as `stopped`. */
  close(): Promise<void>;
}

/**
 * Starts a proxy that writes every exchange to a folder, one file each, byte for byte and chunk for chunk, without
 * the secrets in headers and queries (docs/tape.md).
 *
 * Rejects with `MockUsageError` for an upstream that is no URL, and with Node's error for a folder that cannot be
 * written or a port in use.
 *
 * @example
 * ```ts
 * await using recorder = await recordTo('tapes', { upstream: 'http://127.0.0.1:8080' });
 * await runMyClient(recorder.baseUrl);
 * ```
 */
export async function recordTo(folder: string, options: RecordOptions): Promise<TapeRecorder> {
  const recorder = new Recorder(folder, options);
  await recorder.listen();
  return recorder;
}

class Recorder implements TapeRecorder {
  readonly #context: RecordContext;
  readonly #server: LocalServer;
  readonly #closing = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #exchanges = 0;

  constructor(folder: string, options: RecordOptions) {
    this.#context = {
      upstream: parseUpstream(options.upstream),
      agents: new UpstreamAgents(),
      folder: new TapeFolder(folder),
      clock: options.clock ?? systemClock,
      onProblem: options.onProblem ?? (() => undefined),
      closing: this.#closing.signal,
    };
    const handlers = {
      http: (req: IncomingMessage, res: ServerResponse) => this.#track(new RecordedHttp(this.#context, req, res).run()),
      upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.#track(new RecordedWebSocket(this.#context, req, socket, head).run()),
    };
    // A recorder adds no time limit of its own to the way between client and upstream.
    this.#server = new LocalServer(options, handlers, { requestTimeout: 0 });
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

  get exchanges(): number {
    return this.#exchanges;
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#context.agents.close();
    await this.#server.close();
    await Promise.all(this.#open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #track(exchange: Promise<void>): void {
    this.#exchanges++;
    const run = exchange.catch((error: unknown) => this.#context.onProblem(String(error)));
    this.#open.add(run);
    void run.finally(() => this.#open.delete(run));
  }
}
