import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';

/** What signing in at an MCP server leaves behind: all of it is secret. */
export interface McpCredentials {
  /** Where the browser was sent back to: part of the registration. */
  readonly redirectUrl: string;
  /** Our registration at the authorization server, with its `issuer`. */
  readonly client: OAuthClientInformationMixed;
  /** The tokens, with their `issuer`. */
  readonly tokens: OAuthTokens;
}

/** Where credentials are kept, by the address of the MCP server: one of the same name elsewhere gets none of them. */
export interface McpCredentialStore {
  /** Answers `undefined` for a server that nobody is signed in at. */
  read(url: string): Promise<McpCredentials | undefined>;
  /** Replaces what is kept; `undefined` removes it. */
  write(url: string, credentials: McpCredentials | undefined): Promise<void>;
}

/** What turnwire calls itself at an authorization server. */
export function clientMetadata(redirectUrl: string): OAuthClientMetadata {
  return {
    client_name: 'turnwire',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}
