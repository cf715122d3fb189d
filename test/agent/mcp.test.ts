import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, onTestFinished, test } from 'vitest';
import {
  Agent,
  connectMcpServers,
  noSandbox,
  openAgent,
  openToolbox,
  ThreadStore,
  type McpConnections,
  type McpServerConfig,
} from '../../packages/agent/src/index.ts';
import { McpServerProcess } from '../../packages/agent/src/mcp/server.ts';
import { mcpTool } from '../../packages/agent/src/mcp/mcp-tool.ts';
import { eventsOf, of, shortHistory, temporaryFolder } from './helpers.ts';
import { answer, call, calls, ScriptedModel } from './scripted-model.ts';

const server = { name: 'test', command: process.execPath, args: [join(import.meta.dirname, 'mcp-server.ts')] };

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
      call('mcp__test__add', { a: 1, b: 2 }, 'a'),
      call('mcp__test__fail', {}, 'b'),
      call('mcp__test__where', {}, 'c'),
      call('mcp__test__add', { a: 'x' }, 'd'),
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
  expect(asked).toEqual(['mcp:["test","add"]', 'mcp:["test","fail"]', 'mcp:["test","where"]']);
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
    model: new ScriptedModel(calls(call('mcp__test__hang', {}))),
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
  expect(tools.map((tool) => tool.name)).toContain('mcp__test__add');
});

test('a server that is slow to start joins later, one that fails late is told at the next turn, and one that hangs holds up nothing', async () => {
  const cwd = await temporaryFolder();
  const go = join(cwd, 'go');
  const slow = `const wait = setInterval(() => {
    if (!process.getBuiltinModule('fs').existsSync(${JSON.stringify(go)})) return;
    clearInterval(wait);
    void import(${JSON.stringify(server.args[0])});
  }, 20)`;
  const toolbox = await openToolbox({
    cwd,
    sandbox: noSandbox(),
    mcpPatienceMs: 100,
    mcpServers: [
      { ...server, name: 'slow', args: ['-e', slow] },
      { name: 'ends', command: 'sh', args: ['-c', `until [ -e '${go}' ]; do sleep 0.05; done`] },
      { name: 'hangs', command: 'sleep', args: ['100'] },
    ],
  });
  onTestFinished(() => toolbox.close());
  const joins = (name: string) => `starting MCP server ${name}: its tools join when it is up`;
  expect(toolbox.notes).toEqual([joins('slow'), joins('ends'), joins('hangs')]);
  const late = Promise.withResolvers<undefined>();
  const model = new ScriptedModel(answer('one'), answer('two'));
  const opened = await openAgent({ model, cwd, threads: new ThreadStore(join(cwd, 'threads')), toolbox });
  let left = 2;
  toolbox.onLate?.(() => {
    left -= 1;
    if (left === 0) late.resolve(undefined);
  });
  await eventsOf(opened.agent.run('go'));
  await writeFile(go, '');
  await late.promise;
  const events = await eventsOf(opened.agent.run('go'));
  const names = model.requests.map(({ tools = [] }) =>
    tools.some((tool) => 'name' in tool && tool.name === 'mcp__slow__add'),
  );
  expect(names).toEqual([false, true]);
  expect(of(events, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^the MCP server ends cannot be used: /),
  ]);
  await opened.close();
  await toolbox.close();
});

test('servers whose names run into each other share neither a tool nor an approval', async () => {
  const schema = { type: 'object' };
  const caller = () => Promise.resolve({});
  const asked = async (server: string, name: string) => {
    const tool = mcpTool(server, { name, inputSchema: schema }, caller);
    const plan = await tool.plan({ type: 'json', value: {} }, { signal: new AbortController().signal });
    return { name: tool.name, rules: plan.approval?.rules };
  };
  const pairs: [string, string][] = [
    ['a__b', 'c'],
    ['a', 'b__c'],
    ['a_', 'b'],
    ['a', '_b'],
    ['a.b', 'c'],
    ['a_b', 'c'],
    ['a/b', 'c'],
    ['a', 'b/c'],
    ['a', `${'long'.repeat(20)}1`],
    ['a', `${'long'.repeat(20)}2`],
  ];
  const tools = await Promise.all(pairs.map(([server, name]) => asked(server, name)));
  expect(new Set(tools.map(({ name }) => name)).size).toBe(pairs.length);
  expect(new Set(tools.map(({ rules }) => String(rules))).size).toBe(pairs.length);
  expect(tools.filter(({ name }) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([]);
  expect(tools[1]?.name).toBe('mcp__a__b__c');
  expect(tools[5]?.name).toBe('mcp__a_b__c');
});

test('a server that ended is started again, and the person is told', async () => {
  const { tools } = await connect([server], await temporaryFolder());
  const said: string[] = [];
  const use = async (name: string): Promise<string> => {
    const { signal } = new AbortController();
    const tool = tools.find((each) => each.name === `mcp__test__${name}`);
    const plan = await tool?.plan({ type: 'json', value: {} }, { signal });
    const result = await plan?.run({ signal, output: (_, text) => void said.push(text) });
    return result?.output ?? '';
  };
  const first = await use('pid');
  await expect(use('die')).rejects.toThrow(
    'the MCP server test ended while this call ran; what it did of it is unknown',
  );
  expect(await use('pid')).not.toBe(first);
  expect(said).toEqual(['the MCP server test had ended: it is started again (1 of 3)\n']);
});

test('a server that ends again and again, or does not start any more, is left alone', async () => {
  const ends = (): Client => {
    const client = {
      onclose: undefined as (() => void) | undefined,
      callTool: () => {
        client.onclose?.();
        return Promise.reject(new Error('closed'));
      },
      close: () => Promise.resolve(),
    };
    return client as unknown as Client;
  };
  let starts = 0;
  const server = new McpServerProcess('x', ends(), () => {
    starts += 1;
    return starts === 2 ? Promise.reject(new Error('no such program')) : Promise.resolve(ends());
  });
  const call = { signal: new AbortController().signal, say: () => undefined };
  const errors: string[] = [];
  for (let n = 0; n < 6; n++)
    await server.call({ name: 't', arguments: {} }, call).catch((error: unknown) => errors.push(String(error)));
  const ended = 'Error: the MCP server x ended while this call ran; what it did of it is unknown';
  const left = 'Error: the MCP server x has ended, and is not started again (3 times it was)';
  expect(errors).toEqual([ended, ended, 'Error: no such program', ended, left, left]);
  expect(starts).toBe(3);
});
