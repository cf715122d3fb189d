import type { McpServer, SessionUpdate } from '@agentclientprotocol/sdk';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { answer, call, calls, completed, done, message, usage, type Step } from '../agent/scripted-model.ts';
import { withEditor } from './setup.ts';

const talking = (): Step[] => [{ type: 'output_text.delta', delta: 'Ha' }, () => new Promise(() => undefined)];

describe('a prompt', () => {
  test('right behind a cancel waits for the end of the cancelled turn, while the model talks and while a tool runs', async () => {
    const running = calls(call('shell', { command: 'echo on; sleep 100' }));
    await withEditor(
      [talking(), answer('one'), running, answer('two')],
      async ({ editor, context, model, newSession, prompt }) => {
        const sessionId = await newSession();
        await context.request('session/set_mode', { sessionId, modeId: 'auto' });
        const begun = { text: 'agent_message_chunk', tool: 'tool_call_update' } as const;
        for (const [kind, expected] of [
          ['text', 'one'],
          ['tool', 'two'],
        ] as const) {
          const on = Promise.withResolvers<undefined>();
          editor.onUpdate = (update) => update.sessionUpdate === begun[kind] && on.resolve(undefined);
          const first = prompt(sessionId, 'first');
          await on.promise;
          editor.updates.length = 0;
          void context.notify('session/cancel', { sessionId });
          expect(await Promise.all([first, prompt(sessionId, 'next')])).toEqual(['cancelled', 'end_turn']);
          expect(editor.text()).toBe(expected);
        }
        expect(model.turnOf).toEqual([0, 1, 2, 3]);
      },
    );
  });

  test('that waits is cancelled too, and asks the model nothing', async () => {
    await withEditor([talking(), answer('on')], async ({ editor, context, model, newSession, prompt }) => {
      const sessionId = await newSession();
      const on = Promise.withResolvers<undefined>();
      editor.onUpdate = (update) => update.sessionUpdate === 'agent_message_chunk' && on.resolve(undefined);
      const first = prompt(sessionId, 'first');
      await on.promise;
      void context.notify('session/cancel', { sessionId });
      const second = prompt(sessionId, 'second');
      void context.notify('session/cancel', { sessionId });
      const third = prompt(sessionId, 'third');
      await expect(prompt(sessionId, 'fourth')).rejects.toMatchObject({ code: -32600 });
      expect(await Promise.all([first, second, third])).toEqual(['cancelled', 'cancelled', 'end_turn']);
      expect(JSON.stringify(model.requests[1]!.input)).not.toContain('second');
    });
  });

  test('without content is refused, and goes to no model', async () => {
    await withEditor([], async ({ context, model, newSession, prompt }) => {
      const sessionId = await newSession();
      await expect(prompt(sessionId, ' \n')).rejects.toMatchObject({ code: -32602 });
      await expect(context.request('session/prompt', { sessionId, prompt: [] })).rejects.toMatchObject({
        code: -32602,
      });
      expect(model.requests).toEqual([]);
    });
  });

  test('that is refused is no part of what comes next; one whose tools ran is', async () => {
    const refusal = done({ ...message(''), content: [{ type: 'refusal' as const, refusal: 'No.' }] });
    const filtered = new ModelError({ kind: 'content_filter', message: 'filtered' });
    await withEditor(
      [
        [{ type: 'refusal.delta', delta: 'No.', item_id: 'msg_1' }, refusal, completed()],
        [filtered],
        calls(call('list_dir', { path: '.' })),
        [refusal, completed()],
        answer('Yes.'),
      ],
      async ({ editor, model, newSession, prompt }) => {
        const id = await newSession();
        expect(await prompt(id, 'bad one')).toBe('refusal');
        expect(editor.text()).toBe('No.');
        expect(await prompt(id, 'bad two')).toBe('refusal');
        expect(await prompt(id, 'bad three')).toBe('end_turn');
        expect(await prompt(id, 'good')).toBe('end_turn');
        const told = JSON.stringify(model.requests.at(-1)!.input);
        expect([told.includes('bad one'), told.includes('bad two'), told.includes('bad three')]).toEqual([
          false,
          false,
          true,
        ]);
      },
    );
  });
});

describe('an editor', () => {
  test('gets pieces of a text that come together as one message, in order, each kind on its own', async () => {
    const pieces: Step[] = Array.from({ length: 20_000 }, (_, n) => [
      { type: 'output_text.delta', delta: `${n} `, item_id: n < 10_000 ? 'msg_1' : 'msg_2' } as const,
    ]);
    const thought: Step = { type: 'reasoning_text.delta', delta: 'Hm', content_index: 0, item_id: 'rs_1' };
    await withEditor(
      [[thought, ...pieces, done(message('', 'msg_1')), completed()]],
      async ({ editor, newSession, prompt }) => {
        await prompt(await newSession());
        expect(editor.text()).toBe(Array.from({ length: 20_000 }, (_, n) => `${n} `).join(''));
        const chunks = editor.updates.filter((update) => update.sessionUpdate === 'agent_message_chunk');
        expect(chunks.length).toBeLessThan(200);
        expect(new Set(chunks.map((chunk) => chunk.messageId))).toEqual(new Set(['msg_1', 'msg_2']));
        expect(editor.text('agent_thought_chunk')).toBe('Hm');
      },
    );
  });

  test('may be a command of the person: it is announced, and what it stands for goes to the model', async () => {
    const commands = [
      { name: 'fix', description: 'Mend\u202e', body: 'Mend $ARGUMENTS.', path: '/x/fix.md' },
      { name: 'go', description: 'Go on', body: 'Go on.', path: '/x/go.md' },
    ];
    const link = { type: 'resource_link', name: 'a', uri: 'file:///a' } as const;
    await withEditor(
      [answer('one'), answer('two')],
      async ({ editor, context, model, newSession, prompt }) => {
        const sessionId = await newSession();
        await prompt(sessionId, '/go');
        const told = editor.updates.find((update) => update.sessionUpdate === 'available_commands_update');
        expect(told?.sessionUpdate === 'available_commands_update' && told.availableCommands.slice(2)).toEqual([
          { name: 'fix', description: 'Mend\\u{202e}', input: { hint: 'arguments' } },
          { name: 'go', description: 'Go on' },
        ]);
        await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: '/fix this' }, link] });
        const text = (one: string) => ({ type: 'input_text', text: one });
        const said = model.requests.at(-1)?.input.filter((item) => item.type === 'message' && item.role === 'user');
        expect(said).toEqual([
          { type: 'message', role: 'user', content: [text('Go on.')] },
          { type: 'message', role: 'user', content: [text('Mend this.'), text('[file: file:///a]')] },
        ]);
      },
      { commands },
    );
  });

  test('comes with the skills of the person, where there are any', async () => {
    const skills = [{ name: 'release', description: 'How a version is released', body: 'Tag it.', folder: '/x' }];
    await withEditor(
      [calls(call('read_skill', { name: 'release' })), answer('Tagged')],
      async ({ model, newSession, prompt }) => {
        await prompt(await newSession());
        expect(JSON.stringify(model.requests[0]?.tools)).toContain('- release: How a version is released');
        expect(JSON.stringify(model.requests[1]?.input)).toContain('[skill in /x]\\nTag it.');
      },
      { skills },
    );
  });

  const long = 'Hi '.repeat(1000);

  test('is told the title, the use of the window, what a command did, and every command there is', async () => {
    await withEditor(
      [answer(long, { usage }), answer('The summary', { usage })],
      async ({ editor, model, newSession, prompt }) => {
        const id = await newSession();
        expect(await prompt(id, 'Say\nhi')).toBe('end_turn');
        expect(await prompt(id, '/compact')).toBe('end_turn');
        expect(JSON.stringify(model.requests)).not.toContain('/compact');
        const without = (update: SessionUpdate) => update.sessionUpdate !== 'config_option_update';
        expect(editor.updates.filter(without)).toEqual([
          {
            sessionUpdate: 'available_commands_update',
            availableCommands: [
              { name: 'compact', description: 'Summarise the conversation to make room' },
              { name: 'undo', description: 'Take the last patch of the agent back' },
            ],
          },
          { sessionUpdate: 'session_info_update', title: 'Say hi' },
          { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: long }, messageId: 'msg_1' },
          { sessionUpdate: 'usage_update', used: 15, size: 1000 },
          { sessionUpdate: 'compaction_update', compactionId: 'compaction_1', status: 'in_progress' },
          { sessionUpdate: 'compaction_update', compactionId: 'compaction_1', status: 'completed' },
          {
            sessionUpdate: 'agent_message_chunk',
            content: { type: 'text', text: 'The conversation is summarised: 2 items became 2.' },
          },
        ]);
      },
      { contextWindow: 1000, capabilities: { session: { compaction: {}, notices: {} } } },
    );
  });

  test('is told notes beside the conversation where it has a place for them, else among the thoughts', async () => {
    const notes = ['mind \u202e this'];
    const mcpServers: McpServer[] = [
      { name: 'bad', command: '/nonexistent', args: [], env: [] },
      { type: 'http', name: 'web', url: 'http://127.0.0.1:2/', headers: [{ name: 'a', value: 'b' }] },
    ];
    for (const notices of [true, false]) {
      await withEditor(
        [answer('Hi')],
        async ({ editor, context, cwd, prompt }) => {
          const { sessionId } = await context.request('session/new', { cwd, mcpServers });
          await prompt(sessionId);
          const told = editor.updates.filter((update) => update.sessionUpdate === 'notice');
          expect(told.map(({ title }) => title)).toEqual(
            notices
              ? [
                  'mind \\u{202e} this',
                  expect.stringContaining('the MCP server bad cannot be used'),
                  expect.stringContaining(
                    'the MCP server web cannot be used: http://127.0.0.1:2: POST http://127.0.0.1:2/ failed',
                  ),
                ]
              : [],
          );
          const thought = editor.text('agent_thought_chunk');
          expect([thought.includes('mind  this'), thought.includes('MCP server bad')]).toEqual([!notices, !notices]);
        },
        { notes, capabilities: notices ? { session: { notices: {} } } : {} },
      );
    }
  });

  test('that loads a session gets past calls as they were: title, kind, diff, how they ended; and images', async () => {
    const patch = '*** Begin Patch\n*** Add File: hello.txt\n+hello\n*** End Patch';
    await withEditor(
      [
        calls(call('apply_patch', { input: patch }, 'yes'), call('shell', { command: 'rm x' }, 'no')),
        calls(call('shell', { command: 'cat missing' }, 'fails')),
        answer('Done.'),
      ],
      async ({ editor, context, cwd, newSession }) => {
        editor.answer = ({ toolCall }) => (toolCall.title === 'rm x' ? 'deny' : 'once');
        const sessionId = await newSession();
        const image = { type: 'image' as const, data: 'AAAA', mimeType: 'image/png' };
        await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'go' }, image] });
        const steps = editor.updates.filter(isOfCall);
        editor.updates.length = 0;
        await context.request('session/load', { sessionId, cwd, mcpServers: [] });
        const past = editor.updates.filter(isOfCall);
        const begun = (all: readonly SessionUpdate[]) =>
          new Set(all.filter((update) => update.sessionUpdate === 'tool_call'));
        expect(begun(past)).toEqual(begun(steps));
        const ends = (all: readonly SessionUpdate[]) =>
          all.flatMap((update) => {
            if (update.sessionUpdate !== 'tool_call_update' || update.rawOutput === undefined) return [];
            return [{ id: update.toolCallId, status: update.status, raw: update.rawOutput, content: update.content }];
          });
        const byId = (all: readonly SessionUpdate[]) => ends(all).sort((one, other) => (one.id < other.id ? -1 : 1));
        expect(byId(past)).toEqual(byId(steps));
        expect(byId(past).map(({ id, status }) => `${id} ${status}`)).toEqual([
          'fails failed',
          'no failed',
          'yes completed',
        ]);
        const said = editor.updates.filter((update) => update.sessionUpdate === 'user_message_chunk');
        expect(said.map(({ content }) => content)).toEqual([{ type: 'text', text: 'go' }, image]);
        expect(editor.text()).toBe('Done.');
      },
    );
  });
});

function isOfCall(update: SessionUpdate): boolean {
  return update.sessionUpdate === 'tool_call' || update.sessionUpdate === 'tool_call_update';
}
