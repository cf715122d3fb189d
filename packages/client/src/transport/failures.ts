import { ModelError } from '@turnwire/wire/internal/model/errors';

/** `POST http://host/path`: never the query, which may hold a key, and never user info. */
export function describeTarget(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}`;
}

/** The caller's signal fired. */
export function abortFailure(signal: AbortSignal): ModelError {
  return new ModelError({ kind: 'aborted', message: 'aborted by the caller', cause: signal.reason });
}

/** What a broken connection means: before the headers nothing was answered, afterwards an answer was cut. */
export function networkFailure(error: unknown, afterHeaders: boolean, target: string): ModelError {
  const code = codeOf(error);
  if (code === 'UND_ERR_INVALID_ARG') return invalidRequest(error, target);
  const reason = describe(error, code);
  if (afterHeaders) {
    const message = `the connection broke in the middle of the answer to ${target}: ${reason}`;
    return new ModelError({ kind: 'stream_truncated', message, cause: error });
  }
  return new ModelError({ kind: 'connection_failed', message: `${target} failed: ${reason}`, cause: error });
}

/** Nobody is at the address, or nobody can get there: what a moment of patience mends is not among these. */
const NOBODY_THERE: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/**
 * True for a failure by which nothing listens where a server should be, or nothing that speaks TLS: somebody has to start it, or
 * to mend the address.
 */
export function isNobodyThere({ kind, cause }: ModelError): boolean {
  return kind === 'connection_failed' && NOBODY_THERE.has(codeOf(cause));
}

/** True for a failure by which somebody speaks TLS there, under a certificate that is not accepted. */
export function isCertificateFailure({ cause }: ModelError): boolean {
  const code = codeOf(cause);
  return code !== undefined && isCertificateCode(code);
}

function invalidRequest(error: unknown, target: string): ModelError {
  const reason = error instanceof Error ? error.message : 'invalid argument';
  return new ModelError({ kind: 'invalid_request', message: `${target} cannot be sent: ${reason}`, cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the server running, and is this its port?',
  ECONNRESET: 'connection reset by the server',
  EPIPE: 'connection closed by the server',
  ENOTFOUND: 'the host name is unknown; check how it is written',
  EAI_AGAIN: 'the host name could not be looked up; check the network',
  EHOSTUNREACH: 'the host cannot be reached; check the network',
  ENETUNREACH: 'the network cannot be reached',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server speaks no TLS; write http:// instead of https:// in the base URL',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_SOCKET: 'the server closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
};

function describe(error: unknown, code: string | undefined): string {
  if (code !== undefined && isCertificateCode(code)) {
    return `certificate not accepted: ${messageOf(error)} (${code}); trust its authority with NODE_EXTRA_CA_CERTS`;
  }
  const known = code === undefined ? undefined : REASONS[code];
  return known === undefined ? messageOf(error) : `${known} (${code})`;
}

const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|CRL|ALTNAME/;

function isCertificateCode(code: string): boolean {
  return CERTIFICATE.test(code);
}

function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return first instanceof Error && first.message !== '' ? first.message : 'unknown network error';
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = (error as { code?: unknown }).code;
  if (typeof own === 'string') return own;
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  return inner === undefined ? undefined : codeOf(inner);
}
