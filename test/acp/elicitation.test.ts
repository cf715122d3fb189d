import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientCapabilities, ClientContext, McpServer } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import { withEditor } from './setup.ts';
import type { Editor } from './client.ts';

const args = [join(import.meta.dirname, '../agent/mcp-server.ts')];
const mcpServers: McpServer[] = [{ name: 'mine', command: process.execPath, args, env: [] }];

interface Asking {
  readonly editor: Editor;
  readonly context: ClientContext;
  readonly sessionId: string;
  readonly go: () => Promise<string>;
}

/** A session of an editor, and a turn in which the model calls a tool of the editor's MCP server. */
async function asking(
  elicitation: ClientCapabilities['elicitation'],
  tool: { readonly name: string; readonly args?: object },
  work: (asking: Asking) => Promise<void>,
): Promise<void> {
  const script = calls(call(`mcp__mine__${tool.name}`, tool.args ?? {}));
  const capabilities = elicitation === undefined ? {} : { elicitation };
  await withEditor(
    [script, answer('done')],
    async ({ editor, context, cwd, prompt }) => {
      const { sessionId } = await context.request('session/new', { cwd, mcpServers });
      await context.request('session/set_mode', { sessionId, modeId: 'auto' });
      await work({ editor, context, sessionId, go: () => prompt(sessionId) });
    },
    { capabilities },
  );
}

function outputOf({ updates }: Editor): unknown {
  const last = updates.findLast((one) => one.sessionUpdate === 'tool_call_update' && one.rawOutput !== undefined);
  return last?.sessionUpdate === 'tool_call_update' ? (last.rawOutput as { output: string }).output : undefined;
}

test('what an MCP server asks is asked by the editor, beside the call that it is about, and the answer goes back', async () => {
  await asking({ form: {} }, { name: 'ask' }, async ({ editor, sessionId, go }) => {
    const content = { name: 'Ann', age: 40, sure: true, size: 'm', tags: ['blue'] };
    editor.elicit = () => Promise.resolve({ action: 'accept', content });
    expect(await go()).toBe('end_turn');
    const none = { description: null, default: null };
    expect(editor.elicitations).toEqual([
      {
        sessionId,
        toolCallId: 'call_1',
        mode: 'form',
        message: 'The MCP server mine asks: Who are\\u{202e} you?',
        requestedSchema: {
          type: 'object',
          properties: {
            name: {
              ...none,
              type: 'string',
              title: 'Your\\u{200b} name',
              description: 'As in the passport',
              minLength: 2,
              maxLength: null,
              format: null,
            },
            age: { ...none, type: 'integer', title: 'age', minimum: 0, maximum: 150, default: 30 },
            mail: { ...none, type: 'string', title: 'mail', minLength: null, maxLength: null, format: 'email' },
            sure: { ...none, type: 'boolean', title: 'sure', default: true },
            size: {
              ...none,
              type: 'string',
              title: 'size',
              oneOf: [
                { const: 's', title: 'small' },
                { const: 'm', title: 'medium' },
              ],
            },
            tags: {
              ...none,
              type: 'array',
              title: 'tags',
              items: {
                anyOf: [
                  { const: 'red', title: 'red' },
                  { const: 'blue', title: 'blue' },
                ],
              },
              minItems: null,
              maxItems: 1,
            },
          },
          required: ['name'],
        },
      },
    ]);
    const before = editor.updates.slice(0, editor.elicitationAt[0]);
    expect(before.some((one) => one.sessionUpdate === 'tool_call' && one.toolCallId === 'call_1')).toBe(true);
    expect(JSON.parse(String(outputOf(editor)))).toEqual({ action: 'accept', content });
  });
});

test.each([
  [{ action: 'decline' }, 'decline'],
  [{ action: 'cancel' }, 'cancel'],
  [{ action: '_later' }, 'cancel'],
])('an editor that answers %j is heard', async (given, heard) => {
  await asking({ form: {} }, { name: 'confirm' }, async ({ editor, go }) => {
    editor.elicit = () => Promise.resolve(given);
    await go();
    expect(outputOf(editor)).toBe(heard);
  });
});

test('an address is opened by the editor, which hears when all is done there', async () => {
  const tool = { name: 'open', args: { url: 'https://example.test/' } };
  await asking({ url: {} }, tool, async ({ editor, go }) => {
    const completed = Promise.withResolvers<undefined>();
    editor.onCompleted = () => completed.resolve(undefined);
    editor.elicit = () => Promise.resolve({ action: 'accept' });
    await go();
    await completed.promise;
    const [asked] = editor.elicitations;
    expect(asked).toMatchObject({
      mode: 'url',
      url: 'https://example.test/',
      toolCallId: 'call_1',
      elicitationId: editor.completed[0],
    });
    expect(editor.completed).toHaveLength(1);
    expect(outputOf(editor)).toBe('accept');
  });
});

const signInFirst = { name: 'sign_in_first', args: { urls: ['https://example.test/'] } };
const refusal = 'mcp__mine__sign_in_first failed: MCP error -32042: MCP error -32042: sign in first';

test('a call that waits for an address is made again once the person says, behind opening it, that they are done', async () => {
  await asking({ url: {} }, signInFirst, async ({ editor, sessionId, go }) => {
    editor.elicit = () => Promise.resolve({ action: 'accept' });
    editor.answer = 'done';
    expect(await go()).toBe('end_turn');
    expect(editor.elicitations).toMatchObject([{ mode: 'url', url: 'https://example.test/', toolCallId: 'call_1' }]);
    expect(editor.questions).toEqual([
      {
        sessionId,
        toolCall: {
          toolCallId: 'call_1',
          title: 'Are you done at https://example.test/? The MCP server mine waits for it.',
        },
        options: [
          { optionId: 'done', name: 'Done there: call it again', kind: 'allow_once' },
          { optionId: 'not_done', name: 'Not done: leave it', kind: 'reject_once' },
        ],
      },
    ]);
    expect(outputOf(editor)).toBe('refused 1 times before');
  });
});

test.each(['decline', 'cancel', 'not done', 'cancelled', 'no editor for it'])(
  'a call that waits for an address stays refused where the person says: %s',
  async (said) => {
    const offered = said === 'no editor for it' ? { form: {} } : { url: {} };
    await asking(offered, signInFirst, async ({ editor, go }) => {
      const isOpened = said === 'not done' || said === 'cancelled';
      editor.elicit = () => Promise.resolve({ action: isOpened ? 'accept' : said });
      editor.answer = said === 'cancelled' ? 'cancelled' : 'not_done';
      expect(await go()).toBe('end_turn');
      expect([outputOf(editor), editor.questions.length]).toEqual([refusal, isOpened ? 1 : 0]);
    });
  },
);

test('a server that says that all is done there takes the question back, and the editor hears of it', async () => {
  const watched = await temporaryFolder();
  const tool = { ...signInFirst, args: { ...signInFirst.args, watched } };
  await asking({ url: {} }, tool, async ({ editor, go }) => {
    editor.elicit = () => Promise.resolve({ action: 'accept' });
    editor.answer = () => {
      writeFileSync(join(watched, 'done'), '');
      return 'no answer';
    };
    await go();
    expect(editor.completed).toEqual([editor.elicitations[0]?.mode === 'url' && editor.elicitations[0].elicitationId]);
    expect(outputOf(editor)).toBe('refused 1 times before');
  });
});

test.each([undefined, {}, { form: null }, { url: {} }])(
  'an editor that offers %j is asked no form: the server is told no, and the person that it was',
  async (offered) => {
    await asking(offered, { name: 'confirm' }, async ({ editor, go }) => {
      await go();
      expect([editor.elicitations, outputOf(editor)]).toEqual([[], 'decline']);
      expect(editor.text('agent_thought_chunk')).toContain(
        '[the MCP server mine asks for something and is told no: nobody can be asked here (“Go on?”)]',
      );
    });
  },
);

test('a cancel takes the question back', async () => {
  await asking({ form: {} }, { name: 'confirm' }, async ({ editor, context, sessionId, go }) => {
    editor.elicit = () => {
      void context.notify('session/cancel', { sessionId });
      return new Promise(() => undefined);
    };
    expect(await go()).toBe('cancelled');
  });
});
