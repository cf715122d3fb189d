import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { McpCalls } from './calls.ts';
import type { McpProgram } from './config.ts';

/** How long a start may take, and what gives it up. */
export interface StartRequest {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers when the program is ready; fails, with its process ended, when it is not in time. */
export async function startMcpProgram(
  config: McpProgram,
  cwd: string,
  calls: McpCalls,
  { timeout, signal }: StartRequest,
): Promise<Client> {
  // Loaded, as the client is, only where a server is configured.
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
  const client = await calls.createClient();
  try {
    const transport = new StdioClientTransport({
      command: config.command,
      args: [...(config.args ?? [])],
      cwd: config.cwd ?? cwd,
      stderr: 'ignore',
      ...(config.env === undefined ? {} : { env: { ...config.env } }),
    });
    await client.connect(transport, { timeout, ...(signal === undefined ? {} : { signal }) });
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
}
