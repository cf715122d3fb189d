import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import type { McpAddress } from './config.ts';
import { clientMetadata, type McpCredentials } from './credentials.ts';

/**
 * The credentials of a sign-in, for the SDK: sent, and refreshed when the server refuses them. Nobody is signed in here, and nothing
 * registered: when that is needed, an error says by which command. Tokens are read anew each time, since another process may have
 * refreshed them, or the person signed in again: what was refused is over, and not what was kept since. `undefined` when nobody is
 * signed in.
 */
export async function keptSignIn({ name, url, credentials }: McpAddress): Promise<OAuthClientProvider | undefined> {
  const kept = await credentials?.read(url);
  if (credentials === undefined || kept === undefined) return undefined;
  const latest = async (): Promise<McpCredentials> => (await credentials.read(url)) ?? kept;
  let [sent, refused] = ['', ''];
  return {
    redirectUrl: kept.redirectUrl,
    clientMetadata: clientMetadata(kept.redirectUrl),
    clientInformation: async () => (await latest()).client,
    tokens: async () => {
      const { tokens } = await latest();
      sent = tokens.access_token;
      return sent === refused ? undefined : tokens;
    },
    saveTokens: async (tokens) => credentials.write(url, { ...(await latest()), tokens }),
    invalidateCredentials: () => {
      refused = sent;
    },
    saveCodeVerifier: () => undefined,
    codeVerifier: () => '',
    redirectToAuthorization: () => {
      throw new Error(`the sign-in has ended: sign in again with: turnwire mcp login ${name}`);
    },
  };
}
