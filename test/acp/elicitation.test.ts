import { join } from 'node:path';
import type { ClientCapabilities, ClientContext, McpServer } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
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
