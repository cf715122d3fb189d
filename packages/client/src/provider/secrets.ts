import type { ModelError } from '@turnwire/wire/internal/model/errors';
import { createConcealer, withoutScheme } from '../platform/conceal.ts';
import { isSecretHeader, isSecretParameter } from '../platform/secret-names.ts';
import type { GetEnv } from './provider-request.ts';
import type { ProviderConfig } from './provider.ts';

/** The values in a provider's requests that nobody else is to see; read as they are now. */
export function secretsOf(provider: ProviderConfig, getEnv: GetEnv): readonly string[] {
  const headers = Object.entries(provider.httpHeaders).filter(([name]) => isSecretHeader(name));
  const query = queryOf(provider).filter(([name]) => isSecretParameter(name));
  const variables = [provider.envKey, ...Object.values(provider.envHttpHeaders)];
  const fromEnv = variables.map((name) => (name === undefined ? '' : (getEnv(name) ?? '')));
  return [...[...headers, ...query].map(([, value]) => value), ...fromEnv].map(withoutScheme);
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
