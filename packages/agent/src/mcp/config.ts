import type { McpCredentialStore } from './credentials.ts';

/** One `[mcp_servers.NAME]`: a program, or a server with an address. */
export type McpServerConfig = McpProgram | McpAddress;

/** What there is to say of every MCP server. */
interface McpServerBase {
  /** The name in the configuration: its tools are called `mcp__NAME__TOOL`. */
  readonly name: string;
  /** Milliseconds to connect and list the tools. Default 10,000. */
  readonly startupTimeoutMs?: number | undefined;
  /** Milliseconds for one call. Default 120,000. */
  readonly toolTimeoutMs?: number | undefined;
}

/** A program that speaks the Model Context Protocol on its stdin and stdout. */
export interface McpProgram extends McpServerBase {
  /** The program: a path, or a name that is looked up in `PATH`. */
  readonly command: string;
  /** Its arguments. Default: none. */
  readonly args?: readonly string[] | undefined;
  /**
   * Variables added to a small default environment (PATH, HOME, …); nothing else of ours is handed on. Default: none.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: the session's working directory. */
  readonly cwd?: string | undefined;
}

/** A server that speaks the Model Context Protocol over Streamable HTTP. */
export interface McpAddress extends McpServerBase {
  /** Its `http:` or `https:` address. Redirects are followed within its origin alone. */
  readonly url: string;
  /** Headers of every request; their values are kept out of errors. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where credentials of a sign-in are kept. Default: nobody is signed in. */
  readonly credentials?: McpCredentialStore | undefined;
}
