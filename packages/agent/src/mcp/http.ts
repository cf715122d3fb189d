import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { conceal, withoutScheme } from '@turnwire/client/internal/platform/conceal';
import { withoutSecretSpans } from '@turnwire/client/internal/platform/secret-text';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import type { McpCalls } from './calls.ts';
import type { McpAddress } from './config.ts';
import { keptSignIn } from './kept-sign-in.ts';
import type { StartRequest } from './stdio.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_CHARS = 300;
/** How long the server is waited for when it is told that we go. */
const FAREWELL_MS = 1000;

/** A client that has said hello to a server. */
export interface McpSession {
  readonly client: Client;
  /** The server has numbered it, and may forget it. */
  readonly isNumbered: boolean;
  /** Tells the server, which is waited for a second at most, and ends every request. */
  close(): Promise<void>;
}

/** How a session is opened. */
export interface OpenRequest extends StartRequest {
  readonly clock: Clock;
  /** Milliseconds after which any one request is given up, its answer included. */
  readonly longestMs: number;
}

/** Answers when the server has said hello; fails with one line that holds no header's value. */
export async function openMcpAddress(config: McpAddress, calls: McpCalls, request: OpenRequest): Promise<McpSession> {
  // As for programs: loaded where such a server is configured.
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const client = await calls.createClient();
  const authProvider = await keptSignIn(config);
  const transport = new StreamableHTTPClientTransport(new URL(config.url), {
    ...(authProvider === undefined ? {} : { authProvider }),
    fetch: boundedFetch(config, { ...request, clock: calls.clock }),
  });
  try {
    const { timeout, signal } = request;
    await client.connect(transport, { timeout, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    await client.close().catch(() => undefined);
    throw httpError(config, error);
  }
  return {
    client,
    isNumbered: transport.sessionId !== undefined,
    close: async () => {
      const waited = Promise.withResolvers<undefined>();
      const timer = request.clock.after(FAREWELL_MS, () => waited.resolve(undefined));
      await Promise.race([transport.terminateSession().catch(() => undefined), waited.promise]);
      timer.cancel();
      await client.close().catch(() => undefined);
    },
  };
}

/** What the SDK says of an HTTP answer is all of its body, and a header may be quoted in that. */
export function httpError({ name, url, headers = {} }: McpAddress, error: unknown): Error {
  const { origin } = new URL(url);
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const secrets = Object.values(headers).map(withoutScheme);
  const text = withoutSecretSpans(conceal(`${thrownText(error)}${cause}`, secrets)).replaceAll(/\s+/g, ' ');
  const cut = text.length > MAX_ERROR_CHARS ? `${text.slice(0, MAX_ERROR_CHARS)}…` : text;
  const status = statusOf(error);
  const about = status === undefined ? origin : `${origin} answered with status ${status}`;
  const advice =
    status === 401 || status === 403 ? ` (sign in with: turnwire mcp login ${name}; or give it a key in a header)` : '';
  return new Error(`${about}: ${cut}${advice}`);
}

/** The status of the HTTP answer that an error of the SDK is about. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return error.name !== 'McpError' && typeof code === 'number' && code >= 400 ? code : undefined;
}

/**
 * Ends every request after its time, and every answer after so many bytes. The configured headers go to the server's origin alone: one signs in
 * elsewhere. The stream for messages that nobody asked for is not opened, since none of them would be heard; one that goes on with a broken answer is.
 */
export function boundedFetch(
  config: McpAddress,
  { clock, longestMs, signal: ending }: Omit<OpenRequest, 'timeout'>,
): FetchLike {
  const server = new URL(config.url);
  return async (url, init = {}) => {
    const headers = new Headers(init.headers);
    const to = new URL(url);
    if (init.method === 'GET' && to.href === server.href && !headers.has('last-event-id'))
      return new Response(null, { status: 405 });
    // What follows redirects by itself could carry them elsewhere.
    if (to.origin === server.origin && init.redirect === 'manual')
      for (const [name, value] of Object.entries(config.headers ?? {})) headers.set(name, value);
    const late = new AbortController();
    const timer = clock.after(longestMs, () => late.abort(new Error(`no whole answer within ${longestMs} ms`)));
    const signal = AbortSignal.any([
      late.signal,
      ...(init.signal ? [init.signal] : []),
      ...(ending === undefined ? [] : [ending]),
    ]);
    try {
      const response = await fetch(url, { ...init, headers, signal });
      const body = response.body === null ? null : ReadableStream.from(limited(response.body, timer));
      if (body === null) timer.cancel();
      return new Response(body, {
        status: response.status,
        statusText: response.statusText,
        headers: response.headers,
      });
    } catch (error) {
      timer.cancel();
      throw error;
    }
  };
}

async function* limited(body: AsyncIterable<Uint8Array>, timer: Timer): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
      yield chunk;
    }
  } finally {
    timer.cancel();
  }
}
