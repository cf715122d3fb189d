import { protocols } from '@turnwire/wire/internal/protocols';

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
