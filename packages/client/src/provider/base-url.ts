import { protocols } from '@turnwire/wire/internal/protocols';
import { readHttpAddress, type HttpAddress } from '../platform/http-address.ts';

/** What comes behind a base URL, as people copy it from a server's page: the endpoint of a wire, or the list of models. */
const endpoints = Object.values(protocols).map(({ path }) => `/${path}`);
const LIST = '/v1/models';

/**
 * The base URL of an address that somebody gives: `https://host/v1/chat/completions` is an endpoint of `https://host/v1`. A
 * query stays.
 */
export function withoutEndpoint(address: string): string {
  const [path = '', rest = ''] = address.split(/(?=[?#])(.*)/s, 2);
  const base = path.replace(/\/+$/, '');
  const endpoint = base.endsWith(LIST) ? '/models' : endpoints.find((each) => base.toLowerCase().endsWith(each));
  return `${endpoint === undefined ? path : base.slice(0, -endpoint.length)}${rest}`;
}

/**
 * The base URL of a model server, as {@link readHttpAddress} reads it: without an endpoint, and with the `/v1` that most people
 * leave out where there is no path.
 */
export function readBaseUrl(given: string): HttpAddress {
  const address = readHttpAddress(withoutEndpoint(given));
  if ('wrong' in address) return address;
  const { url } = address;
  url.pathname = url.pathname.replace(/\/+$/, '');
  if (url.pathname === '/') url.pathname = '/v1';
  return { url, text: url.href };
}
