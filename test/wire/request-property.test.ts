import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { fromChatRequest } from '../../packages/wire/src/chat/request-parse.ts';
import { toChatBody } from '../../packages/wire/src/chat/request.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';

/** Few ids, so that they meet, repeat and miss each other. */
const id = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'x', 'some text');

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({ type: fc.constant('message'), role: fc.constantFrom('user', 'system', 'developer'), content: text }),
  text.map((said) => ({
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: said, annotations: [] }],
  })),
  text.map((thought) => ({ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: thought }] })),
  fc.record({ type: fc.constant('function_call'), call_id: id, name: fc.constant('run'), arguments: text }),
  fc.record({ type: fc.constant('custom_tool_call'), call_id: id, name: fc.constant('patch'), input: text }),
  fc.record({ type: fc.constant('function_call_output'), call_id: id, output: text }),
  fc.record({ type: fc.constant('custom_tool_call_output'), call_id: id, output: text }),
);

const anything: fc.Arbitrary<Item> = fc.dictionary(
  fc.constantFrom('type', 'role', 'content', 'call_id', 'name', 'arguments', 'input', 'output', 'id', 'summary'),
  fc.oneof(
    fc.constantFrom('message', 'reasoning', 'function_call', 'function_call_output', 'local_shell_call', 'assistant'),
    fc.jsonValue(),
  ),
);

const history = fc.array(fc.oneof({ weight: 9, arbitrary: item }, { weight: 1, arbitrary: anything }), {
  maxLength: 14,
});

describe('any history', () => {
  test('makes chat messages that a strict server takes: each call answered at once, no output without its call', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 14 }), (input) => {
        const messages = toChatBody({ input }).messages as JsonObject[];
        let due: unknown[] = [];
        for (const message of messages) {
          if (message.role === 'tool') expect(message.tool_call_id).toBe(due.shift());
          else {
            expect(due).toEqual([]);
            due = ((message.tool_calls ?? []) as JsonObject[]).map((call) => call.id);
          }
        }
        expect(due).toEqual([]);
      }),
    );
  });

  test('loses no text, no call and no answer of a call on the way to chat messages', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 14 }), (input) => {
        const messages = toChatBody({ input }).messages as JsonObject[];
        const calls = input.filter((given) => given.type === 'function_call' || given.type === 'custom_tool_call');
        const users = input.filter((given) => given.type === 'message' && (given as JsonObject).role === 'user');
        expect(messages.flatMap((message) => (message.tool_calls ?? []) as unknown[])).toHaveLength(calls.length);
        expect(messages.filter((message) => message.role === 'tool')).toHaveLength(calls.length);
        expect(messages.filter((message) => message.role === 'user')).toHaveLength(users.length);
        const count = (value: string): number => value.split('some text').length - 1;
        const said = input.filter((given) => given.type === 'message' && (given as JsonObject).role === 'assistant');
        const kept = messages.filter((message) => message.role === 'assistant').map(({ content }) => content);
        expect(count(JSON.stringify(kept))).toBe(count(JSON.stringify(said)));
      }),
    );
  });

  test('makes a Responses input in which each call has exactly one output behind it', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 14 }), (input) => {
        const open = new Map<unknown, number>();
        for (const { type, call_id } of toResponsesBody({ input }).input as JsonObject[]) {
          if (type === 'function_call' || type === 'custom_tool_call') open.set(call_id, (open.get(call_id) ?? 0) + 1);
          if (type === 'function_call_output' || type === 'custom_tool_call_output') {
            open.set(call_id, (open.get(call_id) ?? 0) - 1);
            expect(open.get(call_id)).toBeGreaterThanOrEqual(0);
          }
        }
        expect([...open.values()].every((count) => count === 0)).toBe(true);
      }),
    );
  });

  test('malformed items never crash either way', () => {
    fc.assert(
      fc.property(history, (input) => {
        expect(() => toChatBody({ input })).not.toThrow();
        expect(() => toResponsesBody({ input })).not.toThrow();
      }),
    );
  });

  test('chat messages read back and made again are the same', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 14 }), (input) => {
        const body = toChatBody({ input });
        const again = toChatBody(fromChatRequest(body).request);
        expect(again.messages).toEqual(body.messages);
      }),
    );
  });
});
