import { watch } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
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
server.registerTool('ask', {}, async (extra) => {
  const answer = await server.server.elicitInput(
    {
      message: 'Who are\u202e you?',
      requestedSchema: {
        type: 'object',
        properties: {
          name: { type: 'string', title: 'Your\u200b name', description: 'As in the passport', minLength: 2 },
          age: { type: 'integer', minimum: 0, maximum: 150, default: 30 },
          mail: { type: 'string', format: 'email' },
          sure: { type: 'boolean', default: true },
          size: { type: 'string', enum: ['s', 'm'], enumNames: ['small', 'medium'] },
          tags: { type: 'array', items: { type: 'string', enum: ['red', 'blue'] }, maxItems: 1 },
        },
        required: ['name'],
      },
    },
    { signal: extra.signal },
  );
  return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
});
server.registerTool('confirm', {}, async ({ signal }) => {
  const requestedSchema = { type: 'object' as const, properties: {} };
  const answer = await server.server.elicitInput({ message: 'Go on?', requestedSchema }, { signal });
  return { content: [{ type: 'text', text: answer.action }] };
});
const opened = { url: z.string(), message: z.string().default('Sign in') };
server.registerTool('open', { inputSchema: opened }, async ({ url, message }, { signal }) => {
  const elicitationId = 'sign-in';
  const answer = await server.server.elicitInput({ mode: 'url', message, url, elicitationId }, { signal });
  if (answer.action === 'accept') await server.server.createElicitationCompletionNotifier(elicitationId)();
  return { content: [{ type: 'text', text: answer.action }] };
});
// Refuses so many calls until the person has been at an address, and says by itself that they have when a folder changes.
let refused = 0;
const signInInput = { urls: z.array(z.string()), times: z.number().default(1), watched: z.string().optional() };
server.registerTool('sign_in_first', { inputSchema: signInInput }, ({ urls, times, watched }) => {
  if (refused === times) return { content: [{ type: 'text', text: `refused ${refused} times before` }] };
  refused += 1;
  const elicitations = urls.map((url, at) => ({
    mode: 'url' as const,
    message: 'Sign in',
    url,
    elicitationId: `first ${at}`,
  }));
  if (watched !== undefined) {
    const watcher = watch(watched, () => {
      watcher.close();
      void server.server.createElicitationCompletionNotifier('first 0')();
    });
  }
  throw new UrlElicitationRequiredError(elicitations, 'sign in first');
});
// Asks for what nobody should be asked, and waits for some of the answers.
const pesterInput = { times: z.number(), fields: z.number(), answers: z.number() };
server.registerTool('pester', { inputSchema: pesterInput }, ({ times, fields, answers }) => {
  const field = { type: 'string' as const };
  const properties = Object.fromEntries(Array.from({ length: fields }, (_, at) => [`field ${at}`, field]));
  const requestedSchema = { type: 'object' as const, properties };
  return new Promise((resolve) => {
    let left = answers;
    const heard = (): void => {
      left -= 1;
      if (left === 0) resolve({ content: [{ type: 'text', text: 'pestered' }] });
    };
    for (let n = 0; n < times; n++)
      void server.server.elicitInput({ message: 'x'.repeat(9000), requestedSchema }).then(heard, () => undefined);
  });
});
await server.connect(new StdioServerTransport());
