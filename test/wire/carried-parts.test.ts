import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { fromChatRequest } from '../../packages/wire/src/chat/request-parse.ts';
import { toChatRequest } from '../../packages/wire/src/chat/request.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { fromResponsesRequest } from '../../packages/wire/src/responses/request-parse.ts';
import { toResponsesRequest } from '../../packages/wire/src/responses/request.ts';
import { createToolMap } from '../../packages/wire/src/tools/index.ts';

const cache_control = { type: 'ephemeral' };

function chatToChat(body: JsonObject): JsonObject {
  const { body: sent, notes, unsendable } = toChatRequest(fromChatRequest(body).request);
  expect([notes, unsendable]).toEqual([[], undefined]);
  return sent;
}

function chatToResponses(body: JsonObject) {
  return toResponsesRequest(fromChatRequest(body).request);
}

describe('chat to chat: parts stay as they were', () => {
  const text = (content: string, more: JsonObject = {}): JsonObject => ({ type: 'text', text: content, ...more });
  const image = { url: 'data:image/png;base64,AA', detail: 'low', format: 'image/png' };

  it.each<[string, JsonObject[]]>([
    ['texts', [text('Hello'), text('there')]],
    ['a text with something beside it', [text('Hello', { cache_control })]],
    ['an image', [text('See.'), { type: 'image_url', image_url: image, cache_control }]],
    ['a file', [{ type: 'file', file: { file_data: 'data:,x', filename: 'a', lang: 'de' }, cache_control }]],
    ['sound', [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' }, cache_control }]],
    ['what nobody here knows', [{ type: 'guarded', guarded: { a: [1] } }, text('x')]],
  ])('of a user, system, tool: %s', (_name, content) => {
    const call = { id: 'a', type: 'function', function: { name: 'run', arguments: '{}' } };
    const messages = [
      { role: 'system', content },
      { role: 'user', content },
    ];
    expect(chatToChat({ messages }).messages).toEqual(messages);
    if (content.some(({ type }) => type !== 'text')) return; // those of a tool follow in a message of the user
    const called = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content },
    ];
    expect(chatToChat({ messages: called }).messages).toEqual(called);
  });

  it('of the assistant', () => {
    const said = [text('a', { cache_control }), { type: 'refusal', refusal: 'no' }, { type: 'reference', ids: [1] }];
    const messages = [{ role: 'assistant', content: said }];
    expect(chatToChat({ messages }).messages).toEqual(messages);
  });

  it('and a plain text alone is a string, which every server takes', () => {
    const messages = [
      { role: 'user', content: [text('Hello'), text('')] },
      { role: 'assistant', content: [text('Hi')] },
      { role: 'user', content: [text('')] },
    ];
    expect(chatToChat({ messages }).messages).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: '' },
    ]);
  });

  it('and thinking that comes back as a part is reasoning', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
    const messages = [{ role: 'assistant', content: [thinking, text('Hi')] }];
    expect(fromChatRequest({ messages }).request.input).toEqual([
      { type: 'reasoning', id: 'rs_chat0', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
      {
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
      },
    ]);
  });
});

describe('a tool keeps what stands on it', () => {
  const parameters = { type: 'object', properties: {} };
  const user = { role: 'user', content: 'q' };
  const tool = { type: 'function', function: { name: 'f', parameters, examples: [1] }, cache_control };
  const map = (request: ModelRequest): ModelRequest => ({ ...request, tools: createToolMap(request).tools });

  it('chat to chat', () => {
    const { request } = fromChatRequest({ messages: [user], tools: [tool] });
    for (const asked of [request, map(request)]) expect(toChatRequest(asked).body.tools).toEqual([tool]);
  });

  it('Responses to Responses', () => {
    const flat = { type: 'function', name: 'f', parameters, strict: null, cache_control };
    const { request } = fromResponsesRequest({ input: [user], tools: [flat] });
    expect(toResponsesRequest(request).body.tools).toEqual([flat]);
    const { strict, ...rest } = flat;
    expect(strict).toBeNull();
    expect(toResponsesRequest(map(request)).body.tools).toEqual([rest]);
  });

  it('but not from one wire to the other', () => {
    const { request } = fromChatRequest({ messages: [user], tools: [tool] });
    const told = toResponsesRequest(map(request));
    expect(told.body.tools).toEqual([{ type: 'function', name: 'f', parameters, strict: false }]);
    expect(told.notes).toEqual([
      'cache_control: left out, a Responses request has no place for it',
      'examples: left out, a Responses request has no place for it',
    ]);
    const flat = { type: 'function', name: 'f', parameters, cache_control };
    const other = fromResponsesRequest({ input: [user], tools: [flat] }).request;
    expect(toChatRequest(map(other)).body.tools).toEqual([{ type: 'function', function: { name: 'f', parameters } }]);
  });
});

describe('from chat to Responses', () => {
  it('texts stay parts', () => {
    const content = ['Hello', 'there'].map((text) => ({ type: 'text', text }));
    const { body, notes } = chatToResponses({ messages: [{ role: 'user', content }] });
    const parts = ['Hello', 'there'].map((text) => ({ type: 'input_text', text }));
    expect([body.input, notes]).toEqual([[{ type: 'message', role: 'user', content: parts }], []]);
  });

  it('what the assistant said goes without what only chat knows; what is asked does not go at all', () => {
    const part = { type: 'reference', ids: [1] };
    const said = chatToResponses({ messages: [{ role: 'assistant', content: [part, { type: 'text', text: 'a' }] }] });
    expect(said.body.input).toMatchObject([{ content: [{ type: 'output_text', text: 'a' }] }]);
    expect(said.notes).toEqual([
      'input[0].content[0]: left out, a part of type "reference" that a Responses request has no form for',
    ]);
    expect(said.unsendable).toBeUndefined();
    const asked = chatToResponses({ messages: [{ role: 'user', content: [part] }] });
    expect(asked.unsendable).toEqual({
      param: 'input[0].content[0]',
      what: 'a part of type "reference" that a Responses request has no form for',
    });
  });
});
