import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { request as httpRequest } from '@turnwire/client/internal/platform/node-http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { isPublicAddress, lookupPublic, PrivateAddressError } from './public-address.ts';

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

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Also addresses of this machine and its network. */
  readonly allowPrivate: boolean;
}

/**
 * A page by GET, without cookies and without a proxy; redirects on the same host are followed. At most 2 MiB and 30 s. Fails with an
 * error of one line.
 */
export async function fetchPage(url: URL, options: FetchOptions): Promise<Page> {
  const ended = new AbortController();
  const timer = options.clock.after(TIMEOUT_MS, () =>
    ended.abort(new Error(`${url.host} gave no page within ${TIMEOUT_MS / 1000} s`)),
  );
  const signal = AbortSignal.any([options.signal, ended.signal]);
  try {
    return await follow(url, { ...options, signal }, MAX_REDIRECTS);
  } catch (error) {
    // What the request says of it is that it was aborted.
    if (ended.signal.aborted && !options.signal.aborted) throw ended.signal.reason;
    throw error;
  } finally {
    timer.cancel();
  }
}

async function follow(url: URL, options: FetchOptions, redirects: number): Promise<Page> {
  const response = await get(url, options);
  try {
    const { location } = response.headers;
    const status = response.statusCode ?? 0;
    if (status < 300 || status >= 400 || location === undefined) return await read(url, status, response);
    const next = URL.parse(location, url.href);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw new Error(`${url.href} leads to what is no web address`);
    if (redirects === 0) throw new Error(`${url.href} leads from one address to the next without an end`);
    if (!isSameSite(url, next)) return { type: 'elsewhere', url: next };
    return await follow(next, options, redirects - 1);
  } finally {
    response.destroy();
  }
}

/** The person said yes to a host; from http to https it is still that one. */
function isSameSite(from: URL, to: URL): boolean {
  if (from.hostname !== to.hostname) return false;
  return from.origin === to.origin || (from.protocol === 'http:' && to.protocol === 'https:' && to.port === '');
}

async function get(url: URL, { signal, allowPrivate }: FetchOptions): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // An address is not looked up.
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw new PrivateAddressError(host, host);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(url.href, {
    signal,
    agent: false,
    headers: { accept: 'text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1', 'user-agent': 'turnwire' },
    ...(allowPrivate ? {} : { lookup: lookupPublic }),
  })
    .once('response', resolve)
    .once('error', reject)
    .end();
  return promise;
}

async function read(url: URL, status: number, response: IncomingMessage): Promise<Page> {
  const [mediaType, charset] = mediaTypeOf(response.headers['content-type'] ?? 'text/plain');
  if (!/^text\/|[/+](?:json|xml)$|^application\/(?:javascript|x-ndjson|yaml)$/.test(mediaType))
    return { type: 'no_text', url, mediaType };
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, MAX_BYTES - bytes));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) break;
  }
  const text = decode(Buffer.concat(chunks), charset);
  return { type: 'text', url, status, mediaType, text, isCut: bytes > MAX_BYTES };
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
