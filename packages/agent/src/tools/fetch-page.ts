import type { LookupFunction } from 'node:net';
import { createHttpTransport, type HttpResponse, type HttpTransport } from '@turnwire/client';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { assertNotPrivate, publicLookup, systemLookup } from './public-address.ts';
import { hostOf, type WebAccess } from '../web-access.ts';

const MAX_BYTES = 2 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 5;

/** What a web server answered. */
export type Page =
  | {
      readonly type: 'text';
      readonly url: URL;
      readonly status: number;
      readonly mediaType: string;
      readonly text: string;
      /** There is more of it. */
      readonly isCut: boolean;
    }
  /** It is elsewhere: at another host, or without encryption. Nobody was asked about that one. */
  | { readonly type: 'elsewhere'; readonly url: URL }
  | { readonly type: 'no_text'; readonly url: URL; readonly mediaType: string };

export interface FetchOptions extends WebAccess {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Where names are looked up that no proxy looks up. Default: the system. */
  readonly lookup?: LookupFunction;
}

/** How the requests for one page are made. */
interface Way {
  readonly transport: HttpTransport;
  readonly signal: AbortSignal;
}

/**
 * A page by GET, without cookies; redirects on the same host are followed. At most 2 MiB and 30 s. Fails with an error of one line, also for
 * a private host that is not allowed: by its addresses, or, where a proxy looks it up, by itself alone.
 */
export async function fetchPage(url: URL, options: FetchOptions): Promise<Page> {
  const { signal, clock, proxy, privateHosts = [], lookup = systemLookup } = options;
  const host = hostOf(url);
  const isAllowed = privateHosts.includes(host);
  if (!isAllowed) assertNotPrivate(host);
  const transport = createHttpTransport({
    clock,
    ...(proxy === undefined ? {} : { proxy }),
    lookup: isAllowed ? lookup : publicLookup(lookup),
  });
  const ended = new AbortController();
  const timer = clock.after(TIMEOUT_MS, () =>
    ended.abort(new Error(`${url.host} gave no page within ${TIMEOUT_MS / 1000} s`)),
  );
  try {
    return await follow(url, { transport, signal: AbortSignal.any([signal, ended.signal]) }, MAX_REDIRECTS);
  } catch (error) {
    // What the request says of it is that it was aborted.
    if (ended.signal.aborted && !signal.aborted) throw ended.signal.reason;
    throw error;
  } finally {
    timer.cancel();
    await transport.close();
  }
}

async function follow(url: URL, way: Way, redirects: number): Promise<Page> {
  const response = await get(url, way);
  try {
    const { status } = response;
    const location = response.header('location');
    if (status < 300 || status >= 400 || location === undefined) return await read(url, response);
    const next = URL.parse(location, url.href);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw new Error(`${url.href} leads to what is no web address`);
    if (redirects === 0) throw new Error(`${url.href} leads from one address to the next without an end`);
    if (!isSameSite(url, next)) return { type: 'elsewhere', url: next };
    return await follow(next, way, redirects - 1);
  } finally {
    response.cancel();
  }
}

/** The person said yes to a host; from http to https it is still that one. */
function isSameSite(from: URL, to: URL): boolean {
  if (from.hostname !== to.hostname) return false;
  return from.origin === to.origin || (from.protocol === 'http:' && to.protocol === 'https:' && to.port === '');
}

function get(url: URL, { transport, signal }: Way): Promise<HttpResponse> {
  const accept = 'text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1';
  const headers = { accept, 'user-agent': 'turnwire' };
  return transport.send({ method: 'GET', url, headers, signal, redirect: 'manual' });
}

async function read(url: URL, response: HttpResponse): Promise<Page> {
  const [mediaType, charset] = mediaTypeOf(response.header('content-type') ?? 'text/plain');
  if (!/^text\/|[/+](?:json|xml)$|^application\/(?:javascript|x-ndjson|yaml)$/.test(mediaType))
    return { type: 'no_text', url, mediaType };
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.chunks) {
    chunks.push(chunk.subarray(0, MAX_BYTES - bytes));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) break;
  }
  const text = decode(Buffer.concat(chunks), charset);
  return { type: 'text', url, status: response.status, mediaType, text, isCut: bytes > MAX_BYTES };
}

function mediaTypeOf(header: string): readonly [string, string | undefined] {
  const [type = ''] = header.split(';', 1);
  return [type.trim().toLowerCase(), /;\s*charset="?([^\s;"]+)/i.exec(header)?.[1]];
}

/** As UTF-8 where the server names a set of characters that nobody knows. */
function decode(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}
