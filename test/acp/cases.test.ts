import { watch } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { McpServer, SessionUpdate, ToolCallContent } from '@agentclientprotocol/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { noSandbox, type Sandbox } from '../../packages/agent/src/index.ts';
import { isAlive, temporaryFolder } from '../agent/helpers.ts';
import { cases, stall, type AcpCase } from './cases.ts';
import type { Editor } from './client.ts';
import { withEditor } from './setup.ts';

/** Says that it is there, and lets everything be done. */
const walledIn: Sandbox = {
  ...noSandbox(),
  wrap: (argv) => ['/bin/sh', '-c', 'echo walled in; exec "$@"', 'sh', ...argv],
};

const args = [join(import.meta.dirname, '../agent/mcp-server.ts')];
const server: McpServer = { name: 'mine', command: process.execPath, args, env: [] };

test.each(cases)('$name', async (one) => {
  const cwd = await temporaryFolder();
  for (const [name, text] of Object.entries(one.files ?? {})) await writeFile(join(cwd, name), text);
  const got: string[] = [];
  const introduced = Promise.withResolvers<undefined>();
  let cancel = (): Promise<void> => Promise.resolve();
  const watcher = watch(cwd, (_, name) => {
    if (name === 'pid') reached('command runs');
  });
  onTestFinished(() => watcher.close());
  const reached = (stage: string): void => {
    if (stage === one.cancelAt) for (let n = 0; n < (one.cancels ?? 1); n++) void cancel();
  };
  const take = (line: string) => {
    const short = line.replaceAll(`${cwd}/`, '');
    got.push(short);
    reached(short);
    if (line.startsWith('available_commands_update')) introduced.resolve(undefined);
  };
  const waiting: typeof stall = (options) => {
    reached('model waits');
    return stall(options);
  };
  await withEditor(
    one.model.map((steps) => steps.map((step) => (step === stall ? waiting : step))),
    async ({ context, model }) => {
      const mcpServers = one.hasServer === true ? [server] : [];
      const { sessionId } = await context.request('session/new', { cwd, mcpServers });
      cancel = () => context.notify('session/cancel', { sessionId });
      await introduced.promise;
      if (one.mode !== undefined)
        await context.request('session/set_config_option', { sessionId, configId: 'mode', value: one.mode });
      const stops: string[] = [];
      reached('before');
      for (const prompt of one.prompts ?? [[{ type: 'text', text: 'go' }]]) {
        stops.push((await context.request('session/prompt', { sessionId, prompt: [...prompt] })).stopReason);
        if (stops.length === 1) reached('after');
      }
      expect(got).toEqual(one.gets);
      expect(stops).toEqual(one.stops ?? stops.map(() => 'end_turn'));
      for (const text of one.modelSees ?? []) expect(JSON.stringify(model.requests.at(-1)?.input)).toContain(text);
    },
    {
      cwd,
      openSandbox: () => Promise.resolve(walledIn),
      capabilities: one.offers ?? {},
      prepare: (editor) => trace(editor, one, cwd, take),
    },
  );
  // What a command wrote down of itself has ended.
  const pid = await readFile(join(cwd, 'pid'), 'utf8').catch(() => undefined);
  expect(pid !== undefined && isAlive(Number(pid))).toBe(false);
  for (const [name, text] of Object.entries(one.leaves ?? {}))
    expect(await readFile(join(cwd, name), 'utf8').catch(() => null)).toBe(text);
});

/** Tells of each message that the editor gets, and has it answer. */
function trace(editor: Editor, { answer = 'deny', unsaved = {} }: AcpCase, cwd: string, take: (line: string) => void) {
  editor.onUpdate = (update) => take(shortUpdate(update));
  editor.answer = ({ toolCall }) => {
    take(`<- session/request_permission ${toolCall.toolCallId}`);
    return answer;
  };
  editor.elicit = () => {
    take('<- elicitation/create');
    return new Promise(() => undefined);
  };
  editor.app
    .onRequest('fs/read_text_file', async ({ params: { path } }) => {
      const name = relative(cwd, path);
      take(`<- fs/read_text_file ${name}`);
      return { content: unsaved[name] ?? (await readFile(path, 'utf8')) };
    })
    .onRequest('fs/write_text_file', async ({ params: { path, content } }) => {
      take(`<- fs/write_text_file ${relative(cwd, path)}`);
      await writeFile(path, content);
      return {};
    });
  for (const method of ['create', 'output', 'wait_for_exit', 'kill', 'release'] as const)
    editor.app.onRequest(`terminal/${method}`, () => {
      take(`<- terminal/${method}`);
      return Promise.reject(new Error('it has none'));
    });
}

/** What counts of an update, in one line. */
function shortUpdate(update: SessionUpdate): string {
  switch (update.sessionUpdate) {
    case 'available_commands_update':
      return `${update.sessionUpdate} ${update.availableCommands.map(({ name }) => name).join(' ')}`;
    case 'current_mode_update':
      return `${update.sessionUpdate} ${update.currentModeId}`;
    case 'compaction_update':
      return `${update.sessionUpdate} ${update.status}`;
    case 'session_info_update':
      return `${update.sessionUpdate} ${String(update.title)}`;
    case 'plan':
      return `plan ${update.entries.map(({ content, status }) => `${content}=${status}`).join(' ')}`;
    case 'agent_message_chunk':
    case 'agent_thought_chunk':
      return `${update.sessionUpdate} ${update.content.type === 'text' ? update.content.text : update.content.type}`;
    case 'tool_call':
      return `tool_call ${update.toolCallId} ${String(update.kind)} ${String(update.status)}: ${update.title}`;
    case 'tool_call_update': {
      const texts = update.rawOutput === undefined ? [] : (update.content ?? []).flatMap(textOfContent);
      return [`tool_call_update ${update.toolCallId} ${String(update.status)}`, ...texts].join(': ');
    }
    default:
      return update.sessionUpdate;
  }
}

function textOfContent(part: ToolCallContent): string[] {
  return part.type === 'content' && part.content.type === 'text' ? [part.content.text] : [];
}
