import { remembered } from '@turnwire/wire/internal/base/remembered';
import { bearerOf } from '@turnwire/wire/internal/bearer';
import { protocols } from '@turnwire/wire/internal/protocols';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ProviderConfig } from './provider.ts';

/** Reads one environment variable: a port, so that only the composition root touches the environment. */
export type GetEnv = (name: string) => string | undefined;

/**
 * The address of an endpoint: the base URL without trailing `/`, the path, then the base's own query and `query_params`
 * in their order, not escaped again.
 *
 * @param path - without leading slash, e.g. `responses`
 */
export function requestUrl(provider: ProviderConfig, path: string): string {
  const known = addresses.get(provider) ?? remembered((path) => joinedUrl(provider, path), { most: 100, longest: 200 });
  addresses.set(provider, known);
  return known(path);
}

/** A provider does not change, and each of its answers asks for the same few. */
const addresses = new WeakMap<ProviderConfig, (path: string) => string>();

function joinedUrl(provider: ProviderConfig, path: string): string {
  const withoutFragment = provider.baseUrl.split('#', 1)[0] ?? '';
  const queryAt = withoutFragment.indexOf('?');
  const base = queryAt < 0 ? withoutFragment : withoutFragment.slice(0, queryAt);
  const ownQuery = queryAt < 0 ? [] : [withoutFragment.slice(queryAt + 1)];
  const query = [...ownQuery, ...Object.entries(provider.queryParams).map(([key, value]) => `${key}=${value}`)];
  const address = `${base.replace(/\/+$/, '')}/${path}`;
  return new URL(query.length === 0 ? address : `${address}?${query.join('&')}`).href;
}

/** The same address for a WebSocket: `ws:` for `http:`, `wss:` for `https:`. */
export function websocketUrl(provider: ProviderConfig, path: string): string {
  return requestUrl(provider, path).replace(/^http/, 'ws');
}

/**
 * The headers of a request, names in lower case: those of its wire, the provider's own, those from the environment, then
 * the key. A later one wins.
 * Read at request time, so that a renewed key is used.
 *
 * @throws ModelError `unauthorized` when the key's variable is unset, `invalid_request` when a variable holds what no
 * header can carry; neither shows a value
 */
export function requestHeaders(provider: ProviderConfig, getEnv: GetEnv): Record<string, string> {
  const protocol = protocols[provider.wireApi];
  const headers: Record<string, string> = { ...protocol.headers };
  for (const [name, value] of Object.entries(provider.httpHeaders)) headers[name.toLowerCase()] = value;
  for (const [name, variable] of Object.entries(provider.envHttpHeaders)) {
    const value = fromEnv(getEnv, variable);
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  if (provider.envKey === undefined) return headers;
  const key = keyOf(provider, provider.envKey, getEnv);
  return { ...headers, ...(provider.bearerKey ? bearerOf(key) : protocol.authHeaders(key)) };
}

/** The key's variable when it is named but unset or blank: for a check before the first request. */
export function missingKeyVariable(provider: ProviderConfig, getEnv: GetEnv): string | undefined {
  const { envKey } = provider;
  return envKey !== undefined && isBlank(getEnv(envKey)) ? envKey : undefined;
}

function keyOf(provider: ProviderConfig, variable: string, getEnv: GetEnv): string {
  const key = fromEnv(getEnv, variable);
  if (key !== undefined) return key;
  throw new ModelError({
    kind: 'unauthorized',
    message: `the environment variable ${variable} is not set: provider ${JSON.stringify(provider.name)} takes its key from it`,
  });
}

function fromEnv(getEnv: GetEnv, variable: string): string | undefined {
  const value = getEnv(variable)?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new ModelError({
    kind: 'invalid_request',
    message: `the environment variable ${variable} holds a character that no header can carry`,
  });
}

function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}
