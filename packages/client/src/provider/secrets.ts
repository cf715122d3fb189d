import type { ModelError } from '@turnwire/wire/internal/model/errors';
import { createConcealer, withoutScheme } from '../platform/conceal.ts';
import { isSecretHeader, isSecretParameter } from '../platform/secret-names.ts';
import type { GetEnv } from './provider-request.ts';
import type { ProviderConfig } from './provider.ts';

/** What is secret in a provider's requests: values as configured, and environment variables. */
interface Sources {
  readonly values: readonly string[];
  readonly variables: readonly string[];
}

/** A provider does not change, and is asked for each of its answers. */
const known = new WeakMap<ProviderConfig, Sources>();

/** The values in a provider's requests that nobody else is to see; read as they are now. */
export function secretsOf(provider: ProviderConfig, getEnv: GetEnv): readonly string[] {
  const { values, variables } = known.get(provider) ?? findSources(provider);
  return [...values, ...variables.map((name) => withoutScheme(getEnv(name) ?? ''))];
}

function findSources(provider: ProviderConfig): Sources {
  const headers = Object.entries(provider.httpHeaders).filter(([name]) => isSecretHeader(name));
  const query = queryOf(provider).filter(([name]) => isSecretParameter(name));
  const variables = [provider.envKey, ...Object.values(provider.envHttpHeaders)].filter((name) => name !== undefined);
  const sources = { values: [...headers, ...query].map(([, value]) => withoutScheme(value)), variables };
  known.set(provider, sources);
  return sources;
}

/**
 * The error as it may be shown: some servers quote the key that they refuse. The same object when nothing was quoted.
 */
export function concealSecrets(error: ModelError, secrets: readonly string[]): ModelError {
  const conceal = createConcealer(secrets);
  const message = conceal(error.message);
  const code = error.code === undefined ? undefined : conceal(error.code);
  return message === error.message && code === error.code ? error : error.with({ message, code });
}

/** The configured query, and the one that a base URL brings along. */
function queryOf(provider: ProviderConfig): [string, string][] {
  return [...Object.entries(provider.queryParams), ...new URL(provider.baseUrl).searchParams];
}
