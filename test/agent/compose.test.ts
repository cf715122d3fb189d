import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  noSandbox,
  openAgent,
  openToolbox,
  ThreadStore,
  type OpenAgentOptions,
  type OpenedAgent,
  type Toolbox,
} from '../../packages/agent/src/index.ts';
import { eventsOf, shortHistory, temporaryFolder } from './helpers.ts';
import { answer, ScriptedModel } from './scripted-model.ts';

const server = { name: 'test', command: process.execPath, args: [join(import.meta.dirname, 'mcp-server.ts')] };

/** A toolbox without tools that counts how often it is closed. */
function emptyToolbox(cwd: string): Toolbox & { closed: number } {
  const toolbox = {
    cwd,
    selection: 'none' as const,
    notes: ['a note of the toolbox'],
    tools: () => [],
    closed: 0,
    close: () => {
      toolbox.closed += 1;
      return Promise.resolve();
    },
  };
  return toolbox;
}

interface Place {
  readonly cwd: string;
  /** Names of the claims on conversations. */
  readonly claims: () => Promise<string[]>;
  readonly toolbox: Toolbox & { closed: number };
  readonly open: (options?: Partial<OpenAgentOptions>, said?: string) => Promise<OpenedAgent>;
}

async function place(): Promise<Place> {
  const cwd = await temporaryFolder();
  const folder = await temporaryFolder();
  const threads = new ThreadStore(folder);
  const toolbox = emptyToolbox(cwd);
  const open = (options: Partial<OpenAgentOptions> = {}, said = 'hello'): Promise<OpenedAgent> =>
    openAgent({ model: new ScriptedModel(answer(said)), cwd, threads, toolbox, ...options });
  const claims = (): Promise<string[]> => readdir(join(folder, 'locks'));
  return { cwd, claims, toolbox, open };
}

test('a new conversation is kept, and goes on as the last one and as a fork', async () => {
  const { open } = await place();
  const first = await open();
  await eventsOf(first.agent.run('hi'));
  await first.close();
  const resumed = await open({ conversation: { type: 'resume', id: 'last' } }, 'again');
  await eventsOf(resumed.agent.run('and now?'));
  await resumed.close();
  expect(resumed.thread?.id).toBe(first.thread?.id);
  expect(shortHistory(resumed.agent)).toEqual(['user: hi', 'assistant: hello', 'user: and now?', 'assistant: again']);
  const fork = await open({ conversation: { type: 'fork', id: first.thread?.id ?? '' } });
  expect(fork.thread?.id).not.toBe(first.thread?.id);
  expect(shortHistory(fork.agent)).toEqual(shortHistory(resumed.agent));
});

test('what cannot be kept is a note, and the agent works', async () => {
  const { open, cwd } = await place();
  const file = join(cwd, 'file');
  await writeFile(file, '');
  const opened = await open({ threads: new ThreadStore(join(file, 'threads')) });
  expect(opened.thread).toBeUndefined();
  expect(opened.notes).toEqual([expect.stringMatching(/^the conversation is not kept: .* cannot be written to/)]);
  expect((await eventsOf(opened.agent.run('hi'))).at(-1)).toMatchObject({ type: 'turn.completed' });
});

test('a conversation that cannot be had opens no tools', async () => {
  const { open } = await place();
  let opened = 0;
  const toolbox = (): Promise<Toolbox> => {
    opened += 1;
    return Promise.reject(new Error('not reached'));
  };
  await expect(open({ toolbox, conversation: { type: 'resume', id: 'last' } })).rejects.toMatchObject({
    name: 'ThreadError',
    problem: 'not_found',
  });
  expect(opened).toBe(0);
});

test('tools that cannot be had leave the conversation to others', async () => {
  const { open, claims } = await place();
  const first = await open();
  await eventsOf(first.agent.run('hi'));
  await first.close();
  const id = first.thread?.id ?? '';
  const toolbox = (): Promise<Toolbox> => Promise.reject(new Error('no such folder'));
  await expect(open({ toolbox, conversation: { type: 'resume', id } })).rejects.toThrow('no such folder');
  expect(await claims()).toEqual([]);
  const resumed = await open({ conversation: { type: 'resume', id } });
  expect(await claims()).toHaveLength(1);
  await resumed.close();
  expect(await claims()).toEqual([]);
});

test('a toolbox that was opened for the agent is closed with it, a shared one is not', async () => {
  const { open, toolbox } = await place();
  const shared = await open();
  expect(shared.notes).toEqual([]);
  await shared.close();
  expect(toolbox.closed).toBe(0);
  const own = await open({ toolbox: () => Promise.resolve(toolbox) });
  expect(own.notes).toEqual(['a note of the toolbox']);
  await own.close();
  expect(toolbox.closed).toBe(1);
});

test('a toolbox gives the tools of each selection, never more than it was opened for', async () => {
  const cwd = await temporaryFolder();
  const names = async (select: 'none' | 'read' | 'all'): Promise<Record<string, string[]>> => {
    const mcpServers = [server, { name: 'missing', command: join(cwd, 'missing') }];
    const toolbox = await openToolbox({ cwd, select, sandbox: noSandbox(), mcpServers });
    onTestFinished(() => toolbox.close());
    const of = (wanted?: 'none' | 'read' | 'all'): string[] => toolbox.tools(wanted).map(({ name }) => name);
    return { default: of(), none: of('none'), read: of('read'), all: of('all'), notes: [...toolbox.notes] };
  };
  const reading = ['read_file', 'list_dir', 'search'];
  const all = expect.arrayContaining([
    'shell',
    'apply_patch',
    ...reading,
    expect.stringMatching(/^mcp__test__/),
  ]) as string[];
  const notes = [expect.stringMatching(/^the MCP server missing cannot be used/)] as string[];
  expect(await names('all')).toEqual({ default: all, none: [], read: reading, all, notes });
  expect(await names('read')).toEqual({ default: reading, none: [], read: reading, all: reading, notes: [] });
  expect(await names('none')).toEqual({ default: [], none: [], read: [], all: [], notes: [] });
});
