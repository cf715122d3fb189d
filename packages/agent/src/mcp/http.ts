import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ProxyOptions } from '@turnwire/client';
import { conceal, withoutScheme } from '@turnwire/client/internal/platform/conceal';
import { withoutSecretSpans } from '@turnwire/client/internal/platform/secret-text';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { boundedFetch } from './bounded-fetch.ts';
import type { McpCalls } from './calls.ts';
import type { McpAddress } from './config.ts';
import { keptSignIn } from './kept-sign-in.ts';
import type { StartRequest } from './stdio.ts';

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
  /** Proxies on the way. Default: none. */
  readonly proxy?: ProxyOptions | undefined;
}

/** Answers when the server has said hello; fails with one line that holds no header's value. */
export async function openMcpAddress(config: McpAddress, calls: McpCalls, request: OpenRequest): Promise<McpSession> {
  // As for programs: loaded where such a server is configured.
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const { createHttpTransport } = await import('@turnwire/client');
  const client = await calls.createClient();
  const { clock, longestMs, proxy = {}, signal, timeout } = request;
  const http = createHttpTransport({ clock, proxy });
  const authProvider = await keptSignIn(config);
  const transport = new StreamableHTTPClientTransport(new URL(config.url), {
    ...(authProvider === undefined ? {} : { authProvider }),
    fetch: boundedFetch(config, { transport: http, clock: calls.clock, longestMs, signal }),
  });
  try {
    await client.connect(transport, { timeout, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    await client.close().catch(() => undefined);
    await http.close();
    throw httpError(config, error);
  }
  return {
    client,
    isNumbered: transport.sessionId !== undefined,
    close: async () => {
      const waited = Promise.withResolvers<undefined>();
      const timer = clock.after(FAREWELL_MS, () => waited.resolve(undefined));
      await Promise.race([transport.terminateSession().catch(() => undefined), waited.promise]);
      timer.cancel();
      await client.close().catch(() => undefined);
      await http.close();
    },
  };
}

/** What the SDK says of an HTTP answer is all of its body, and a header may be quoted in that. */
export function httpError({ name, url, headers = {} }: McpAddress, error: unknown): Error {
  const { origin } = new URL(url);
  const secrets = Object.values(headers).map(withoutScheme);
  const text = withoutSecretSpans(conceal(thrownText(error), secrets)).replaceAll(/\s+/g, ' ');
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
