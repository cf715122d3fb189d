import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import type { Timer } from '@turnwire/wire/internal/base/clock';
import { Agent, request as requestHttp } from '@turnwire/client/internal/platform/node-http';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';

/** A piece of the body as the HTTP parser cut it, with its time. */
export interface RawChunk {
  /** Milliseconds since the request was begun. */
  readonly ms: number;
  readonly data: Uint8Array;
}

/**
 * How an answer ended, as seen on the socket:
 *
 * - `end`: the body ended properly
 * - `cut`, `reset`: the connection was closed or reset in the middle
 * - `refused`: there was no answer at all
 * - `idle`: nothing came for too long, and we left
 * - `left`: the answer was over and its connection open when we left
 * - `too-large`, `timeout`: we gave up
 */
export type RawEnd = 'end' | 'cut' | 'reset' | 'refused' | 'idle' | 'left' | 'too-large' | 'timeout';

/** One answer, byte for byte. */
export interface RawAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  /** Lower-case names; repeated ones joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly httpVersion: string;
  /** When the head had come. */
  readonly headMs: number;
  readonly chunks: readonly RawChunk[];
  readonly end: RawEnd;
  readonly endMs: number;
  /** The request went over a connection that an earlier one had left. */
  readonly reused: boolean;
  /** Code of the socket's error, e.g. `ECONNREFUSED`. */
  readonly error?: string;
}

export interface RawRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Longest silence, in milliseconds. */
  readonly idleMs: number;
  /** Bound of the whole exchange, in milliseconds. */
  readonly totalMs: number;
  /** Bound of the body, in bytes. */
  readonly maxBytes: number;
  /**
   * Called with each chunk; a number is how many milliseconds to stay from now on, whatever comes. Only the first
   * number counts.
   */
  readonly onChunk?: (data: Uint8Array, headers: Readonly<Record<string, string>>) => number | undefined;
  /** Keeps connections; default: each request has its own. */
  readonly agent?: RawAgents;
}

/** Connections that are kept between requests. */
export class RawAgents {
  readonly plain = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly secure = new SecureAgent({ keepAlive: true, maxSockets: 1 });

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }
}

/**
 * Sends a request and keeps everything that comes back, chunk by chunk, until it ends or one of the bounds is
 * reached. Never rejects: what goes wrong is what is examined.
 */
export async function exchangeRaw(request: RawRequest): Promise<RawAnswer> {
  return await new Exchange(request).run();
}

class Exchange {
  readonly #request: RawRequest;
  readonly #start = systemClock.now();
  readonly #chunks: RawChunk[] = [];
  #bytes = 0;
  #outgoing: ClientRequest | undefined;
  #incoming: IncomingMessage | undefined;
  #headMs = 0;
  #socketError: string | undefined;
  #idle: Timer | undefined;
  #linger: Timer | undefined;
  #settle: (answer: RawAnswer) => void = () => undefined;
  #over = false;

  constructor(request: RawRequest) {
    this.#request = request;
  }

  async run(): Promise<RawAnswer> {
    const { signal, totalMs } = this.#request;
    const onAbort = (): void => this.#finish('timeout');
    const total = systemClock.after(totalMs, onAbort, { keepAlive: true });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<RawAnswer>((resolve) => {
        this.#settle = resolve;
        if (signal.aborted) onAbort();
        else this.#send();
      });
    } finally {
      total.cancel();
      this.#idle?.cancel();
      this.#linger?.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #send(): void {
    const { url, method, headers, body, agent } = this.#request;
    const secure = url.protocol === 'https:';
    const options: RequestOptions = { method, headers, agent: secure ? agent?.secure : agent?.plain };
    if (agent === undefined) options.agent = false;
    const outgoing = secure ? requestHttps(url, options) : requestHttp(url, options);
    this.#outgoing = outgoing;
    this.#watch();
    outgoing.once('socket', (socket) => socket.once('error', (error) => (this.#socketError = codeOf(error))));
    outgoing.once('response', (incoming) => this.#answer(incoming));
    outgoing.on('error', (error) => {
      this.#socketError ??= codeOf(error);
      if (this.#incoming === undefined) this.#finish('refused');
    });
    outgoing.end(body);
  }

  #answer(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    this.#headMs = this.#now();
    this.#watch();
    incoming.on('data', (data: Buffer) => this.#chunk(data));
    incoming.once('end', () => this.#finish('end'));
    incoming.on('error', () => undefined); // told by 'close'
    incoming.once('close', () => {
      if (!incoming.complete) this.#finish(this.#socketError === 'ECONNRESET' ? 'reset' : 'cut');
    });
  }

  #chunk(data: Buffer): void {
    if (this.#over) return;
    this.#watch();
    this.#chunks.push({ ms: this.#now(), data });
    this.#bytes += data.length;
    if (this.#bytes > this.#request.maxBytes) {
      this.#finish('too-large');
      return;
    }
    if (this.#linger !== undefined) return;
    const stay = this.#request.onChunk?.(data, headersOf(this.#incoming));
    if (stay === undefined) return;
    this.#idle?.cancel();
    this.#linger = systemClock.after(stay, () => this.#finish('left'));
  }

  /** Re-arms the limit of silence; none while we only watch for the end. */
  #watch(): void {
    this.#idle?.cancel();
    if (this.#linger !== undefined) return;
    this.#idle = systemClock.after(this.#request.idleMs, () => this.#finish('idle'));
  }

  #finish(end: RawEnd): void {
    if (this.#over) return;
    this.#over = true;
    const incoming = this.#incoming;
    this.#settle({
      status: incoming?.statusCode ?? 0,
      headers: headersOf(incoming),
      httpVersion: incoming?.httpVersion ?? '',
      headMs: this.#headMs,
      chunks: this.#chunks,
      end,
      endMs: this.#now(),
      reused: this.#outgoing?.reusedSocket ?? false,
      ...(this.#socketError === undefined ? {} : { error: this.#socketError }),
    });
    if (end !== 'end') this.#outgoing?.destroy();
  }

  #now(): number {
    return systemClock.now() - this.#start;
  }
}

function headersOf(incoming: IncomingMessage | undefined): Record<string, string> {
  if (incoming === undefined) return {};
  return Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
