import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import { createHttpTransport, type HttpTransport, type ProxyOptions } from '@turnwire/client';
import { isLoopback } from '@turnwire/client/internal/platform/local-only';
import { randomHex } from '@turnwire/client/internal/platform/random';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { boundedFetch } from './bounded-fetch.ts';
import type { McpAddress } from './config.ts';
import { clientMetadata, type McpCredentials } from './credentials.ts';
import { httpError } from './http.ts';
import { openRedirectTarget } from './redirect-target.ts';

/** Milliseconds for one request to the authorization server. */
const REQUEST_MS = 30_000;
/** Milliseconds that a person has in the browser. */
const PERSON_MS = 5 * 60_000;

/** How somebody signs in. */
export interface SignInOptions {
  /** Shows the person the page where they say yes; may open a browser. */
  readonly present: (page: URL) => Promise<void>;
  /** Proxies on the way. Default: none. */
  readonly proxy?: ProxyOptions | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Signs in at an MCP server with OAuth (authorization code, PKCE, a redirect to this machine): the SDK finds the authorization server and
 * registers there. Ends after five minutes. Fails with one line.
 */
export async function signIn(config: McpAddress, options: SignInOptions): Promise<McpCredentials> {
  const state = randomHex(16);
  const target = await openRedirectTarget(state, { ...options, patienceMs: PERSON_MS });
  const { clock, proxy = {} } = options;
  const transport = createHttpTransport({ clock, proxy });
  try {
    return await signInWith(config, { ...options, state, target, transport });
  } catch (error) {
    throw httpError(config, error);
  } finally {
    target.close();
    await transport.close();
  }
}

interface Flow extends SignInOptions {
  readonly transport: HttpTransport;
  readonly state: string;
  readonly target: { readonly url: string; readonly code: Promise<string> };
}

async function signInWith(
  config: McpAddress,
  { present, signal, clock, state, target, transport }: Flow,
): Promise<McpCredentials> {
  const { auth, extractWWWAuthenticateParams } = await import('@modelcontextprotocol/sdk/client/auth.js');
  const fetchFn = boundedFetch(config, { transport, clock, longestMs: REQUEST_MS, signal });
  const answer = await fetchFn(config.url, {
    method: 'POST',
    redirect: 'manual',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  await answer.body?.cancel();
  const request = { serverUrl: config.url, fetchFn, ...extractWWWAuthenticateParams(answer) };
  const attempt = new Attempt(target.url, state);
  await auth(attempt, request);
  if (attempt.page === undefined) throw new Error('it has no page to sign in at');
  await present(safePage(attempt.page));
  await auth(attempt, { ...request, authorizationCode: await target.code });
  return attempt.credentials;
}

/** The address is a stranger's, and may be opened: nothing but a page of the web, and not one that can be read on the way. */
function safePage(page: URL): URL {
  if (page.protocol === 'https:' || (page.protocol === 'http:' && isLoopback(page.hostname))) return page;
  throw new Error(`it wants to be signed in at without encryption: ${page.origin}`);
}

/** One sign-in, as the SDK wants it: it remembers what the SDK tells it. */
class Attempt implements OAuthClientProvider {
  readonly redirectUrl: string;
  page: URL | undefined;
  readonly #state: string;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  constructor(redirectUrl: string, state: string) {
    this.redirectUrl = redirectUrl;
    this.#state = state;
  }

  get clientMetadata(): OAuthClientMetadata {
    return clientMetadata(this.redirectUrl);
  }

  /** What was signed in. */
  get credentials(): McpCredentials {
    if (this.#client === undefined || this.#tokens === undefined) throw new Error('it gave no token');
    return { redirectUrl: this.redirectUrl, client: this.#client, tokens: this.#tokens };
  }

  state(): string {
    return this.#state;
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client;
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client;
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }

  redirectToAuthorization(page: URL): void {
    this.page = page;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }
}
