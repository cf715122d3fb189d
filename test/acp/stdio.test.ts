import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { ndJsonStream, PROTOCOL_VERSION, type ClientContext, type McpServer } from '@agentclientprotocol/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { slowMcpServer } from '../agent/slow-mcp-server.ts';
import { childEnv } from '../run-folder.ts';
import { Editor } from './client.ts';

/** The command as an editor starts it; the folder is also what `home` names. */
function startAcp(baseUrl: string, cwd: string, home: 'HOME' | 'XDG_STATE_HOME', wire: ProtocolId = 'chat') {
  return startWith(['--base-url', baseUrl, '--wire', wire, '--model', 'm'], cwd, home);
}

function startWith(flags: readonly string[], cwd: string, home: 'HOME' | 'XDG_STATE_HOME' = 'HOME') {
  const main = join(import.meta.dirname, '../../turnwire/src/cli/main.ts');
  const child = spawn(process.execPath, [main, 'acp', ...flags], {
    cwd,
    env: { ...childEnv, [home]: cwd },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function streamOf(child: ReturnType<typeof startWith>) {
  return ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>);
}

test.each(protocolIds)(
  'turnwire acp on stdio: a turn with an approval, over the %s wire that never closes',
  async (wire) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.txt'), 'one\n');
    const input = '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch';
    await using server = await startMock({
      wire,
      faults: ['finish-then-hold'],
      scenario: {
        turns: [
          {
            replies: [
              {
                parts: [
                  { type: 'text', text: 'I will.' },
                  { type: 'tool_call', name: 'apply_patch', arguments: { input } },
                ],
              },
              { parts: [{ type: 'text', text: 'Done.' }] },
            ],
          },
        ],
      },
    });
    const child = startAcp(server.baseUrl, cwd, 'HOME', wire);
    const editor = new Editor();
    editor.answer = 'once';
    await editor.app.connectWith(streamOf(child), async (context) => {
      await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
      const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
      const { stopReason } = await context.request('session/prompt', {
        sessionId,
        prompt: [{ type: 'text', text: 'Fix it' }],
      });
      expect(stopReason).toBe('end_turn');
    });
    expect(await readFile(join(cwd, 'a.txt'), 'utf8')).toBe('two\n');
    expect(editor.text()).toBe('I will.Done.');
    expect(editor.questions).toHaveLength(1);
    child.stdin.end();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  },
);

test('turnwire acp begins a session without an MCP server that is slow to start', async () => {
  const cwd = await temporaryFolder();
  const slow = await slowMcpServer();
  await using server = await startMock();
  const child = startAcp(server.baseUrl, cwd, 'HOME');
  const editor = new Editor();
  await editor.app.connectWith(streamOf(child), async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const mcpServers: McpServer[] = [{ type: 'http', name: 'slow', url: slow.url, headers: [] }];
    const { sessionId } = await context.request('session/new', { cwd, mcpServers });
    await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: '/say Hello.' }] });
  });
  expect(JSON.stringify(editor.updates)).toContain('starting MCP server slow: its tools join when it is up');
  expect(editor.text()).toContain('Hello.');
  child.stdin.end();
  await once(child, 'exit');
});

test.each(['the end of stdin', 'SIGTERM'])('%s ends a running turn, and it is written down', async (how) => {
  const cwd = await temporaryFolder();
  const command = 'echo begun; sleep 1000';
  await using server = await startMock({
    wire: 'chat',
    scenario: { turns: [{ replies: [{ parts: [{ type: 'tool_call', name: 'shell', arguments: { command } }] }] }] },
  });
  const child = startAcp(server.baseUrl, cwd, 'XDG_STATE_HOME');
  const exit = once(child, 'exit');
  const editor = new Editor();
  const runs = Promise.withResolvers<undefined>();
  editor.onUpdate = (update) => {
    if (update.sessionUpdate === 'tool_call_update' && JSON.stringify(update).includes('begun'))
      runs.resolve(undefined);
  };
  const connection = editor.app.connectWith(streamOf(child), async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
    await context.request('session/set_mode', { sessionId, modeId: 'auto' });
    await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'Wait' }] });
  });
  const closed = expect(connection).rejects.toThrow('connection closed');
  await runs.promise;
  if (how === 'SIGTERM') child.kill('SIGTERM');
  else child.stdin.end();
  await closed;
  expect(await exit).toEqual([0, null]);
  const threads = join(cwd, 'turnwire', 'threads');
  const [file = ''] = (await readdir(threads)).filter((name) => name.endsWith('.jsonl'));
  const records = (await readFile(join(threads, file), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(records.slice(-4)).toEqual(['tool.started', 'tool.finished', 'response', 'turn.ended']);
  expect(await readdir(join(threads, 'locks'))).toEqual([]);
});

test("an untrusted project's MCP servers are not started, and the editor is told once", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'turnwire.toml'), '[mcp_servers.theirs]\ncommand = "touch"\nargs = ["made"]\n');
  await using server = await startMock({ wire: 'chat' });
  const child = startAcp(server.baseUrl, cwd, 'HOME');
  const editor = new Editor();
  await editor.app.connectWith(streamOf(child), async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
    for (const text of ['one', 'two']) {
      await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text }] });
    }
  });
  expect(editor.text('agent_thought_chunk')).toBe(
    `\n[${cwd}/turnwire.toml is ignored, for this folder is not trusted: it names the MCP server theirs; ` +
      'start turnwire here in a terminal and say yes, or use --trust-project]\n',
  );
  expect(await readdir(cwd)).not.toContain('made');
  child.stdin.end();
  await once(child, 'exit');
});

test('without a model server the first answer says that no model gives it', async () => {
  const cwd = await temporaryFolder();
  const child = startWith([], cwd);
  const editor = new Editor();
  await editor.app.connectWith(streamOf(child), async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
    await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'hi' }] });
  });
  expect(editor.text()).toMatch(
    /^\[no provider was named, so the answers are scripted, without key or network\. A real/,
  );
  child.stdin.end();
  await once(child, 'exit');
});

test('without its key there is no session, until the configuration is mended', async () => {
  const cwd = await temporaryFolder();
  const file = join(cwd, '.config', 'turnwire', 'config.toml');
  await mkdir(dirname(file), { recursive: true });
  const table =
    'model_provider = "one"\n[model_providers.one]\nbase_url = "http://127.0.0.1:9/v1"\nwire_api = "chat"\n';
  await writeFile(file, `${table}env_key = "NO_SUCH_KEY"\n`);
  const child = startWith([], cwd);
  const editor = new Editor();
  await editor.app.connectWith(streamOf(child), async (context) => {
    const { authMethods } = await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    expect(authMethods?.map(({ id }) => id)).toEqual(['configuration']);
    const newSession = () => context.request('session/new', { cwd, mcpServers: [] });
    const missing = {
      code: -32000,
      message:
        'Authentication required: the environment variable NO_SUCH_KEY is not set: provider "one" takes its key from it',
    };
    await expect(newSession()).rejects.toMatchObject(missing);
    await expect(context.request('authenticate', { methodId: 'configuration' })).rejects.toMatchObject(missing);
    await writeFile(file, table);
    await context.request('authenticate', { methodId: 'configuration' });
    expect((await newSession()).sessionId).toMatch(/^\d{8}-/);
  });
  child.stdin.end();
  await once(child, 'exit');
});

test('a conversation that is loaded goes on with its own server, and a provider that is gone is told', async () => {
  const cwd = await temporaryFolder();
  const file = join(cwd, '.config', 'turnwire', 'config.toml');
  await mkdir(dirname(file), { recursive: true });
  const serve = (text: string) => {
    const replies = [{ parts: [{ type: 'text' as const, text }] }];
    return startMock({ scenario: { turns: [{ replies }, { replies }] } });
  };
  await using one = await serve('One.');
  await using other = await serve('Other.');
  const configure = (name: string, baseUrl: string) =>
    writeFile(
      file,
      `model_provider = "${name}"\n[model_providers.${name}]\nbase_url = "${baseUrl}"\nwire_api = "chat"\nmodel = "of-${name}"\n`,
    );
  const talk = async (sessionId?: string) => {
    const child = startWith([], cwd);
    const editor = new Editor();
    const id = await editor.app.connectWith(streamOf(child), async (context) => {
      await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
      const fresh = await context.request('session/new', { cwd, mcpServers: [] });
      if (sessionId !== undefined) await context.request('session/load', { sessionId, cwd, mcpServers: [] });
      editor.updates.length = 0;
      for (const one of sessionId === undefined ? [fresh.sessionId] : [sessionId, fresh.sessionId])
        await context.request('session/prompt', { sessionId: one, prompt: [{ type: 'text', text: 'hi' }] });
      return fresh.sessionId;
    });
    child.stdin.end();
    await once(child, 'exit');
    return { id, editor };
  };
  await configure('one', one.baseUrl);
  const { id } = await talk();
  await configure('other', other.baseUrl);
  const { editor } = await talk(id);
  expect(editor.text()).toBe('One.Other.');
  expect(editor.text('agent_thought_chunk')).toBe(
    `\n[provider "one" at ${one.baseUrl} is not in the configuration any more: the conversation goes on with that server as the thread remembers it]\n`,
  );
  const models = [one, other].map(({ requests }) => requests.map(({ body }) => (body as { model?: string }).model));
  expect(models.map((asked) => asked.filter((model) => model !== undefined))).toEqual([
    ['of-one', 'of-one'],
    ['of-other'],
  ]);
});

test('a model that was chosen in a session is its model again where flags name the server', async () => {
  const cwd = await temporaryFolder();
  const file = join(cwd, '.config', 'turnwire', 'config.toml');
  await mkdir(dirname(file), { recursive: true });
  const replies = [{ parts: [{ type: 'text' as const, text: 'One.' }] }];
  await using one = await startMock({ scenario: { model: 'chosen', turns: [{ replies }, { replies }] } });
  await writeFile(file, `[model_providers.one]\nbase_url = "${one.baseUrl}"\nwire_api = "chat"\nmodel = "of-one"\n`);
  const talk = async (work: (context: ClientContext, editor: Editor) => Promise<string>): Promise<string> => {
    const child = startWith(['--provider', 'one'], cwd);
    const editor = new Editor();
    const id = await editor.app.connectWith(streamOf(child), async (context) => {
      await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
      const sessionId = await work(context, editor);
      await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'hi' }] });
      expect(editor.text('agent_thought_chunk')).toBe('');
      return sessionId;
    });
    child.stdin.end();
    await once(child, 'exit');
    return id;
  };
  const id = await talk(async (context, editor) => {
    const listed = Promise.withResolvers<undefined>();
    editor.onUpdate = ({ sessionUpdate }) => {
      if (sessionUpdate === 'config_option_update') listed.resolve(undefined);
    };
    const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
    await listed.promise;
    await context.request('session/set_config_option', { sessionId, configId: 'model', value: 'chosen' });
    return sessionId;
  });
  await talk(async (context) => {
    const { configOptions } = await context.request('session/load', { sessionId: id, cwd, mcpServers: [] });
    const option = configOptions?.find(({ category }) => category === 'model');
    expect(option?.currentValue).toBe('chosen');
    return id;
  });
  const asked = one.requests.filter(({ method }) => method === 'POST');
  expect(asked.map(({ body }) => (body as { model?: string }).model)).toEqual(['chosen', 'chosen']);
});
