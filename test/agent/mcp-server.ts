import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

// An MCP server on stdio for the tests.
const server = new McpServer({ name: 'test', version: '1' });
server.registerTool('add', { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
  content: [
    { type: 'text', text: String(a + b) },
    { type: 'image', data: '', mimeType: 'image/png' },
  ],
}));
server.registerTool('fail', { description: 'Fails.' }, () => ({
  content: [{ type: 'text', text: 'no' }],
  isError: true,
}));
server.registerTool('where', {}, () => ({
  content: [
    { type: 'text', text: `${process.cwd()} ${process.env.GIVEN ?? ''} ${process.env.TURNWIRE_TEST_SECRET ?? 'none'}` },
  ],
}));
server.registerTool('die', {}, () => process.exit(1));
server.registerTool('pid', {}, () => ({ content: [{ type: 'text', text: String(process.pid) }] }));
server.registerTool('hang', {}, () => new Promise(() => undefined));
await server.connect(new StdioServerTransport());
