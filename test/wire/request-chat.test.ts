import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { toChatBody, toChatRequest, type ChatBodyOptions } from '../../packages/wire/src/chat/request.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';

const user = (text: string): Item => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const said = (text: string): Item => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const call = (call_id: string, args = '{}'): Item => ({
  type: 'function_call',
  id: `fc_${call_id}`,
  call_id,
  name: 'run',
  arguments: args,
});
const output = (call_id: string, text = `out ${call_id}`): Item => ({
  type: 'function_call_output',
  call_id,
  output: text,
});
const thought = (text: string): Item => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  content: [{ type: 'reasoning_text', text }],
});

const toolCall = (id: string, args = '{}'): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'run', arguments: args },
});
const tool = (id: string, content: unknown = `out ${id}`): JsonObject => ({ role: 'tool', tool_call_id: id, content });

function messagesOf(input: readonly Item[], options?: ChatBodyOptions): unknown {
  return toChatBody({ input }, options).messages;
}

function notesOf(request: ModelRequest, options?: ChatBodyOptions): readonly string[] {
  return toChatRequest(request, options).notes;
}

/** What strict servers check: every `tool_calls` is followed by exactly its `tool` messages. */
function expectStrict(messages: unknown): void {
  const list = messages as JsonObject[];
  for (let at = 0; at < list.length;) {
    const calls = (list[at]!.tool_calls ?? []) as { id: string }[];
    expect(list[at]!.role).not.toBe('tool');
    at += 1;
    expect(list.slice(at, at + calls.length).map((message) => message.tool_call_id)).toEqual(calls.map(({ id }) => id));
    at += calls.length;
  }
}

describe('steps', () => {
  test('text and tool calls of one step form one assistant message, text last or first', () => {
    const expected = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'I look.', tool_calls: [toolCall('a')] },
      tool('a'),
    ];
    expect(messagesOf([user('go'), said('I look.'), call('a'), output('a')])).toEqual(expected);
    expect(messagesOf([user('go'), call('a'), said('I look.'), output('a')])).toEqual(expected);
  });

  test('consecutive calls are grouped, without text the content is null', () => {
    expect(messagesOf([call('a'), call('b'), output('a'), output('b')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a'), toolCall('b')] },
      tool('a'),
      tool('b'),
    ]);
  });

  test('outputs come in the order of their calls', () => {
    expect(messagesOf([call('a'), call('b'), output('b'), output('a')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a'), toolCall('b')] },
      tool('a'),
      tool('b'),
    ]);
  });

  test('a call after the outputs of a step begins the next step', () => {
    expect(messagesOf([call('a'), output('a'), said('more'), call('b'), output('b'), said('done')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a'),
      { role: 'assistant', content: 'more', tool_calls: [toolCall('b')] },
      tool('b'),
      { role: 'assistant', content: 'done' },
    ]);
  });

  test('an assistant text between a call and its output never comes between them', () => {
    const messages = messagesOf([call('a'), call('b'), output('a'), said('hm'), output('b'), said('end')]);
    expectStrict(messages);
    expect(messages).toEqual([
      { role: 'assistant', content: 'hm', tool_calls: [toolCall('a'), toolCall('b')] },
      tool('a'),
      tool('b'),
      { role: 'assistant', content: 'end' },
    ]);
  });

  test('a user message between a call and its output follows the output', () => {
    expect(messagesOf([call('a'), user('wait'), output('a')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a'),
      { role: 'user', content: 'wait' },
    ]);
  });

  test('several texts of one step are one content', () => {
    expect(messagesOf([said('one'), said('two')])).toEqual([{ role: 'assistant', content: 'one\n\ntwo' }]);
  });
});

describe('calls and outputs', () => {
  test('a call without an output is answered `aborted`', () => {
    expect(messagesOf([call('a'), call('b'), output('b'), user('next')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a'), toolCall('b')] },
      tool('a', 'aborted'),
      tool('b'),
      { role: 'user', content: 'next' },
    ]);
  });

  test('an output without a call is removed and told', () => {
    expect(messagesOf([output('x'), user('hi')])).toEqual([{ role: 'user', content: 'hi' }]);
    expect(notesOf({ input: [output('x'), user('hi')] })).toEqual([
      'input[0]: left out, an output without a call before it',
    ]);
  });

  test('a second output of one call is removed', () => {
    expect(messagesOf([call('a'), output('a', '1'), output('a', '2')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a', '1'),
    ]);
  });

  test('an id that comes again in a later step is another call, with an id of its own', () => {
    expect(messagesOf([call('a'), output('a', '1'), call('a'), output('a', '2')])).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a', '1'),
      { role: 'assistant', content: null, tool_calls: [toolCall('a-2')] },
      tool('a-2', '2'),
    ]);
  });

  test('empty arguments are an empty object; arguments that are no JSON object are wrapped and told', () => {
    const input = [call('a', ''), call('b', '{"x":'), output('a'), output('b')];
    expect(messagesOf(input)).toMatchObject([
      { tool_calls: [toolCall('a', '{}'), toolCall('b', '{"invalid_arguments":"{\\"x\\":"}')] },
      tool('a'),
      tool('b'),
    ]);
    expect(notesOf({ input })).toEqual(['input[1].arguments: no JSON object, sent as {"invalid_arguments": …}']);
  });

  test('a custom tool call becomes a function call with its text as input', () => {
    const input: Item[] = [
      { type: 'custom_tool_call', call_id: 'a', name: 'run', input: '*** Begin\n' },
      { type: 'custom_tool_call_output', call_id: 'a', output: 'ok' },
    ];
    expect(messagesOf(input)).toEqual([
      { role: 'assistant', content: null, tool_calls: [toolCall('a', '{"input":"*** Begin\\n"}')] },
      tool('a', 'ok'),
    ]);
  });

  test('a local shell call becomes a function call of its action', () => {
    const action = { type: 'exec', command: ['ls'] };
    const input = [{ type: 'local_shell_call', id: 'lsh_1', call_id: 'a', status: 'completed', action }, output('a')];
    expect(messagesOf(input)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'local_shell', arguments: JSON.stringify(action) } },
        ],
      },
      tool('a'),
    ]);
  });

  test("an action that is no object is wrapped, as a function call's arguments are", () => {
    const input = [{ type: 'local_shell_call', call_id: 'a', action: 'ls' }, output('a')];
    const wrapped = JSON.stringify({ invalid_arguments: '"ls"' });
    expect(messagesOf(input)).toMatchObject([{ tool_calls: [{ function: { arguments: wrapped } }] }, tool('a')]);
  });

  test('calls of the shell and of the file editor become function calls, their outputs text', () => {
    const operation = { type: 'delete_file', path: 'x' };
    const input = [
      { type: 'shell_call', call_id: 'a', action: { commands: ['ls'], timeout_ms: null } },
      { type: 'apply_patch_call', call_id: 'b', operation },
      {
        type: 'shell_call_output',
        call_id: 'a',
        output: [{ stdout: 'x', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
      },
    ];
    expect(messagesOf(input)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'shell', arguments: '{"commands":["ls"]}' } },
          { id: 'b', type: 'function', function: { name: 'apply_patch', arguments: JSON.stringify(operation) } },
        ],
      },
      tool('a', 'x\n[exit code 0]'),
      tool('b', 'aborted'),
    ]);
  });

  test('a namespace is joined to the name, as the caller wants it', () => {
    const input = [{ ...call('a'), namespace: 'mcp__fs' }, output('a')];
    expect(messagesOf(input)).toMatchObject([{ tool_calls: [{ function: { name: 'mcp__fs__run' } }] }, {}]);
    expect(messagesOf(input, { toolName: (name, namespace) => `${String(namespace)}.${name}` })).toMatchObject([
      { tool_calls: [{ function: { name: 'mcp__fs.run' } }] },
      {},
    ]);
  });
});

describe('messages', () => {
  test('instructions and leading system messages are one system message', () => {
    const input: Item[] = [
      { type: 'message', role: 'developer', content: 'be kind' },
      user('hi'),
      { type: 'message', role: 'system', content: 'late' },
    ];
    expect(toChatBody({ instructions: 'be brief', input }).messages).toEqual([
      { role: 'system', content: 'be brief\n\nbe kind' },
      { role: 'user', content: 'hi' },
      { role: 'system', content: 'late' },
    ]);
  });

  test('a server that knows the role developer gets it', () => {
    const quirks = chatQuirksOf('https://api.openai.com/v1', 'gpt-5.2');
    const input: Item[] = [{ type: 'message', role: 'developer', content: 'be kind' }];
    expect(toChatBody({ instructions: 'be brief', input }, { quirks }).messages).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'developer', content: 'be kind' },
    ]);
  });

  test('images map to image_url parts in their order', () => {
    const content = [
      { type: 'input_text' as const, text: 'this' },
      { type: 'input_image' as const, image_url: 'data:image/png;base64,AA', detail: 'auto' as const },
      { type: 'input_image' as const, image_url: 'https://h/i.png', detail: 'low' as const },
    ];
    expect(messagesOf([{ type: 'message', role: 'user', content }])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'this' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          { type: 'image_url', image_url: { url: 'https://h/i.png', detail: 'low' } },
        ],
      },
    ]);
  });

  test('an image in a tool output follows in a user message, after all tool messages', () => {
    const image: Item = {
      type: 'function_call_output',
      call_id: 'a',
      output: [{ type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto' }],
    };
    const messages = messagesOf([call('a'), call('b'), image, output('b')]);
    expect(messages).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', tool_call_id: 'a', content: '(the image of this result follows in the next message)' },
      tool('b'),
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] },
    ]);
    expectStrict(messages);
  });

  test('unknown and malformed items are left out and told, never a crash', () => {
    const input: Item[] = [
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'function_call', call_id: 'a' },
      output('a'),
      {},
      { type: 'message', role: 'robot', content: 'x' },
      { type: 'message', role: 'user', content: [{ type: 'hologram' }, 7, { type: 'input_text', text: 'hi' }] },
    ];
    const { body, notes } = toChatRequest({ input });
    expect(body.messages).toEqual([{ role: 'user', content: 'hi' }]);
    expect(notes).toEqual([
      'input[0]: left out, a chat request has no form for an item of type "web_search_call"',
      'input[1]: left out, a call without a name',
      'input[3]: left out, a chat request has no form for an item of type null',
      'input[4]: left out, a message without a role that a chat request knows',
      'input[5]: left out, a part of type "hologram" that a chat request has no form for',
      'input[5]: left out, a part of type null that a chat request has no form for',
    ]);
  });

  test('a message in its short form, without a type, is a message', () => {
    expect(messagesOf([{ role: 'user', content: 'hi' }])).toEqual([{ role: 'user', content: 'hi' }]);
  });
});

describe('reasoning goes back where the quirk table wants it', () => {
  const input = [user('1'), thought('old'), said('a'), user('2'), thought('new'), call('c'), output('c')];
  const withModel = (baseUrl: string, model: string): unknown =>
    messagesOf(input, { quirks: chatQuirksOf(baseUrl, model) });

  test('nowhere by default', () => {
    expect(JSON.stringify(withModel('http://127.0.0.1:8080/v1', 'tiny'))).not.toMatch(/old|new|reasoning/);
  });

  test('gpt-oss: that of the running turn, as `reasoning`', () => {
    expect(withModel('http://127.0.0.1:8000/v1', 'openai/gpt-oss-120b')).toEqual([
      { role: 'user', content: '1' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: '2' },
      { role: 'assistant', content: null, reasoning: 'new', tool_calls: [toolCall('c')] },
      tool('c'),
    ]);
  });

  test('DeepSeek: all of it, as `reasoning_content`', () => {
    expect(withModel('https://api.deepseek.com', 'deepseek-v4-pro')).toMatchObject([
      {},
      { content: 'a', reasoning_content: 'old' },
      {},
      { content: null, reasoning_content: 'new' },
      {},
    ]);
  });

  test('DeepSeek: empty on a call that came without reasoning', () => {
    const quirks = chatQuirksOf('https://api.deepseek.com', 'deepseek-v4-pro');
    expect(messagesOf([call('a')], { quirks })).toMatchObject([{ reasoning_content: '' }, {}]);
  });

  test('OpenRouter: `reasoning`, whatever the model; Azure: nowhere, whatever the model', () => {
    expect(withModel('https://openrouter.ai/api/v1', 'deepseek/deepseek-v4-pro')).toMatchObject([
      {},
      { reasoning: 'old' },
      {},
      { reasoning: 'new' },
      {},
    ]);
    expect(JSON.stringify(withModel('https://x.openai.azure.com/openai/v1', 'deepseek-v4-pro'))).not.toContain('old');
  });

  test.each([
    'https://api.openai.com/v1',
    'https://x.openai.azure.com/openai/v1',
    'https://x.services.ai.azure.com/openai/v1',
    'https://x.cognitiveservices.azure.com/openai/v1',
  ])('OpenAI and Azure, under each of their hosts: %s', (url) => {
    expect(chatQuirksOf(url, 'gpt-5')).toMatchObject({
      maxTokensField: 'max_completion_tokens',
      developerRole: true,
      ownReasoningOnly: true,
    });
  });

  test('reasoning alone makes no message', () => {
    expect(messagesOf([thought('x'), user('hi')])).toEqual([{ role: 'user', content: 'hi' }]);
  });
});

describe('the other fields', () => {
  const fn = { type: 'function' as const, name: 'run', description: 'runs', parameters: { type: 'object' } };

  test('a plain request has nothing but model, messages and stream', () => {
    expect(toChatBody({ model: 'm', input: [] })).toEqual({ model: 'm', messages: [], stream: true });
  });

  test('the whole of it', () => {
    const request: ModelRequest = {
      input: [],
      tools: [{ ...fn, strict: true }],
      toolChoice: { type: 'function', name: 'run' },
      parallelToolCalls: false,
      maxOutputTokens: 9,
      temperature: 0,
      topP: 0.5,
      reasoning: { effort: 'low' },
      outputSchema: { name: 'x', schema: { type: 'object' }, strict: true },
      extra: { seed: 1, temperature: 1 },
    };
    expect(toChatBody(request, { model: 'm', askUsage: true })).toEqual({
      model: 'm',
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
      tools: [
        {
          type: 'function',
          function: { name: 'run', description: 'runs', parameters: { type: 'object' }, strict: true },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'run' } },
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
      max_tokens: 9,
      temperature: 1,
      top_p: 0.5,
      reasoning_effort: 'low',
      seed: 1,
    });
  });

  test('without tools there is no choice among them', () => {
    expect(toChatBody({ input: [], tools: [], toolChoice: 'auto', parallelToolCalls: true })).toEqual({
      messages: [],
      stream: true,
    });
  });

  test('usage is not asked for where nothing is streamed', () => {
    expect(toChatBody({ input: [] }, { stream: false, askUsage: true })).toEqual({ messages: [], stream: false });
  });

  test("a provider's bound is for requests that set none", () => {
    expect(toChatBody({ input: [] }, { maxOutputTokens: 5 }).max_tokens).toBe(5);
    expect(toChatBody({ input: [], maxOutputTokens: 3 }, { maxOutputTokens: 5 }).max_tokens).toBe(3);
  });

  test('a custom tool becomes a function with one text; other kinds are left out and told', () => {
    const tools = [{ type: 'custom', name: 'patch', format: {} }, { type: 'web_search' }];
    expect(toChatBody({ input: [], tools }).tools).toMatchObject([
      { type: 'function', function: { name: 'patch', parameters: { required: ['input'] } } },
    ]);
    expect(notesOf({ input: [], tools })).toEqual([
      'tools[1]: left out, a chat request has no tools of type "web_search"',
    ]);
  });

  test('OpenAI: max_completion_tokens; OpenRouter: reasoning.effort; DeepSeek: any JSON object', () => {
    const request: ModelRequest = {
      input: [],
      maxOutputTokens: 9,
      reasoning: { effort: 'high' },
      outputSchema: { name: 'x', schema: {} },
    };
    const bodyAt = (baseUrl: string): JsonObject => toChatBody(request, { quirks: chatQuirksOf(baseUrl, 'm') });
    expect(bodyAt('https://api.openai.com/v1')).toMatchObject({ max_completion_tokens: 9, reasoning_effort: 'high' });
    expect(bodyAt('https://openrouter.ai/api/v1')).toMatchObject({ max_tokens: 9, reasoning: { effort: 'high' } });
    expect(bodyAt('https://api.deepseek.com')).toMatchObject({ response_format: { type: 'json_object' } });
  });

  test('a look-alike host is not the host', () => {
    expect(chatQuirksOf('https://api.openai.com.evil.test/v1', 'm').developerRole).toBe(false);
    expect(chatQuirksOf('https://notopenai.com/v1', 'm').developerRole).toBe(false);
  });
});
