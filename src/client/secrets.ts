import type { ModelError } from '../model/errors.ts';
import type { GetEnv } from './provider-request.ts';
import type { ProviderConfig } from './provider.ts';

/** What stands where a secret stood. */
const REDACTED = '[redacted]';

/** Shorter values are no secrets, and would tear words apart. */
const MIN_LENGTH = 6;

/** Headers and query parameters whose configured values say who is asking. */
const SECRET_NAME = /auth|key|token|secret|cookie|password|sig/i;

/** The values in a provider's requests that nobody else is to see; read as they are now. */
export function secretsOf(provider: ProviderConfig, getEnv: GetEnv): readonly string[] {
  const named = [...Object.entries(provider.httpHeaders), ...queryOf(provider)];
  const configured = named.filter(([name]) => SECRET_NAME.test(name)).map(([, value]) => value);
  const variables = [provider.envKey, ...Object.values(provider.envHttpHeaders)];
  const fromEnv = variables.map((name) => (name === undefined ? '' : (getEnv(name) ?? '')));
  return [...configured, ...fromEnv].map(withoutScheme);
}

/**
 * The error as it may be shown: some servers quote the key that they refuse. The same object when nothing was quoted.
 */
export function concealSecrets(error: ModelError, secrets: readonly string[]): ModelError {
  const message = concealText(error.message, secrets);
  const code = error.code === undefined ? undefined : concealText(error.code, secrets);
  return message === error.message && code === error.code ? error : error.with({ message, code });
}

/** The text with `[redacted]` in place of every secret. */
export function concealText(text: string, secrets: readonly string[]): string {
  // The longest first: one may be a part of another.
  const long = secrets.filter((secret) => secret.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
  let concealed = text;
  for (const secret of long) concealed = withoutCutEnd(concealed.replaceAll(secret, REDACTED), secret);
  return concealed;
}

/** A text that was shortened may end in the begin of a secret. */
function withoutCutEnd(text: string, secret: string): string {
  if (!text.endsWith('…')) return text;
  for (let length = Math.min(secret.length, text.length - 1) - 1; length >= MIN_LENGTH; length--) {
    const end = text.length - 1;
    if (secret.startsWith(text.slice(end - length, end))) return `${text.slice(0, end - length)}${REDACTED}…`;
  }
  return text;
}

/** The configured query, and the one that a base URL brings along. */
function queryOf(provider: ProviderConfig): [string, string][] {
  return [...Object.entries(provider.queryParams), ...new URL(provider.baseUrl).searchParams];
}

/** `Bearer abc` is quoted as `abc` too. */
function withoutScheme(value: string): string {
  return value.trim().replace(/^(?:bearer|basic|token)\s+/i, '');
}
