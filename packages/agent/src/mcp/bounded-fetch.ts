import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { HttpResponse, HttpTransport } from '@turnwire/client';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import type { McpAddress } from './config.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** A server may take its time: `longestMs` bounds all of it. */
const NO_TIMERS = { connectMs: 0, firstByteMs: 0, idleMs: 0, progressMs: 0, totalMs: 0 };
/** Of these a `Response` takes no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** What requests are made with, and how long they may take. */
export interface BoundedFetchOptions {
  /** Has the proxies; whoever opened it closes it. */
  readonly transport: HttpTransport;
  readonly clock: Clock;
  /** Milliseconds after which any one request is given up, its answer included. */
  readonly longestMs: number;
  /** Gives all requests up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A `fetch` for the SDK. Ends every request after its time, and every answer after so many bytes. The configured headers go to the server's origin
 * alone: one signs in elsewhere. The stream for messages that nobody asked for is not opened, since none of them would be heard; one that goes
 * on with a broken answer is.
 */
export function boundedFetch(
  config: McpAddress,
  { transport, clock, longestMs, signal: ending }: BoundedFetchOptions,
): FetchLike {
  const server = new URL(config.url);
  return async (url, init = {}) => {
    const request = new Request(url, init);
    if (request.method === 'GET' && request.url === server.href && !request.headers.has('last-event-id'))
      return new Response(null, { status: 405 });
    // What follows redirects by itself could carry them elsewhere.
    if (new URL(request.url).origin === server.origin && init.redirect === 'manual')
      for (const [name, value] of Object.entries(config.headers ?? {})) request.headers.set(name, value);
    const late = new AbortController();
    const timer = clock.after(longestMs, () => late.abort(new Error(`no whole answer within ${longestMs} ms`)));
    const signal = AbortSignal.any([late.signal, request.signal, ...(ending === undefined ? [] : [ending])]);
    try {
      const response = await send(transport, request, signal);
      return toResponse(response, timer, signal);
    } catch (error) {
      timer.cancel();
      throw fetchError(error, signal);
    }
  };
}

async function send(transport: HttpTransport, request: Request, signal: AbortSignal): Promise<HttpResponse> {
  const body = request.body === null ? {} : { body: await request.text() };
  return transport.send({
    method: request.method,
    url: request.url,
    headers: { 'user-agent': 'turnwire', ...Object.fromEntries(request.headers) },
    ...body,
    signal,
    timers: NO_TIMERS,
    redirect: request.redirect === 'manual' ? 'manual' : 'follow',
  });
}

/** The SDK takes a `TypeError` for a server that cannot be reached. */
function fetchError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof Error ? new TypeError(error.message, { cause: error }) : error;
}

function toResponse(answer: HttpResponse, timer: Timer, signal: AbortSignal): Response {
  const { status } = answer;
  const headers = Object.entries(answer.headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  );
  if (!WITHOUT_BODY.has(status)) return new Response(bodyOf(answer, timer, signal), { status, headers });
  answer.release();
  timer.cancel();
  return new Response(null, { status, headers });
}

function bodyOf(answer: HttpResponse, timer: Timer, signal: AbortSignal): ReadableStream<Uint8Array> {
  let bytes = 0;
  const end = (): void => {
    timer.cancel();
    answer.cancel();
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        let chunks = await answer.read();
        while (chunks?.length === 0) chunks = await answer.read();
        for (const chunk of chunks ?? []) controller.enqueue(chunk);
        bytes += (chunks ?? []).reduce((sum, { length }) => sum + length, 0);
        if (bytes > MAX_ANSWER_BYTES) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
        if (chunks !== undefined) return;
        timer.cancel();
        controller.close();
      } catch (error) {
        end();
        throw signal.aborted ? signal.reason : error;
      }
    },
    cancel: end,
  });
}
