import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { toCallId } from '../../packages/wire/src/messages/call-id.ts';
import { messagesProtocol } from '../../packages/wire/src/messages/protocol.ts';
import { fromMessagesRequest } from '../../packages/wire/src/messages/request-parse.ts';
import { toMessagesRequest } from '../../packages/wire/src/messages/request.ts';
import { toSignature } from '../../packages/wire/src/messages/signature.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { chatProtocol } from '../../packages/wire/src/chat/protocol.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';
import { InvalidFieldError, type ParsedRequest } from '../../packages/wire/src/request-fields.ts';
import { responsesProtocol } from '../../packages/wire/src/responses/protocol.ts';
import { toResponsesRequest } from '../../packages/wire/src/responses/request.ts';
import { sealThinking } from '../../packages/wire/src/sealed-thinking.ts';

const user = (content: unknown): JsonObject => ({ role: 'user', content });
const assistant = (content: unknown): JsonObject => ({ role: 'assistant', content });
const text = (words: string, more = {}): JsonObject => ({ type: 'text', text: words, ...more });
const read = (messages: JsonObject[], more = {}): ParsedRequest =>
  fromMessagesRequest({ model: 'm', max_tokens: 9, messages, ...more });
const items = (...messages: JsonObject[]): unknown => read(messages).request.input;
const carried = (members: object): object => ({ carried: { wire: 'messages', members } });
const said = (role: string, ...texts: string[]): object => ({
  type: 'message',
  role,
  content: texts.map((one) => ({ type: 'input_text', text: one })),
});

describe('Q1 fields', () => {
  test('Q1 a thread is refused in the words that its client understands', () => {
    const error = refusal({ thread: { type: 'create' } });
    expect(messagesProtocol.errorBody(messagesProtocol.errorAnswer(error))).toEqual({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'thread: message threads are not supported',
        details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
      },
      request_id: null,
    });
  });

  test.each([
    [{ container: 'c' }, 'container'],
    [{ mcp_servers: [{}] }, 'mcp_servers'],
    [{ messages: 'x' }, 'messages'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    [{ messages: [user(3)] }, 'messages[0].content'],
    [{ messages: [user([{ type: 'tool_result' }])] }, 'messages[0].content[0].tool_use_id'],
    [{ messages: [user([text('a'), { type: 'image', source: 'x' }])] }, 'messages[0].content[1].source'],
    [{ messages: [assistant([{ type: 'tool_use', id: 'a' }])] }, 'messages[0].content[0].name'],
    [{ tools: [{ input_schema: {} }] }, 'tools[0].name'],
    [{ tools: [{ name: 'x', input_schema: 'y' }] }, 'tools[0].input_schema'],
    [{ tool_choice: { type: 'all' } }, 'tool_choice.type'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ system: [{ type: 'text' }] }, 'system[0].text'],
    [{ output_config: { effort: 1 } }, 'output_config.effort'],
  ])('Q1 %j names %s', (more, param) => {
    expect(refusal(more).param).toBe(param);
  });

  test('Q1 unknown fields and a missing max_tokens are no error', () => {
    const body = { model: 'm', messages: [user('hi')], speed: 'fast', new_field: 1, mcp_servers: [] };
    expect(fromMessagesRequest(body)).toEqual({
      request: { model: 'm', input: [{ type: 'message', role: 'user', content: 'hi' }] },
      stream: false,
      includeUsage: true,
      rest: { speed: 'fast', new_field: 1, mcp_servers: [] },
    });
  });

  test('Q1 a session of Claude Code keeps its place in the cache of other wires', () => {
    const { rest } = read([user('x')], {
      metadata: { user_id: '{"device_id":"d","session_id":"s"}' },
      stop_sequences: ['END'],
    });
    const portable = messagesProtocol.toPortable(rest);
    expect(responsesProtocol.fromPortable(portable)).toEqual({ prompt_cache_key: 's' });
    expect(chatProtocol.fromPortable(portable)).toEqual({ stop: ['END'] });
  });
});

function refusal(more: JsonObject): InvalidFieldError {
  try {
    fromMessagesRequest({ model: 'm', max_tokens: 1, messages: [user('x')], ...more });
  } catch (error) {
    if (error instanceof InvalidFieldError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('Q2 system blocks are one text, without the line for accounting', () => {
  const line = text('x-anthropic-billing-header: cc_version=1;');
  const { request, rest } = read([user('x')], { system: [line, text('One.', { cache_control: {} }), text('Two.')] });
  expect(request.instructions).toBe('One.\n\nTwo.');
  expect(rest['system']).toHaveLength(3);
  expect(read([user('x')], { system: 'Be kind.' }).request.instructions).toBe('Be kind.');
  expect(read([user('x')], { system: [line] }).request.instructions).toBeUndefined();
});

test('Q3 what the system says between turns stays at its place', () => {
  expect(items(user('a'), { role: 'system', content: 'Mind this.' }, user('b'))).toEqual([
    { type: 'message', role: 'user', content: 'a' },
    {
      type: 'message',
      role: 'developer',
      content: 'Mind this.',
      ...carried({ role: 'system', content: 'Mind this.' }),
    },
    { type: 'message', role: 'user', content: 'b' },
  ]);
});

describe('Q4 the user', () => {
  test('Q4 results come first, text after them is a message', () => {
    const results = [
      text('so'),
      { type: 'tool_result', tool_use_id: toCallId('a.b') },
      { type: 'tool_result', tool_use_id: 'b', content: [text('one'), text('two')] },
      { type: 'tool_result', tool_use_id: 'c', content: 'gone', is_error: true },
      { type: 'tool_result', tool_use_id: 'd', content: 'Error: gone', is_error: true },
    ];
    expect(items(user(results))).toEqual([
      { type: 'function_call_output', call_id: 'a.b', output: '' },
      { type: 'function_call_output', call_id: 'b', output: 'one\ntwo' },
      { type: 'function_call_output', call_id: 'c', output: '[error] gone', ...carried({ is_error: true }) },
      { type: 'function_call_output', call_id: 'd', output: 'Error: gone', ...carried({ is_error: true }) },
      said('user', 'so'),
    ]);
  });

  test('Q4 images, documents and search results', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } };
    const linked = { type: 'image', source: { type: 'url', url: 'https://h/i.png' } };
    const note = { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'body' } };
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'BB' } };
    const found = { type: 'search_result', title: 'S', source: 'https://h', content: [text('hit')] };
    expect(items(user([image, linked, note, pdf, found, { type: 'tool_reference', tool_name: 'x' }]))).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto' },
          { type: 'input_image', image_url: 'https://h/i.png', detail: 'auto' },
          { type: 'input_text', text: 'T\n\nbody', ...carried(note) },
          {
            type: 'input_file',
            filename: 'document.pdf',
            file_data: 'data:application/pdf;base64,BB',
            ...carried(pdf),
          },
          { type: 'input_text', text: 'S https://h\n\nhit', ...carried(found) },
          { type: 'input_text', text: 'x', ...carried({ type: 'tool_reference', tool_name: 'x' }) },
        ],
      },
    ]);
    expect(items(user([{ type: 'tool_result', tool_use_id: 'a', content: [text('see'), image] }]))).toEqual([
      {
        type: 'function_call_output',
        call_id: 'a',
        output: [
          { type: 'input_text', text: 'see' },
          { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto' },
        ],
      },
    ]);
  });
});

describe('Q5 the assistant', () => {
  const message = (...texts: string[]): object => ({
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: texts.map((one) => ({ type: 'output_text', text: one, annotations: [] })),
  });

  test('Q5 blocks are items in their order; texts side by side are one message', () => {
    const blocks = [
      text('a'),
      text('b'),
      { type: 'tool_use', id: 'c1', name: 'run', input: { z: 1, a: [2] } },
      text('c'),
    ];
    expect(items(user('x'), assistant(blocks))).toEqual([
      { type: 'message', role: 'user', content: 'x' },
      message('a', 'b'),
      { type: 'function_call', call_id: 'c1', name: 'run', arguments: '{"z":1,"a":[2]}' },
      message('c'),
    ]);
  });

  test('Q5 thinking that turnwire signed is the item it was; other thinking is sealed with its signature', () => {
    const thinking = (signature: unknown): JsonObject => ({ type: 'thinking', thinking: 'hm', signature });
    const redacted = { type: 'redacted_thinking', data: 'zz' };
    const signatures = [
      thinking(toSignature({ id: 'rs_9', encrypted: 'gA' })),
      thinking(toSignature({ raw: true })),
      thinking('EqQ'),
      thinking(''),
      { type: 'thinking', thinking: 'hm' },
      redacted,
    ];
    const raw = [{ type: 'reasoning_text', text: 'hm' }];
    expect(items(assistant(signatures))).toEqual([
      { type: 'reasoning', id: 'rs_9', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'gA' },
      { type: 'reasoning', id: 'rs_msg0_1', summary: [], content: raw },
      {
        type: 'reasoning',
        id: 'rs_msg0_2',
        summary: [],
        content: raw,
        encrypted_content: sealThinking(thinking('EqQ')),
      },
      { type: 'reasoning', id: 'rs_msg0_3', summary: [], content: raw },
      { type: 'reasoning', id: 'rs_msg0_4', summary: [], content: raw },
      { type: 'reasoning', id: 'rs_msg0_5', summary: [], encrypted_content: sealThinking(redacted) },
    ]);
  });

  test('Q5 empty texts are left out, unless there is nothing else', () => {
    expect(items(assistant([text('(no content)'), text(''), text('a')]))).toEqual([message('a')]);
    expect(items(assistant([text('(no content)'), text('')]))).toEqual([message('(no content)')]);
    expect(items(assistant('plain'))).toEqual([message('plain')]);
  });

  test("Q5 blocks of Anthropic's tools go to the same wire as they are, and nowhere else", () => {
    const call = { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } };
    const result = { type: 'web_search_tool_result', tool_use_id: 's1', content: [] };
    const { request } = read([user('x'), assistant([call, result, text('a')])]);
    expect(toMessagesRequest(request).body['messages']).toEqual([
      user([text('x')]),
      assistant([call, result, text('a')]),
    ]);
    const responses = toResponsesRequest(request);
    expect((responses.body['input'] as JsonObject[]).map(({ type }) => type)).toEqual(['message', 'message']);
    expect(responses.notes).toHaveLength(2);
  });
});

describe('Q6 Q7 tools', () => {
  const web = { type: 'web_search_20250305', name: 'web_search', max_uses: 8, allowed_domains: ['h'] };
  const bash = { type: 'bash_20250124', name: 'bash' };
  const code = { type: 'code_execution_20250825', name: 'code_execution' };
  const plain = { name: 'run', description: 'd', input_schema: { type: 'object' }, defer_loading: true, strict: true };

  test('Q6 functions, tools that the client runs, and tools of the server', () => {
    const { request } = read([user('x')], { tools: [plain, bash, web, code] });
    expect(request.tools).toEqual([
      {
        type: 'function',
        name: 'run',
        description: 'd',
        parameters: { type: 'object' },
        strict: true,
        ...carried({ defer_loading: true }),
      },
      {
        type: 'function',
        name: 'bash',
        description: expect.any(String) as string,
        parameters: expect.objectContaining({ type: 'object', required: [] }) as object,
        strict: false,
        ...carried(bash),
      },
      { type: 'web_search', filters: { allowed_domains: ['h'] }, ...carried(web) },
      { type: 'code_execution_20250825', name: 'code_execution', ...carried(code) },
    ]);
    expect(toMessagesRequest(request).body['tools']).toEqual([plain, bash, web, code]);
    const responses = toResponsesRequest(request);
    expect((responses.body['tools'] as JsonObject[]).map(({ type, carried: kept }) => [type, kept])).toEqual([
      ['function', undefined],
      ['function', undefined],
      ['web_search', undefined],
    ]);
    expect(responses.notes).toEqual([
      'tools[3]: left out, the Responses API has no tools of type "code_execution_20250825"',
    ]);
  });

  test('Q6 the choice of a tool that only its server has goes with it', () => {
    const { request, rest } = read([user('x')], { tools: [web], tool_choice: { type: 'tool', name: 'web_search' } });
    expect(request.toolChoice).toBeUndefined();
    expect(rest['tool_choice']).toEqual({ type: 'tool', name: 'web_search' });
  });

  test.each([
    [{ type: 'auto' }, { toolChoice: 'auto' }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { toolChoice: 'required', parallelToolCalls: false },
    ],
    [{ type: 'none' }, { toolChoice: 'none' }],
    [{ type: 'tool', name: 'run' }, { toolChoice: { type: 'function', name: 'run' } }],
  ])('Q7 U11 %j there and back', (tool_choice, expected) => {
    const { request, rest } = read([user('x')], { tools: [plain], tool_choice });
    expect(request).toMatchObject(expected);
    expect(toMessagesRequest({ ...request, extra: rest }).body['tool_choice']).toEqual(tool_choice);
  });
});

describe('Q8 thinking and the form of the answer', () => {
  test.each([
    [{ thinking: { type: 'disabled' } }, 'none'],
    [{ thinking: { type: 'enabled', budget_tokens: 4095 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 4096 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 31_999 } }, 'high'],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }, 'low'],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }, 'high'],
    [{ thinking: { type: 'adaptive' } }, undefined],
    [{}, undefined],
  ])('Q8 %j is the effort %s', (more, effort) => {
    const { request, rest } = read([user('x')], more);
    expect(request.reasoning?.effort).toBe(effort);
    expect(toMessagesRequest({ ...request, extra: rest }).body).toMatchObject(more);
  });

  test.each(['output_format', 'output_config'])('Q8 a schema in %s', (name) => {
    const format = { type: 'json_schema', schema: { type: 'object' } };
    const { request } = read([user('x')], name === 'output_format' ? { [name]: format } : { [name]: { format } });
    expect(request.outputSchema).toEqual({ name: 'answer', schema: { type: 'object' } });
    expect(toMessagesRequest(request).body['output_config']).toEqual({ format });
  });
});

const write = (input: Item[], more: Partial<ModelRequest> = {}, host = '', model = 'm') =>
  toMessagesRequest({ model, input, ...more }, { quirks: chatQuirksOf(host, model) });
const ANTHROPIC = 'https://api.anthropic.com/v1';
const asked = (content: string): Item => ({ type: 'message', role: 'user', content });
const answered = (words: string): Item => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: words, annotations: [] }],
});
const call = (id: string, args = '{}'): Item => ({ type: 'function_call', call_id: id, name: 'run', arguments: args });
const output = (id: string, words: string): Item => ({ type: 'function_call_output', call_id: id, output: words });
const use = (id: string, given: unknown = {}): JsonObject => ({ type: 'tool_use', id, name: 'run', input: given });
const result = (id: string, content: unknown, more = {}): JsonObject => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...more,
});

describe('U requests to a server', () => {
  test('U1 what is always there', () => {
    expect(write([asked('hi')], { instructions: 'Be kind.', temperature: 0, topP: 1 })).toEqual({
      body: {
        model: 'm',
        max_tokens: 32_000,
        stream: true,
        temperature: 0,
        top_p: 1,
        system: [text('Be kind.')],
        messages: [user([text('hi')])],
      },
      notes: [],
    });
    expect(toMessagesRequest({ input: [asked('x')] }, { maxOutputTokens: 7, model: 'o' }).body).toMatchObject({
      model: 'o',
      max_tokens: 7,
    });
  });

  test('U1 thinking has a budget below the limit, and no temperature beside it', () => {
    const budget = (effort: string, maxOutputTokens: number, temperature?: number): JsonObject =>
      write([asked('x')], {
        reasoning: { effort },
        maxOutputTokens,
        ...(temperature === undefined ? {} : { temperature }),
      }).body;
    expect(budget('high', 32_000, 0.5)).not.toHaveProperty('temperature');
    expect(budget('high', 32_000)).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 16_384 } });
    expect(budget('high', 4000)).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 3999 } });
    expect(budget('low', 1024)).not.toHaveProperty('thinking');
    expect(budget('none', 1024)).toMatchObject({ thinking: { type: 'disabled' } });
  });

  test('U2 what the system says first is the system; later it is told by the user, or by role where that is known', () => {
    const later: Item = { type: 'message', role: 'developer', content: 'Later.' };
    const input: Item[] = [{ type: 'message', role: 'developer', content: 'First.' }, asked('a'), later, asked('b')];
    const { body } = write(input, { instructions: 'I.' });
    expect(body['system']).toEqual([text('I.'), text('First.')]);
    const reminder = text('<system-reminder>\nLater.\n</system-reminder>');
    expect(body['messages']).toEqual([user([text('a'), reminder, text('b')])]);
    expect(write(input, {}, '', 'claude-opus-4-8').body['messages']).toEqual([
      user([text('a')]),
      { role: 'system', content: [text('Later.')] },
      user([text('b')]),
    ]);
  });

  test('U3 roles take turns, results stand first and together', () => {
    const input = [
      answered('Hello.'),
      asked('a'),
      asked('b'),
      call('1'),
      call('2'),
      asked('c'),
      output('2', 'two'),
      output('1', 'one'),
    ];
    expect(write(input).body['messages']).toEqual([
      user([text('(continue)')]),
      assistant([text('Hello.')]),
      user([text('a'), text('b')]),
      assistant([use('1'), use('2')]),
      user([result('1', 'one'), result('2', 'two'), text('c')]),
    ]);
  });

  test('U3 a text that came behind its calls stands before them; a new answer is a new message', () => {
    const input = [
      asked('a'),
      call('1'),
      answered('Look.'),
      output('1', 'x'),
      call('2'),
      output('2', 'y'),
      answered('Done.'),
    ];
    expect(write(input).body['messages']).toEqual([
      user([text('a')]),
      assistant([text('Look.'), use('1')]),
      user([result('1', 'x')]),
      assistant([use('2')]),
      user([result('2', 'y')]),
      assistant([text('Done.')]),
    ]);
  });

  test('U4 a call without an output, an output without a call, an id that comes twice', () => {
    const input = [asked('a'), output('9', 'lost'), call('1'), call('1'), output('1', 'x')];
    expect(write(input).body['messages']).toEqual([
      user([text('a'), text('The output of a call that is no part of this conversation:'), text('lost')]),
      assistant([use('1'), use('1-2')]),
      user([result('1', 'x'), result('1-2', 'aborted', { is_error: true })]),
    ]);
  });

  test('U5 sealed thinking goes back byte for byte, before the call that it led to', () => {
    const block = { type: 'thinking', thinking: 'hm', signature: 'EqQ' };
    const sealed: Item = { type: 'reasoning', id: 'r', summary: [], encrypted_content: sealThinking(block) };
    const bare: Item = { type: 'reasoning', id: 'r', summary: [{ type: 'summary_text', text: 'so' }] };
    const input = [asked('a'), sealed, call('1'), answered('b'), output('1', 'x')];
    expect(write(input).body['messages']).toEqual([
      user([text('a')]),
      assistant([block, use('1'), text('b')]),
      user([result('1', 'x')]),
    ]);
    const other = [asked('a'), bare, call('1'), output('1', 'x')];
    expect((write(other).body['messages'] as JsonObject[])[1]).toEqual(
      assistant([{ type: 'thinking', thinking: 'so', signature: '' }, use('1')]),
    );
    const strict = write(other, { reasoning: { effort: 'high' } }, ANTHROPIC, 'claude-sonnet-4-5');
    expect((strict.body['messages'] as JsonObject[])[1]?.['content']).toMatchObject([use('1')]);
    // "Expected `thinking`, but found `tool_use`": without it there can be no thinking in this answer.
    expect(strict.body).not.toHaveProperty('thinking');
    expect(strict.notes).toEqual([
      'input[1]: left out, this server takes no thinking but what it signed itself',
      'reasoning: left out, the server takes no thinking with this request',
    ]);
  });

  test("U5 other wires' servers are not sent what Anthropic sealed", () => {
    const sealed: Item = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'hm' }],
      encrypted_content: sealThinking({ type: 'thinking', thinking: 'hm', signature: 'E' }),
    };
    expect(toResponsesRequest({ input: [asked('a'), sealed] }).body['input']).toEqual([
      asked('a'),
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
    ]);
  });

  test('U6 no text is empty, and no answer to go on with ends in white space', () => {
    const input = [asked(' '), answered('\n'), asked('a'), answered(''), asked('b'), answered('go on: ')];
    expect(write(input).body['messages']).toEqual([user([text('a'), text('b')]), assistant([text('go on:')])]);
    expect(write([]).body['messages']).toEqual([user([text('(continue)')])]);
  });

  test('U7 ids and schemas as the wire takes them', () => {
    const tools: ModelRequest['tools'] = [{ type: 'function', name: 'run', parameters: null }];
    const { body } = write([asked('a'), call('a.b'), output('a.b', 'x')], { tools });
    expect(body['tools']).toEqual([{ name: 'run', input_schema: { type: 'object', properties: {} } }]);
    expect((body['messages'] as JsonObject[]).slice(1)).toEqual([
      assistant([use(toCallId('a.b'))]),
      user([result(toCallId('a.b'), 'x')]),
    ]);
  });

  test('U8 a freeform tool is a function of one string', () => {
    const patch = { type: 'custom', name: 'patch', description: 'd', format: { type: 'grammar', definition: 'G' } };
    const input: Item[] = [
      asked('a'),
      { type: 'custom_tool_call', call_id: '1', name: 'patch', input: '*** "x"' },
      { type: 'custom_tool_call_output', call_id: '1', output: 'ok' },
    ];
    const { body, notes } = write(input, { tools: [patch, { type: 'image_generation' }] });
    expect(body['tools']).toMatchObject([
      { name: 'patch', description: expect.stringContaining('G') as string, input_schema: { required: ['input'] } },
    ]);
    expect((body['messages'] as JsonObject[])[1]).toEqual(
      assistant([{ type: 'tool_use', id: '1', name: 'patch', input: { input: '*** "x"' } }]),
    );
    expect(notes).toEqual(['tools[1]: left out, a Messages request has no tools of type "image_generation"']);
  });

  test('U9 arguments of the history are objects', () => {
    const input = [asked('a'), call('1', '{"half'), call('2', '[1]'), call('3', '')];
    const [, { content } = {}] = write(input).body['messages'] as JsonObject[];
    expect(content).toEqual([
      use('1', { invalid_arguments: '{"half' }),
      use('2', { invalid_arguments: '[1]' }),
      use('3'),
    ]);
  });

  test('U10 at most four marks, at Anthropic alone, and none beside those of a client', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const tools: ModelRequest['tools'] = [
      { type: 'function', name: 'a' },
      { type: 'function', name: 'b' },
    ];
    const input = [asked('a'), answered('b'), asked('c'), call('1'), output('1', 'x')];
    const { body } = write(input, { instructions: 'I.', tools }, ANTHROPIC);
    const schema = { type: 'object', properties: {} };
    expect(body).toMatchObject({
      tools: [
        { name: 'a', input_schema: schema },
        { name: 'b', input_schema: schema, ...mark },
      ],
      system: [text('I.', mark)],
    });
    expect(body['messages']).toEqual([
      user([text('a')]),
      assistant([text('b')]),
      user([text('c', mark)]),
      assistant([use('1')]),
      user([result('1', 'x', mark)]),
    ]);
    expect(JSON.stringify(write(input, { instructions: 'I.', tools }).body)).not.toContain('cache_control');
    const own = read([user([text('a', mark)]), assistant('b'), user('c')]);
    const written = toMessagesRequest(own.request, { quirks: chatQuirksOf(ANTHROPIC, 'm') }).body;
    expect(JSON.stringify(written).match(/cache_control/g)).toHaveLength(1);
  });

  test('U10 a longer conversation begins with the same bytes', () => {
    const turn = fc.oneof(
      fc.constant([answered('b'), asked('c')]),
      fc.constant([call('x'), output('x', 'o'), asked('d')]),
      fc.constant([{ type: 'message', role: 'developer', content: 'e' }, asked('f')]),
    );
    const bytes = (input: Item[]): string =>
      JSON.stringify(write(input, {}, ANTHROPIC).body['messages'], (key, value: unknown) =>
        key === 'cache_control' ? undefined : value,
      ).slice(0, -3);
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 5 }), turn, (turns, next) => {
        const input = [asked('a'), ...turns.flat()];
        expect(bytes([...input, answered('g'), ...next]).startsWith(bytes(input))).toBe(true);
      }),
    );
  });

  test('U11 one call at a time, and a forced call without thinking', () => {
    const tools: ModelRequest['tools'] = [{ type: 'function', name: 'run' }];
    const forced = { tools, toolChoice: 'required', reasoning: { effort: 'high' } } as const;
    expect(write([asked('a')], { tools, parallelToolCalls: false }).body['tool_choice']).toEqual({
      type: 'auto',
      disable_parallel_tool_use: true,
    });
    expect(write([asked('a')], forced).body).not.toHaveProperty('thinking');
    const adaptive = write([asked('a')], { reasoning: { effort: 'high' } }, ANTHROPIC, 'claude-opus-4-8').body;
    expect(adaptive).toMatchObject({ thinking: { type: 'adaptive' }, output_config: { effort: 'high' } });
    expect(messagesProtocol.fromPortable({ stop: ['END', ' '] })).toEqual({ stop_sequences: ['END'] });
  });
});
