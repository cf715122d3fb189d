import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { fromChatRequest } from '../../packages/wire/src/chat/request-parse.ts';
import { toChatBody } from '../../packages/wire/src/chat/request.ts';
import { chatExtraOf, responsesExtraOf } from '../../packages/wire/src/request-extra.ts';
import { InvalidFieldError } from '../../packages/wire/src/request-fields.ts';
import { fromResponsesRequest } from '../../packages/wire/src/responses/request-parse.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';

function complaint(run: () => unknown): { param: string; message: string } {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidFieldError);
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400 });
    return { param: (error as InvalidFieldError).param, message: (error as InvalidFieldError).message };
  }
  return { param: '', message: 'nothing was thrown' };
}

/** A part of a chat client, with nothing beside it. */
const carried = { wire: 'chat', members: {} };
const textPart = (text: string) => ({ type: 'input_text', text, carried });

describe('fromChatRequest', () => {
  test('messages become items: reasoning, text and calls of one message in that order', () => {
    const messages = [
      { role: 'system', content: 'be brief' },
      { role: 'system', content: 'be kind' },
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: 'I look.',
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'run', arguments: '{}' } },
          { id: 'b', type: 'custom', custom: { name: 'patch', input: '***' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'out a' },
      {
        role: 'tool',
        tool_call_id: 'b',
        content: [
          { type: 'text', text: 'out' },
          { type: 'text', text: ' b' },
        ],
      },
      { role: 'assistant', content: null, refusal: 'no' },
    ];
    expect(fromChatRequest({ model: 'm', messages }).request).toEqual({
      model: 'm',
      instructions: 'be brief',
      input: [
        { type: 'message', role: 'system', content: 'be kind' },
        { type: 'message', role: 'user', content: 'go' },
        { type: 'reasoning', id: 'rs_chat3', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
        },
        { type: 'function_call', call_id: 'a', name: 'run', arguments: '{}' },
        { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: '***' },
        { type: 'function_call_output', call_id: 'a', output: 'out a' },
        { type: 'custom_tool_call_output', call_id: 'b', output: ['out', ' b'].map(textPart) },
        { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'refusal', refusal: 'no' }] },
      ],
    });
  });

  test('image_url becomes input_image, in its place', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'https://h/i.png', detail: 'low' } },
      { type: 'text', text: 'this' },
      { type: 'image_url', image_url: 'data:image/png;base64,AA' },
    ];
    expect(fromChatRequest({ messages: [{ role: 'user', content }] }).request.input).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'https://h/i.png', detail: 'low', carried },
          textPart('this'),
          { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto', carried },
        ],
      },
    ]);
  });

  test('functions and function_call, the form before tools', () => {
    const { request } = fromChatRequest({
      functions: [{ name: 'run', parameters: {} }],
      messages: [
        { role: 'assistant', content: null, function_call: { name: 'run', arguments: '{}' } },
        { role: 'function', name: 'run', content: 'ok' },
      ],
    });
    expect(request.tools).toEqual([{ type: 'function', name: 'run', parameters: {}, strict: false }]);
    expect(request.input).toEqual([
      { type: 'function_call', call_id: 'call_chat0', name: 'run', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_chat0', output: 'ok' },
    ]);
  });

  test('options, stream, usage and the rest', () => {
    const parsed = fromChatRequest({
      messages: [],
      tools: [
        { type: 'function', function: { name: 'run', description: null, strict: true } },
        {
          type: 'custom',
          custom: { name: 'p', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'run' } },
      parallel_tool_calls: false,
      max_tokens: 1,
      max_completion_tokens: 2,
      temperature: 0,
      top_p: 1,
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {}, strict: true } },
      stream: true,
      stream_options: { include_usage: true },
      seed: 7,
    });
    expect(parsed).toEqual({
      request: {
        input: [],
        tools: [
          { type: 'function', name: 'run', strict: true },
          { type: 'custom', name: 'p', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
        ],
        toolChoice: { type: 'function', name: 'run' },
        parallelToolCalls: false,
        maxOutputTokens: 2,
        temperature: 0,
        topP: 1,
        reasoning: { effort: 'low' },
        outputSchema: { name: 'x', schema: {}, strict: true },
      },
      stream: true,
      includeUsage: true,
      rest: { seed: 7 },
    });
  });

  test('what no option fits stays in the rest', () => {
    const body = {
      messages: [],
      tool_choice: { type: 'allowed_tools', tools: [] },
      response_format: { type: 'json_object' },
      stop: ['x'],
    };
    const { rest } = fromChatRequest(body);
    expect(rest).toEqual({ tool_choice: body.tool_choice, response_format: body.response_format, stop: ['x'] });
    expect(responsesExtraOf({ ...rest, user: 'u', verbosity: 'low' })).toEqual({
      user: 'u',
      tool_choice: body.tool_choice,
      text: { verbosity: 'low', format: { type: 'json_object' } },
    });
  });

  test('a chat body comes back as it was', () => {
    const body = {
      model: 'm',
      messages: [
        { role: 'system', content: 'be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: { url: 'https://h/i' } },
          ],
        },
        {
          role: 'assistant',
          content: 'b',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'run', arguments: '{"x":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'd' },
        { role: 'assistant', content: 'e' },
      ],
      stream: true,
      tools: [{ type: 'function', function: { name: 'run', parameters: { type: 'object' } } }],
      tool_choice: 'auto',
      max_tokens: 5,
    };
    expect(toChatBody(fromChatRequest(body).request)).toEqual(body);
  });

  test.each<[JsonObject, string]>([
    [{}, 'messages: is missing, expected an array'],
    [{ messages: 'hi' }, 'messages: expected an array, got a string'],
    [{ messages: [null] }, 'messages[0]: expected an object, got null'],
    [{ messages: [{ role: 'robot' }] }, 'messages[0].role: expected system, developer, user, assistant or tool'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content: is missing, expected a string or an array'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content: expected a string or an array, got a number'],
    [{ messages: [{ role: 'user', content: [[]] }] }, 'messages[0].content[0]: expected an object, got an array'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0].image_url.url: is missing, expected a string',
    ],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages[0].tool_call_id: is missing, expected a string'],
    [
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 3 } }] }] },
      'messages[0].tool_calls[0].function.name: expected a string, got a number',
    ],
    [{ messages: [], tools: {} }, 'tools: expected an array, got an object'],
    [{ messages: [], tools: [{ type: 'function' }] }, 'tools[0].function: is missing, expected an object'],
    [{ messages: [], tool_choice: 'maybe' }, 'tool_choice: expected auto, none, required or an object'],
    [{ messages: [], max_tokens: 1.5 }, 'max_tokens: expected a whole number above zero'],
    [{ messages: [], stream: 'yes' }, 'stream: expected a boolean, got a string'],
    [{ messages: [], temperature: '0' }, 'temperature: expected a number, got a string'],
  ])('%j names the field', (body, message) => {
    const found = complaint(() => fromChatRequest(body));
    expect(found.message).toBe(message);
    expect(message.startsWith(`${found.param}: `)).toBe(true);
  });
});

describe('fromResponsesRequest', () => {
  test('a text is one user message', () => {
    expect(fromResponsesRequest({ input: 'hi' }).request.input).toEqual([
      { type: 'message', role: 'user', content: 'hi' },
    ]);
  });

  test('the short form of a message gets its type, unknown items and tools are carried untouched', () => {
    const tools = [{ type: 'web_search' }, { type: 'namespace', name: 'mcp', tools: [] }];
    const input = [
      { role: 'user', content: 'hi' },
      { type: 'hologram', depth: 1 },
    ];
    const { request } = fromResponsesRequest({ input, tools });
    expect(request.input).toEqual([{ type: 'message', role: 'user', content: 'hi' }, input[1]]);
    expect(request.tools).toEqual(tools);
  });

  test('input may be missing only after a previous response', () => {
    const parsed = fromResponsesRequest({ previous_response_id: 'resp_1' });
    expect(parsed.request.input).toEqual([]);
    expect(parsed.rest).toEqual({ previous_response_id: 'resp_1' });
    expect(complaint(() => fromResponsesRequest({})).message).toBe('input: is missing, expected a string or an array');
  });

  test('a Responses body comes back as it was, with its rest as extra', () => {
    const body = {
      model: 'm',
      instructions: 'be brief',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
        { type: 'reasoning', summary: [], encrypted_content: 'e' },
        { type: 'custom_tool_call', call_id: 'c', name: 'patch', input: 'x' },
        { type: 'custom_tool_call_output', call_id: 'c', output: 'ok' },
      ],
      tools: [{ type: 'function', name: 'run', parameters: { type: 'object' } }],
      tool_choice: { type: 'custom', name: 'patch' },
      parallel_tool_calls: true,
      max_output_tokens: 5,
      temperature: 0,
      top_p: 1,
      reasoning: { effort: 'low', summary: 'auto', context: 'all_turns' },
      text: { verbosity: 'low', format: { type: 'json_schema', name: 'x', schema: {}, strict: true } },
      store: true,
      include: [],
      stream: true,
      prompt_cache_key: 'k',
      client_metadata: { a: 'b' },
    };
    const { request, rest, stream } = fromResponsesRequest(body);
    expect(stream).toBe(true);
    expect(toResponsesBody({ ...request, extra: rest })).toEqual(body);
    expect(chatExtraOf(rest)).toEqual({});
    expect(chatExtraOf({ text: { format: { type: 'json_object' } }, user: 'u' })).toEqual({
      response_format: { type: 'json_object' },
      user: 'u',
    });
  });

  test.each<[JsonObject, string]>([
    [{ input: 5 }, 'input: expected a string or an array, got a number'],
    [{ input: ['hi'] }, 'input[0]: expected an object, got a string'],
    [{ input: [{ type: 7 }] }, 'input[0].type: expected a string, got a number'],
    [{ input: [{ role: 'robot', content: '' }] }, 'input[0].role: expected user, assistant, system or developer'],
    [{ input: [{ role: 'user', content: {} }] }, 'input[0].content: expected a string or an array, got an object'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_text', text: 1 }] }] },
      'input[0].content[0].text: expected a string, got a number',
    ],
    [
      { input: [{ type: 'function_call', call_id: 'a', name: 'n', arguments: {} }] },
      'input[0].arguments: expected a string, got an object',
    ],
    [{ input: [{ type: 'function_call_output', output: '' }] }, 'input[0].call_id: is missing, expected a string'],
    [
      { input: [{ type: 'function_call_output', call_id: 'a', output: null }] },
      'input[0].output: expected a string or an array, got null',
    ],
    [{ input: [], tools: [{ type: 'function' }] }, 'tools[0].name: is missing, expected a string'],
    [{ input: [], model: 3 }, 'model: expected a string, got a number'],
    [{ input: [], instructions: [] }, 'instructions: expected a string, got an array'],
    [{ input: [], max_output_tokens: 0 }, 'max_output_tokens: expected a whole number above zero'],
    [{ input: [], text: { format: { type: 'json_schema' } } }, 'text.format.name: is missing, expected a string'],
    [{ input: [], reasoning: { effort: 1 } }, 'reasoning.effort: expected a string, got a number'],
  ])('%j names the field', (body, message) => {
    const found = complaint(() => fromResponsesRequest(body));
    expect(found.message).toBe(message);
    expect(message.startsWith(`${found.param}: `)).toBe(true);
  });

  test('a complaint never shows content', () => {
    expect(complaint(() => fromResponsesRequest({ input: { secret: 'hunter2' } })).message).not.toContain('hunter2');
  });
});
