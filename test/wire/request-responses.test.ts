import { describe, expect, test } from 'vitest';
import type { Item } from '../../packages/wire/src/model/items.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import { toResponsesBody, toResponsesRequest } from '../../packages/wire/src/responses/request.ts';
import { sealThinking } from '../../packages/wire/src/sealed-thinking.ts';

const common = { store: false, stream: true, include: ['reasoning.encrypted_content'] };
const call: Item = { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'run', arguments: '{}' };
const output: Item = { type: 'function_call_output', call_id: 'a', output: 'ok' };

const inputOf = (input: readonly Item[], extra?: ModelRequest['extra']): unknown =>
  toResponsesBody({ input, ...(extra && { extra }) }).input;

describe('toResponsesBody', () => {
  test('nothing is stored, everything is streamed, encrypted reasoning is asked for', () => {
    expect(toResponsesBody({ model: 'm', instructions: '', input: [] })).toEqual({ model: 'm', input: [], ...common });
  });

  test('the whole of it', () => {
    const tool = { type: 'function' as const, name: 'run', parameters: { type: 'object' }, strict: false };
    const request: ModelRequest = {
      instructions: 'be brief',
      input: [],
      tools: [tool, { type: 'web_search' }],
      toolChoice: 'required',
      parallelToolCalls: true,
      maxOutputTokens: 9,
      temperature: 0,
      topP: 1,
      reasoning: { effort: 'low', summary: 'auto' },
      outputSchema: { name: 'x', schema: { type: 'object' }, strict: true },
      extra: { text: { verbosity: 'low' }, prompt_cache_key: 'k', stream: false },
    };
    expect(toResponsesBody(request, { model: 'm', maxOutputTokens: 1 })).toEqual({
      ...common,
      model: 'm',
      instructions: 'be brief',
      input: [],
      tools: [tool, { type: 'web_search' }],
      tool_choice: 'required',
      parallel_tool_calls: true,
      max_output_tokens: 9,
      temperature: 0,
      top_p: 1,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { verbosity: 'low', format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true } },
      prompt_cache_key: 'k',
      stream: false,
    });
  });

  test.each([
    ['fc_1', true],
    ['fc_a_b', true],
    ['fc_', false],
    ['msg_1', false],
    ['_1', false],
    ['plain', false],
    ['', false],
    [7, false],
  ])('an id is sent only with the prefix of its type: %j', (id, sent) => {
    const item = { type: 'function_call', call_id: 'a', name: 'run', arguments: '{}' };
    expect(inputOf([{ ...item, id }, output])).toEqual([sent ? { ...item, id } : item, output]);
  });

  test('the id of a reference is all it has', () => {
    expect(inputOf([{ type: 'item_reference', id: 'plain' }])).toEqual([{ type: 'item_reference', id: 'plain' }]);
  });

  test('raw reasoning is sent only where there is some', () => {
    const bare = { type: 'reasoning', id: 'rs_1', summary: [] };
    const raw = { ...bare, content: [{ type: 'reasoning_text', text: 'x' }] };
    expect(inputOf([{ ...bare, content: [] }, raw, { ...bare, content: null }])).toEqual([bare, raw, bare]);
  });

  test('encrypted reasoning goes without an id: it may be known by another than the one it came with', () => {
    const sealed = { type: 'reasoning', summary: [], encrypted_content: 'e' };
    expect(inputOf([{ ...sealed, id: 'rs_1' }])).toEqual([sealed]);
  });

  test('thinking that Anthropic redacted says nothing to others, and is left out', () => {
    const item = { type: 'reasoning', summary: [] };
    const content = [{ type: 'reasoning_text', text: 'hm' }];
    const redacted = sealThinking({ type: 'redacted_thinking', data: 'Z' });
    const signed = sealThinking({ type: 'thinking', thinking: 'hm', signature: 's' });
    const input = [
      { ...item, encrypted_content: redacted },
      { ...item, content, encrypted_content: signed },
    ];
    expect(inputOf(input)).toEqual([{ ...item, content }]);
  });

  test('a call without an output gets `aborted` right after it, an orphan output goes', () => {
    const custom: Item = { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: '' };
    const orphan: Item = { type: 'function_call_output', call_id: 'z', output: '' };
    const { body, notes } = toResponsesRequest({ input: [orphan, call, custom, { role: 'user', content: 'next' }] });
    expect(body.input).toEqual([
      call,
      { type: 'function_call_output', call_id: 'a', output: 'aborted' },
      custom,
      { type: 'custom_tool_call_output', call_id: 'b', output: 'aborted' },
      { role: 'user', content: 'next' },
    ]);
    expect(notes).toEqual(['input[0]: left out, an output without a call before it']);
  });

  test('calls of the shell and of the file editor get outputs of their own kind', () => {
    const shell: Item = { type: 'shell_call', call_id: 'a', action: { commands: ['ls'] } };
    const edit: Item = { type: 'apply_patch_call', call_id: 'b', operation: { type: 'delete_file', path: 'x' } };
    const output = [{ stdout: '', stderr: 'aborted', outcome: { type: 'exit', exit_code: 1 } }];
    const answered = { type: 'apply_patch_call_output', call_id: 'b', status: 'completed' };
    expect(inputOf([shell, edit])).toEqual([
      shell,
      { type: 'shell_call_output', call_id: 'a', output },
      edit,
      { ...answered, status: 'failed', output: 'aborted' },
    ]);
    expect(inputOf([edit, answered])).toEqual([edit, answered]);
  });

  test('arguments that are no JSON object are wrapped: a server that parses them would refuse all that follows', () => {
    const withArguments = (text: string): unknown => inputOf([{ ...call, arguments: text }, output]);
    expect(withArguments('{"a": 1}')).toEqual([{ ...call, arguments: '{"a": 1}' }, output]);
    expect(withArguments('')).toEqual([{ ...call, arguments: '{}' }, output]);
    expect(withArguments('{"a":')).toEqual([{ ...call, arguments: '{"invalid_arguments":"{\\"a\\":"}' }, output]);
  });

  test('an output whose call is in the previous response stays', () => {
    expect(inputOf([output], { previous_response_id: 'resp_1' })).toEqual([output]);
  });

  test("a search that ran at the server is the server's own pair", () => {
    const search = { type: 'tool_search_call', call_id: null, execution: 'server' };
    const found = { type: 'tool_search_output', call_id: null, execution: 'server', tools: [] };
    expect(inputOf([search, found])).toEqual([search, found]);
    expect(inputOf([{ ...search, call_id: 's', execution: 'client' }])).toMatchObject([
      {},
      { type: 'tool_search_output', call_id: 's' },
    ]);
  });

  test('unknown items travel untouched', () => {
    const strange = { type: 'hologram', id: 'h_1', depth: [1] };
    expect(inputOf([strange, {}])).toEqual([strange, {}]);
  });

  test('the request itself is not changed', () => {
    const item = Object.freeze({ type: 'message', id: 'plain', role: 'user', content: 'x' });
    const request = Object.freeze({ input: Object.freeze([item]) });
    toResponsesBody(request);
    expect(item.id).toBe('plain');
  });
});
