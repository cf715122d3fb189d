import type { IncomingHttpHeaders } from 'node:http';
import { createHostCheck, type LocalNames } from '@turnwire/client/internal/platform/local-only';
import { isSecretParameter } from '@turnwire/client/internal/platform/secret-names';
import { badRequest, loopDetected, type ApiError } from '../reply/api-error.ts';

export interface AccessOptions extends LocalNames {
  /** Origins of web pages that may call. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** True for who may call, by the token that they send. Default: all may. */
  readonly isKnown?: (headers: IncomingHttpHeaders) => boolean;
  /** The server's own page may ask, and a token may stand in the link to it: somebody else looks at that. Default false. */
  readonly servesPage?: boolean;
  /** True for a `via` that says that this bridge itself has sent the request. */
  readonly isOwnHop?: (via: string | undefined) => boolean;
}

/** What the gate looks at. */
export interface AccessRequest {
  readonly method: string;
  /** The target as it came: path and query, or a whole URL. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Every `Host` header, where more than one was counted. */
  readonly hosts?: readonly string[] | undefined;
}

/** Says why a request is not let in; undefined when it is. */
export type AccessGuard = (request: AccessRequest) => ApiError | undefined;

/**
 * Keeps web pages and strangers out: a page that a user visits can send requests to a port on this machine, but not
 * without an `Origin`, a foreign `Host`, or a content type that needs no consent.
 */
export function createAccessGuard(options: AccessOptions): AccessGuard {
  // Beyond loopback the token is the protection: a rebound name does not know it.
  const isHost = createHostCheck(options);
  const origins = new Set(options.allowedOrigins ?? []);
  return (request) =>
    // Before all others: it has to be told apart from a wrong token, and nobody else can know the mark.
    (options.isOwnHop?.(request.headers.via) === true ? loopDetected() : undefined) ??
    checkHost(request, isHost) ??
    (options.servesPage === true && isOwnPage(request) ? undefined : checkOrigin(request, origins)) ??
    (options.servesPage === true ? undefined : checkAddress(request)) ??
    checkToken(request, options.isKnown) ??
    checkContentType(request);
}

/** RFC 9112, 3.2: one Host, no more, and the authority of a target that is a whole URL stands above it. */
function checkHost(
  { headers, url, hosts = [] }: AccessRequest,
  isHost: (header: string) => boolean,
): ApiError | undefined {
  if (headers.host === undefined)
    return badRequest('the Host header is missing: HTTP/1.1 wants it, and it tells web pages apart');
  if (hosts.length > 1) return badRequest('there is more than one Host header');
  const authority = /^[a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1] ?? headers.host;
  if (isHost(headers.host) && isHost(authority)) return undefined;
  return forbidden('this Host is not allowed here: --allow-host NAME lets it in');
}

function checkOrigin({ headers }: AccessRequest, origins: ReadonlySet<string>): ApiError | undefined {
  if (headers.origin === undefined || origins.has(headers.origin) || origins.has('*')) return undefined;
  return forbidden(
    'this Origin is not allowed: requests of web pages are refused, but of those that --allow-origin ORIGIN names',
  );
}

/** Browsers send `Origin` with the script of a page, too. The name was checked. */
function isOwnPage({ headers: { origin, host } }: AccessRequest): boolean {
  return origin === `http://${host}`;
}

function checkAddress({ url }: AccessRequest): ApiError | undefined {
  const mark = url.indexOf('?');
  if (mark < 0) return undefined;
  const names = [...new URLSearchParams(url.slice(mark)).keys()];
  if (!names.some((name) => isSecretParameter(name))) return undefined;
  return badRequest('a key does not belong into the address: send it as Authorization: Bearer', { code: 'key_in_url' });
}

function checkToken({ method, headers }: AccessRequest, isKnown: AccessOptions['isKnown']): ApiError | undefined {
  if (method === 'OPTIONS') return undefined; // a page's question whether it may ask carries no token
  if (isKnown === undefined || isKnown(headers)) return undefined;
  return {
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
    message: `the token is ${hasToken(headers) ? 'wrong' : 'missing'}: ${WHICH_TOKEN}`,
    // Claude Code repeats a 401 for three minutes, unless it is told not to.
    headers: { 'www-authenticate': 'Bearer', 'x-should-retry': 'false' },
  };
}

/** For the caller, and for whoever reads the log: where it stands at the bridge, and where it belongs. */
const WHICH_TOKEN =
  'callers send the one that --auth-token-env or [callers.NAME] of the bridge names, as Authorization: Bearer or x-api-key';

function hasToken({ authorization, 'x-api-key': key }: IncomingHttpHeaders): boolean {
  return authorization !== undefined || key !== undefined;
}

function checkContentType({ method, headers }: AccessRequest): ApiError | undefined {
  if (method !== 'POST' || isWithoutBody(headers)) return undefined;
  if (/^\s*application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) return undefined;
  const message = 'the content type has to be application/json: send it as the header content-type';
  return badRequest(message, { status: 415, code: 'unsupported_media_type' });
}

/** As the SDKs send what has nothing but its path: `POST /v1/responses/{id}/cancel`. */
function isWithoutBody(headers: AccessRequest['headers']): boolean {
  const { 'content-type': type, 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  return type === undefined && length === '0' && coding === undefined;
}

/** Somebody who is known, or not asked, may not do this. */
export function forbidden(message: string): ApiError {
  return { status: 403, type: 'permission_error', code: 'forbidden', message };
}
