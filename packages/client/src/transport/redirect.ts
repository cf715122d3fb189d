import { ModelError } from '@turnwire/wire/internal/model/errors';
import { describeTarget } from './failures.ts';

export const MAX_REDIRECTS = 5;

/** What may go along to another origin: nothing that says who is asking. */
const ANONYMOUS = new Set(['accept', 'accept-encoding', 'content-type', 'user-agent']);

export interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * Where a redirect leads, or the error that it is: another origin gets neither the key nor any configured
 * header; a POST that would have to become a GET is not followed, because its answer could not be the model's.
 */
export function followRedirect(method: string, from: Hop, status: number, location: string | undefined): Hop {
  const target = describeTarget(method, from.url);
  const url = location === undefined ? undefined : parseLocation(location, from.url);
  if (url === undefined) throw redirectError(`${target} answered ${status} without a usable location`, status);
  if (status < 307 && method !== 'GET' && method !== 'HEAD') {
    const there = `${url.origin}${url.pathname}`;
    throw redirectError(`${target} answered ${status} and points to ${there}: set the base URL to that place`, status);
  }
  return { url, headers: url.origin === from.url.origin ? from.headers : anonymous(from.headers) };
}

export function tooManyRedirects(method: string, url: URL): ModelError {
  return redirectError(`${describeTarget(method, url)} was redirected more than ${MAX_REDIRECTS} times`, undefined);
}

function redirectError(message: string, status: number | undefined): ModelError {
  return new ModelError({ kind: 'protocol', message, status });
}

function parseLocation(location: string, base: URL): URL | undefined {
  const url = URL.parse(location, base.href);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

function anonymous(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => ANONYMOUS.has(name.toLowerCase())));
}
