import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { onTestFinished } from 'vitest';

/** An MCP server that answers nothing before it is told to start. */
export interface SlowMcpServer {
  readonly url: string;
  /** Somebody waits for it. */
  readonly asked: Promise<undefined>;
  start(): void;
}

/** Its one tool is `late`. */
export async function slowMcpServer(): Promise<SlowMcpServer> {
  const [asked, started] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const http = createServer((request, response) => {
    asked.resolve(undefined);
    void started.promise.then(async () => {
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
      const server = new McpServer({ name: 'slow', version: '1' });
      server.registerTool('late', {}, () => ({ content: [{ type: 'text', text: 'here I am' }] }));
      await server.connect(transport);
      await transport.handleRequest(request, response);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  return { url, asked: asked.promise, start: () => started.resolve(undefined) };
}
