import { expect, test } from 'vitest';
import type { McpCredentials, McpCredentialStore } from '../../packages/agent/src/index.ts';
import { keptSignIn } from '../../packages/agent/src/mcp/kept-sign-in.ts';

const client = { client_id: 'c', redirect_uris: [] };

function credentialsOf(token: string): McpCredentials {
  return {
    redirectUrl: 'http://127.0.0.1/x',
    client,
    tokens: { access_token: token, refresh_token: `refresh-${token}`, token_type: 'Bearer' },
  };
}

test('tokens that were refused are not sent again; those that another process has kept since are', async () => {
  let kept = credentialsOf('one');
  const credentials: McpCredentialStore = {
    read: () => Promise.resolve(kept),
    write: (_, next) => Promise.resolve(void (kept = next ?? kept)),
  };
  const provider = await keptSignIn({ name: 'web', url: 'http://h/mcp', credentials });
  const given = async (): Promise<string | undefined> => (await provider?.tokens())?.access_token;
  expect(await given()).toBe('one');
  // Another process was quicker, where a refresh token is used once.
  kept = credentialsOf('two');
  await provider?.invalidateCredentials?.('tokens');
  expect(await given()).toBe('two');
  await provider?.invalidateCredentials?.('tokens');
  expect([await given(), await given()]).toEqual([undefined, undefined]);
  // The person has signed in again.
  kept = credentialsOf('three');
  expect(await given()).toBe('three');
  await provider?.saveTokens(credentialsOf('four').tokens);
  expect([await given(), kept]).toEqual(['four', credentialsOf('four')]);
});
