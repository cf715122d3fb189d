import type { McpCredentials } from '../../packages/agent/src/index.ts';

/** How many each process writes. */
export const ENTRIES = 30;

export function credentialsOf(token: string): McpCredentials {
  return {
    redirectUrl: 'http://127.0.0.1/x',
    client: { client_id: 'c', redirect_uris: [] },
    tokens: { access_token: token, token_type: 'Bearer' },
  };
}
