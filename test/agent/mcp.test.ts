import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Agent, connectMcpServers, type McpConnections, type McpServerConfig } from '../../src/agent/index.ts';
import { eventsOf, of, shortHistory, temporaryFolder } from './helpers.ts';
import { answer, call, calls, ScriptedModel } from './scripted-model.ts';

const server = { name: 'te.st', command: process.execPath, args: [join(import.meta.dirname, 'mcp-server.ts')] };

async function connect(configs: McpServerConfig[], cwd: string): Promise<McpConnections> {
  const connections = await connectMcpServers(configs, { cwd });
  onTestFinished(() => connections.close());
  return connections;
}

test('its tools are called, after approval, and their answers are text', async () => {
  const cwd = await temporaryFolder();
  process.env.TURNWIRE_TEST_SECRET = 'sesame';
  const { tools, warnings } = await connect([{ ...server, env: { GIVEN: 'this' } }], cwd);
  delete process.env.TURNWIRE_TEST_SECRET;
  expect(warnings).toEqual([]);
  const model = new ScriptedModel(
    calls(
      call('mcp__te_st__add', { a: 1, b: 2 }, 'a'),
      call('mcp__te_st__fail', {}, 'b'),
      call('mcp__te_st__where', {}, 'c'),
      call('mcp__te_st__add', { a: 'x' }, 'd'),
    ),
    answer('done'),
  );
  const asked: string[] = [];
  const agent = new Agent({
    model,
    tools,
    approver: (request) => {
      asked.push(...request.rules);
      return Promise.resolve({ type: 'session' });
    },
  });
  const events = await eventsOf(agent.run('go'));
  expect(asked).toEqual(['mcp:te.st/add', 'mcp:te.st/fail', 'mcp:te.st/where']);
  expect(
    of(events, 'tool.finished')
      .map((event) => [event.call_id, event.status])
      .sort(),
  ).toEqual([
    ['a', 'completed'],
    ['b', 'failed'],
    ['c', 'completed'],
    ['d', 'failed'],
  ]);
  expect(shortHistory(agent)[5]).toBe('output a: 3\n[image, not shown]');
  expect(shortHistory(agent)[6]).toBe('output b: no');
  expect(shortHistory(agent)[7]).toBe(`output c: ${cwd} this none`);
});

test('an interrupt ends a call', async () => {
  const { tools } = await connect([server], await temporaryFolder());
  const agent = new Agent({
    model: new ScriptedModel(calls(call('mcp__te_st__hang', {}))),
    tools,
    approvals: 'always',
  });
  const events = [];
  for await (const batch of agent.run('go')) {
    events.push(...batch);
    if (batch.some((event) => event.type === 'tool.started')) setTimeout(() => agent.interrupt(), 50);
  }
  expect(events.at(-1)?.type).toBe('turn.interrupted');
});

test('servers that cannot be used are told, and the others work', async () => {
  const cwd = await temporaryFolder();
  const { tools, warnings } = await connect(
    [
      { name: 'missing', command: 'no-such-program' },
      { name: 'mute', command: 'sleep', args: ['100'], startupTimeoutMs: 200 },
      server,
    ],
    cwd,
  );
  expect(warnings).toEqual([
    expect.stringMatching(/^the MCP server missing cannot be used: .*ENOENT/),
    expect.stringMatching(/^the MCP server mute cannot be used: /),
  ]);
  expect(tools.map((tool) => tool.name)).toContain('mcp__te_st__add');
});
