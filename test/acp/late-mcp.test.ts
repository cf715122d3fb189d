import type { McpServer } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import type { ModelPort } from '../../packages/agent/src/index.ts';
import { shortHistory } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import { slowMcpServer } from '../agent/slow-mcp-server.ts';
import { TestClock } from '../terminal/harness.ts';
import { withEditor } from './setup.ts';

/** Calls the tool as soon as there is one of that name. */
const eager: ModelPort = {
  openTurn: () => ({
    async *stream({ tools = [], input }) {
      await Promise.resolve();
      const isThere = tools.some((tool) => 'name' in tool && tool.name === 'mcp__slow__late');
      const last = shortHistory(input).at(-1) ?? '';
      const steps = isThere && last.startsWith('user:') ? calls(call('mcp__slow__late', {})) : answer(`heard ${last}`);
      for (const step of steps) if ('type' in step) yield [step];
    },
  }),
};

/** Turns in which a server that has started is up at the latest: each takes several turns of the event loop. */
const MAX_TURNS = 200;

test('a session begins without an MCP server that is slow to start, and has its tools once it is up', async () => {
  const slow = await slowMcpServer();
  const clock = new TestClock();
  await withEditor(
    [],
    async ({ cwd, context, editor, prompt }) => {
      editor.answer = 'once';
      const mcpServers: McpServer[] = [{ type: 'http', name: 'slow', url: slow.url, headers: [] }];
      const opening = context.request('session/new', { cwd, mcpServers });
      await slow.asked;
      clock.pass(2000);
      const { sessionId } = await opening;
      expect(await prompt(sessionId)).toBe('end_turn');
      expect(JSON.stringify(editor.updates)).toContain('starting MCP server slow: its tools join when it is up');
      expect([editor.text(), editor.toolSteps()]).toEqual([expect.stringContaining('heard user: go'), []]);
      slow.start();
      for (let turn = 0; turn < MAX_TURNS && editor.toolSteps().length === 0; turn++) await prompt(sessionId);
      expect(editor.text()).toContain('heard output call_1: here I am');
    },
    { mcpPatienceMs: 2000, clock, openModel: () => Promise.resolve({ port: eager }) },
  );
});
