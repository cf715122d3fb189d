import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { McpServer } from '@agentclientprotocol/sdk';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, call, calls, completed, done, message, retrying, type Step } from '../agent/scripted-model.ts';
import { withEditor } from './setup.ts';

const patch = '*** Begin Patch\n*** Add File: hello.txt\n+hello\n*** End Patch';

describe('an editor', () => {
  test('is told what the agent can do', async () => {
    await withEditor([], async ({ context, cwd }) => {
      const answer = await context.request('initialize', { protocolVersion: 1 });
      expect(answer).toMatchObject({
        protocolVersion: 1,
        agentInfo: { name: 'turnwire', version: '1.2.3' },
        agentCapabilities: { loadSession: true, mcpCapabilities: { http: true } },
      });
      const session = await context.request('session/new', { cwd, mcpServers: [] });
      expect(session.modes).toMatchObject({ currentModeId: 'ask' });
      expect(session.modes?.availableModes.map((mode) => mode.id)).toEqual(['read-only', 'ask', 'auto']);
    });
  });

  test('gets thoughts and text as they come, each once, streamed or not', async () => {
    const script: Step[] = [
      { type: 'reasoning_text.delta', delta: 'Hm', content_index: 0, item_id: 'rs_1' },
      {
        type: 'output_item.done',
        item: { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
      },
      {
        type: 'output_item.done',
        item: { type: 'reasoning', id: 'rs_2', summary: [{ type: 'summary_text', text: ' whole' }] },
      },
      { type: 'output_text.delta', delta: 'Hel', item_id: 'msg_1' },
      { type: 'output_text.delta', delta: 'lo', item_id: 'msg_1' },
      done(message('Hello')),
      done(message(' whole', 'msg_2')),
      completed(),
    ];
    await withEditor([script], async ({ editor, newSession, prompt }) => {
      expect(await prompt(await newSession())).toBe('end_turn');
      expect(editor.text('agent_thought_chunk')).toBe('Hm whole');
      expect(editor.text()).toBe('Hello whole');
    });
  });

  test('sees every character of what it is asked about, and why it is asked', async () => {
    const command = 'echo \u202e gpj.exe\nrm x # \u200b\u001b[8m';
    await withEditor(
      [calls(call('shell', { command }), call('no\u202etool', {}, 'call_2')), answer('done')],
      async ({ editor, cwd, context, newSession, prompt }) => {
        const sessionId = await newSession();
        expect(await prompt(sessionId)).toBe('end_turn');
        const title = editor.questions[0]?.toolCall.title;
        expect(title).toContain('echo \\u{202e} gpj.exe\\nrm x # \\u{200b}\\u{1b}[8m');
        const told = editor.updates.flatMap((one) => (one.sessionUpdate === 'tool_call' ? [one.title] : []));
        expect(new Set(told)).toEqual(new Set([title, 'no\\u{202e}tool']));
        const [reason] = editor.questions[0]?.toolCall.content ?? [];
        expect(reason).toMatchObject({ type: 'content', content: { type: 'text' } });
        expect(reason).toEqual({
          type: 'content',
          content: { type: 'text', text: editor.questions[0]?.toolCall._meta?.reason },
        });
        editor.updates.length = 0;
        await context.request('session/load', { sessionId, cwd, mcpServers: [] });
        const again = editor.updates.flatMap((one) => (one.sessionUpdate === 'tool_call' ? [one.title] : []));
        expect(new Set(again)).toEqual(new Set(told));
      },
    );
  });

  test('drives a turn with an approval: the diff first, then the file', async () => {
    await withEditor(
      [calls(call('apply_patch', { input: patch })), answer('done')],
      async ({ editor, cwd, newSession, prompt }) => {
        editor.answer = 'once';
        expect(await prompt(await newSession())).toBe('end_turn');
        const path = join(cwd, 'hello.txt');
        expect(await readFile(path, 'utf8')).toBe('hello\n');
        expect(editor.updates.find((update) => update.sessionUpdate === 'tool_call')).toMatchObject({
          sessionUpdate: 'tool_call',
          toolCallId: 'call_1',
          title: 'patch hello.txt',
          kind: 'edit',
          status: 'pending',
          locations: [{ path }],
          content: [{ type: 'diff', path, oldText: null, newText: 'hello\n' }],
          rawInput: { input: patch },
        });
        expect(editor.updates.slice(0, editor.questionAt[0])).toContainEqual(
          expect.objectContaining({ sessionUpdate: 'tool_call' }),
        );
        expect(editor.questions[0]).toMatchObject({
          toolCall: {
            toolCallId: 'call_1',
            content: [{ content: { text: 'it writes a file' } }, { type: 'diff', path }],
          },
          options: [
            { kind: 'allow_once' },
            { kind: 'allow_always' },
            { kind: 'reject_once' },
            { kind: 'reject_always' },
          ],
        });
        expect(editor.toolSteps()).toEqual(['call_1 pending', 'call_1 in_progress', 'call_1 completed']);
        expect(editor.text()).toBe('done');
      },
    );
  });

  test('says no: nothing is written, and the model is told', async () => {
    await withEditor(
      [calls(call('apply_patch', { input: patch })), answer('ok')],
      async ({ editor, cwd, model, newSession, prompt }) => {
        await prompt(await newSession());
        await expect(readFile(join(cwd, 'hello.txt'))).rejects.toThrow('ENOENT');
        expect(editor.toolSteps()).toEqual(['call_1 pending', 'call_1 failed']);
        expect(JSON.stringify(model.requests[1]!.input)).toContain('the user said no');
      },
    );
  });

  test('allows for this session: another session asks again', async () => {
    const again = calls(call('shell', { command: 'echo x >> log' }));
    await withEditor(
      [again, answer('a'), again, answer('b'), again, answer('c')],
      async ({ editor, cwd, newSession, prompt }) => {
        editor.answer = 'session';
        const first = await newSession();
        await prompt(first);
        await prompt(first);
        expect(editor.questions).toHaveLength(1);
        editor.answer = 'deny';
        await prompt(await newSession());
        expect(editor.questions).toHaveLength(2);
        expect(await readFile(join(cwd, 'log'), 'utf8')).toBe('x\nx\n');
        expect(editor.toolSteps().filter((step) => step.endsWith('pending'))).toEqual([
          'call_1 pending',
          'call_1#2 pending',
          'call_1 pending',
        ]);
      },
    );
  });

  test('cancels: while the model talks, while a tool runs, while it is asked itself', async () => {
    const talking: Step[] = [{ type: 'output_text.delta', delta: 'Ha' }, () => new Promise(() => undefined)];
    const running = calls(call('shell', { command: 'echo on; sleep 100' }, 'run'));
    const asking = calls(call('apply_patch', { input: patch }, 'ask'));
    await withEditor([talking, running, asking, answer('fine')], async ({ editor, context, newSession, prompt }) => {
      const sessionId = await newSession();
      const cancel = (): void => void context.notify('session/cancel', { sessionId });
      editor.onUpdate = (update) => update.sessionUpdate === 'agent_message_chunk' && cancel();
      expect(await prompt(sessionId)).toBe('cancelled');
      editor.answer = 'once';
      editor.onUpdate = (update) =>
        update.sessionUpdate === 'tool_call_update' && update.content?.length === 1 && cancel();
      expect(await prompt(sessionId)).toBe('cancelled');
      editor.onUpdate = () => undefined;
      editor.answer = () => (cancel(), 'no answer');
      expect(await prompt(sessionId)).toBe('cancelled');
      expect(await prompt(sessionId)).toBe('end_turn');
      expect(editor.toolSteps().filter((step) => step.endsWith('failed'))).toEqual(['run failed', 'ask failed']);
    });
  });

  test('switches modes', async () => {
    const write = calls(call('shell', { command: 'touch made' }));
    await withEditor(
      [write, answer('a'), write, answer('b')],
      async ({ editor, context, model, newSession, prompt }) => {
        const sessionId = await newSession();
        await context.request('session/set_mode', { sessionId, modeId: 'read-only' });
        await prompt(sessionId);
        expect(JSON.stringify(model.requests[1]!.input)).toContain('there is no tool \\"shell\\"');
        expect(model.requests[0]!.instructions).toMatch(
          /^(?![^]*apply_patch)[^]*You can look at files and cannot change them/,
        );
        await context.request('session/set_mode', { sessionId, modeId: 'auto' });
        await prompt(sessionId);
        expect(model.requests[2]!.instructions).toContain('Change files with apply_patch.');
        expect(editor.toolSteps().at(-1)).toBe('call_1#2 completed');
        expect(editor.questions).toEqual([]);
        await expect(context.request('session/set_mode', { sessionId, modeId: 'yolo' })).rejects.toThrow(
          'Invalid params',
        );
      },
    );
  });

  test('loads a session: the conversation comes again, and goes on', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.txt'), 'A\n');
    let sessionId = '';
    const script = calls(call('read_file', { path: 'a.txt' }));
    await withEditor(
      [script, answer('It says A.')],
      async ({ newSession, prompt }) => {
        sessionId = await newSession();
        await prompt(sessionId, 'What does it say?');
      },
      { cwd },
    );
    await withEditor(
      [answer('Still A.')],
      async ({ editor, context, model, prompt }) => {
        const { sessions } = await context.request('session/list', { cwd });
        expect(sessions).toMatchObject([{ sessionId, cwd, title: 'What does it say?' }]);
        await context.request('session/load', { sessionId, cwd, mcpServers: [] });
        expect(editor.text('user_message_chunk')).toBe('What does it say?');
        expect(editor.toolSteps()).toEqual(['call_1 pending', 'call_1 completed']);
        expect(editor.text()).toBe('It says A.');
        expect(await prompt(sessionId, 'And now?')).toBe('end_turn');
        expect(model.requests[0]!.input).toHaveLength(5);
        const missing = { sessionId: '20200101-000000-aaaaaa', cwd, mcpServers: [] };
        await expect(context.request('session/load', missing)).rejects.toMatchObject({ code: -32002 });
      },
      { cwd },
    );
  });

  test('loads a session whose turn still runs: the turn ends first, and its end is part of what is loaded', async () => {
    await withEditor(
      [calls(call('shell', { command: 'echo begun; sleep 1000' })), answer('On.')],
      async ({ editor, context, cwd, model, newSession, prompt }) => {
        const sessionId = await newSession();
        await context.request('session/set_mode', { sessionId, modeId: 'auto' });
        const runs = Promise.withResolvers<undefined>();
        editor.onUpdate = (update) => {
          if (update.sessionUpdate === 'tool_call_update' && JSON.stringify(update).includes('begun'))
            runs.resolve(undefined);
        };
        const running = prompt(sessionId);
        await runs.promise;
        await context.request('session/load', { sessionId, cwd, mcpServers: [] });
        expect(await running).toBe('cancelled');
        expect(await prompt(sessionId)).toBe('end_turn');
        expect(JSON.stringify(model.requests[1]!.input)).toContain('stopped: the user interrupted the turn');
        // A folder that is not there leaves the conversation free for the next one.
        const gone = { sessionId, cwd: join(cwd, 'gone'), mcpServers: [] };
        await expect(context.request('session/load', gone)).rejects.toMatchObject({ code: -32602 });
        expect(await readdir(join(cwd, '.threads', 'locks'))).toEqual([]);
      },
    );
  });

  test('is told of a retry, and that what it saw is void', async () => {
    const script: Step[] = [
      { type: 'output_text.delta', delta: 'void', item_id: 'm' },
      retrying(['m']),
      ...answer('real'),
    ];
    await withEditor([script], async ({ editor, newSession, prompt }) => {
      await prompt(await newSession());
      expect(editor.text()).toBe('void\n[Reconnecting 1/5: cut. What was written of this answer is void.]\nreal');
    });
  });

  test('gets the reason when a turn fails, and can go on', async () => {
    const failure = new ModelError({ kind: 'unauthorized', message: 'no such key', status: 401 });
    const limit = new ModelError({ kind: 'incomplete', message: 'cut', code: 'max_output_tokens' });
    await withEditor(
      [[failure], [limit], calls(call('nope', {})), answer('back')],
      async ({ newSession, prompt }) => {
        const id = await newSession();
        await expect(prompt(id)).rejects.toMatchObject({ code: -32603, data: { kind: 'unauthorized' } });
        expect(await prompt(id)).toBe('max_tokens');
        expect(await prompt(id)).toBe('max_turn_requests');
        expect(await prompt(id)).toBe('end_turn');
      },
      { maxRequests: 1 },
    );
  });

  test('is refused what makes no sense', async () => {
    await withEditor([[() => new Promise(() => undefined)]], async ({ context, newSession, prompt, editor }) => {
      await expect(prompt('nope')).rejects.toMatchObject({ code: -32002 });
      await expect(context.request('session/new', { cwd: 'relative', mcpServers: [] })).rejects.toMatchObject({
        code: -32602,
      });
      await expect(context.request('session/new', { cwd: '/no/such', mcpServers: [] })).rejects.toMatchObject({
        code: -32602,
      });
      const id = await newSession();
      const first = prompt(id);
      await expect(prompt(id)).rejects.toMatchObject({ code: -32600 });
      await context.notify('session/cancel', { sessionId: id });
      expect(await first).toBe('cancelled');
      await context.request('session/close', { sessionId: id });
      await expect(prompt(id)).rejects.toMatchObject({ code: -32002 });
      expect(editor.questions).toEqual([]);
    });
  });

  test('brings MCP servers of its own', async () => {
    await withEditor(
      [calls(call('mcp__mine__add', { a: 1, b: 2 })), answer('3')],
      async ({ context, cwd, editor, prompt }) => {
        const args = [join(import.meta.dirname, '../agent/mcp-server.ts')];
        const mcpServers: McpServer[] = [{ name: 'mine', command: process.execPath, args, env: [] }];
        const { sessionId } = await context.request('session/new', { cwd, mcpServers });
        editor.answer = 'once';
        await prompt(sessionId);
        expect(editor.toolSteps().at(-1)).toBe('call_1 completed');
        await context.request('session/close', { sessionId });
      },
    );
  });

  test('sends files and images along', async () => {
    await withEditor([answer('seen')], async ({ context, model, newSession }) => {
      const sessionId = await newSession();
      await context.request('session/prompt', {
        sessionId,
        prompt: [
          { type: 'text', text: 'look' },
          { type: 'resource', resource: { uri: 'file:///a.txt', text: 'A' } },
          { type: 'resource_link', uri: 'file:///b.txt', name: 'b' },
          { type: 'image', data: 'AAAA', mimeType: 'image/png' },
        ],
      });
      expect(model.requests[0]!.input[0]).toEqual({
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'look' },
          { type: 'input_text', text: '[file: file:///a.txt]\nA\n[end of file]' },
          { type: 'input_text', text: '[file: file:///b.txt]' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
        ],
      });
    });
  });

  test('that loads a session twice at once has it once: closed, it is free for another process', async () => {
    await withEditor([answer('done')], async ({ context, cwd, newSession, prompt }) => {
      const sessionId = await newSession();
      await prompt(sessionId);
      const load = () => context.request('session/load', { sessionId, cwd, mcpServers: [] });
      await Promise.all([load(), load()]);
      await context.request('session/close', { sessionId });
      expect(await readdir(join(cwd, '.threads', 'locks'))).toEqual([]);
    });
  });
});
