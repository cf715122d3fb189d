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
  const transport = new StdioClientTransport({
    command: config.command,
    args: [...(config.args ?? [])],
    cwd: config.cwd ?? cwd,
    stderr: 'ignore',
    ...(config.env === undefined ? {} : { env: { ...config.env } }),
  });
  const close = once(() => StdioClientTransport.prototype.close.call(transport));
  transport.close = close;
  try {
    await client.connect(transport, { timeout, ...(signal === undefined ? {} : { signal }) });
    return client;
  } catch (error) {
    // The SDK has begun it, and does not wait for the process to end.
    await close().catch(() => undefined);
    throw error;
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= work());
}
