import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askSse, post, sseEvents, startRig, type Json } from './harness.ts';

const PATCH = '*** Begin Patch\n*** Add File: ü.txt\n+"quoted" \\ 😀\n*** End Patch\n';

function calling(name: string, args: unknown): Scenario {
  return {
    turns: [
      {
        replies: [
          { parts: [{ type: 'tool_call', name, arguments: args, callId: 'call_1', chunk: 3 } as never] },
          { parts: [{ type: 'text', text: 'Done.' }] },
        ],
      },
    ],
  };
}

/** A real request of Codex with these tools. */
function codexRequest(name: string): { body: Json; headers: Record<string, string> } {
  const file = new URL(`clients/${name}.json`, import.meta.url);
  const { requests } = JSON.parse(readFileSync(file, 'utf8')) as {
    requests: { body: Json; headers: Record<string, string> }[];
  };
  const { headers, body } = requests[0]!;
  const kept = ['originator', 'user-agent', 'session-id', 'x-openai-internal-codex-responses-lite'];
  return { body, headers: Object.fromEntries(Object.entries(headers).filter(([header]) => kept.includes(header))) };
}

describe.each(['chat', 'responses'] as const)('bridge: tools of Codex on a %s upstream', (wire) => {
  it('brings a patch back as a custom call, its raw input streamed', async () => {
    const { body, headers } = codexRequest('codex-gpt55--tool');
    await using at = await startRig({ wire, scenario: calling('apply_patch', { input: PATCH }) }, { wire });
    const end = await askSse(at.bridge, body, headers);
    expect(end.violations).toEqual([]);
    const [item] = end.body?.output as Json[];
    expect(item).toMatchObject({ type: 'custom_tool_call', name: 'apply_patch', call_id: 'call_1', input: PATCH });
    const deltas = end.events.filter((event) => event.type === 'response.custom_tool_call_input.delta');
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.map((event) => event.delta).join('')).toBe(PATCH);
    const again = [
      ...(body.input as Json[]),
      item,
      { type: 'custom_tool_call_output', call_id: 'call_1', output: 'ok' },
    ];
    expect((await askSse(at.bridge, { ...body, input: again }, headers)).text).toBe('Done.');
    const seen = JSON.stringify(at.mock.requests.at(-1)?.body);
    expect(seen).toContain(JSON.stringify(JSON.stringify({ input: PATCH })).slice(1, -1));
    expect(seen).not.toContain('custom_tool_call');
  });

  it('splits a namespace again, and says what could not be carried', async () => {
    const { body, headers } = codexRequest('codex-http--tool');
    await using at = await startRig(
      { wire, scenario: calling('multi_agent_v1__spawn_agent', { message: 'go' }) },
      { wire },
    );
    const response = await post(at.bridge, '/v1/responses', body, { headers });
    expect(response.headers.get('x-turnwire-not-carried')).toBe('web_search');
    const events = sseEvents(await response.text());
    const done = events.filter((event) => event.type === 'response.output_item.done');
    const item = {
      type: 'function_call',
      name: 'spawn_agent',
      namespace: 'multi_agent_v1',
      arguments: '{"message":"go"}',
    };
    expect(done).toMatchObject([{ item }]);
    const tools = at.mock.requests[0]?.body?.tools as { type: string }[];
    expect(new Set(tools.map((tool) => tool.type))).toEqual(new Set(['function']));
  });

  it('finds the freeform exec among the additional tools of a lite request', async () => {
    const { body, headers } = codexRequest('codex-lite--tool');
    await using at = await startRig({ wire, scenario: calling('exec', { input: 'text(1);\n' }) }, { wire });
    const end = await askSse(at.bridge, body, headers);
    expect(end.violations).toEqual([]);
    expect((end.body?.output as Json[])[0]).toMatchObject({
      type: 'custom_tool_call',
      name: 'exec',
      input: 'text(1);\n',
    });
    expect((end.body?.output as Json[])[0]).not.toHaveProperty('namespace');
  });
});

describe.each(['chat', 'responses'] as const)('bridge: built-in tools on a %s upstream', (wire) => {
  const tools = [{ type: 'shell' }, { type: 'apply_patch' }];

  const operation = { type: 'create_file', path: 'a', diff: '+ü' };
  const listed = { stdout: 'a\n', stderr: '', outcome: { type: 'exit', exit_code: 0 } };
  const cases: [string, Json, Json, Json, string][] = [
    ['shell', { commands: ['ls'] }, { action: { commands: ['ls'] } }, { output: [listed] }, 'a\n[exit code 0]'],
    ['apply_patch', operation, { operation }, { status: 'failed', output: 'it exists' }, 'Failed: it exists'],
  ];

  it.each(cases)('calls %s, and goes on from the stored answer', async (name, args, item, output, seen) => {
    const type = `${name}_call`;
    await using at = await startRig({ wire, scenario: calling(name, args) }, { wire });
    const request = { tools, tool_choice: { type: name }, input: 'hi' };
    const first = await askSse(at.bridge, request);
    expect(first.violations).toEqual([]);
    expect(first.body?.output).toMatchObject([{ type, call_id: 'call_1', status: 'completed', ...item }]);
    const sent = at.mock.requests[0]?.body?.tool_choice;
    expect(sent).toEqual(wire === 'chat' ? { type: 'function', function: { name } } : { type: 'function', name });
    const input = [{ type: `${type}_output`, call_id: 'call_1', ...output }];
    const second = await askSse(at.bridge, { tools, input, previous_response_id: first.body?.id });
    expect(second.text).toBe('Done.');
    const body = JSON.stringify(at.mock.requests.at(-1)?.body);
    expect(body).toContain(JSON.stringify(seen));
    expect(body).not.toContain(type);
  });

  it('names a shell that runs in a container', async () => {
    await using at = await startRig({ wire, scenario: 'text' }, { wire });
    const body = { tools: [{ type: 'shell', environment: { type: 'container_auto' } }], input: 'hi', stream: true };
    const response = await post(at.bridge, '/v1/responses', body);
    expect(response.headers.get('x-turnwire-not-carried')).toBe('shell');
    await response.text();
  });
});

describe('bridge: built-in tools on a server that has them', () => {
  it('goes through untouched, there and back', async () => {
    const tools = [{ type: 'shell', environment: { type: 'container_auto' } }, { type: 'apply_patch' }];
    const action = { commands: ['ls'], timeout_ms: null, max_output_length: null };
    const input = [
      { type: 'message', role: 'user', content: 'hi' },
      { type: 'shell_call', id: 'sh_1', call_id: 'a', status: 'completed', action },
      { type: 'shell_call_output', id: 'sho_1', call_id: 'a', output: [], max_output_length: 9 },
    ];
    await using at = await startRig({ wire: 'responses', scenario: 'text' }, { wire: 'responses', tools: 'native' });
    await askSse(at.bridge, { tools, tool_choice: { type: 'shell' }, input });
    expect(at.mock.requests[0]?.body).toMatchObject({ tools, tool_choice: { type: 'shell' }, input });
  });
});

describe('bridge: tool calls that are not done', () => {
  const stop = { wire: 'chat', scenario: 'parallel-calls', faults: ['stop-with-tools'] } as const;

  it('are dropped without a trace where they are to be dropped', async () => {
    await using at = await startRig(stop, { wire: 'chat', toolCallsOnStop: 'drop' });
    const end = await askSse(at.bridge, { input: 'hi' });
    expect([end.how, end.text, end.violations]).toEqual(['completed', 'Two things to look up.', []]);
    expect(JSON.stringify(end.events)).not.toContain('function_call');
  });
});

describe('bridge: the openai package', () => {
  const tools = [
    {
      type: 'function' as const,
      name: 'read_file',
      parameters: { type: 'object', properties: { path: { type: 'string' } } },
      strict: false,
    },
  ];

  it.each(['chat', 'responses'] as const)(
    'streams responses with tools over several steps: %s upstream',
    async (wire) => {
      await using at = await startRig({ wire, scenario: 'tool-call' }, { wire });
      const client = new OpenAI({ apiKey: 'none', baseURL: `${at.bridge.url}/v1`, maxRetries: 0 });
      const first = await client.responses.stream({ model: 'm', input: 'read it', tools }).finalResponse();
      const [call] = first.output;
      if (call?.type !== 'function_call') throw new Error('no call');
      expect([call.name, call.arguments]).toEqual(['read_file', '{"path":"notes.txt"}']);
      const second = await client.responses
        .stream({
          model: 'm',
          previous_response_id: first.id,
          input: [{ type: 'function_call_output', call_id: call.call_id, output: 'text' }],
          tools,
        })
        .finalResponse();
      expect(second.output_text).toBe('The file was read.');
      expect((await client.responses.retrieve(second.id)).output_text).toBe('The file was read.');
      const items = await client.responses.inputItems.list(second.id);
      expect(items.data.map((item) => item.type)).toEqual(['function_call_output']);
      await client.responses.delete(second.id);
      await expect(client.responses.retrieve(second.id)).rejects.toThrow(/404/);
    },
  );

  it.each(['chat', 'responses'] as const)('streams chat completions, text and calls: %s upstream', async (wire) => {
    await using at = await startRig({ wire, scenario: 'parallel-calls' }, { wire });
    const client = new OpenAI({ apiKey: 'none', baseURL: `${at.bridge.url}/v1`, maxRetries: 0 });
    const stream = client.chat.completions.stream({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream_options: { include_usage: true },
    });
    const { choices, usage } = await stream.finalChatCompletion();
    expect(choices[0]?.message.content).toBe('Two things to look up.');
    expect(choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function.name)).toEqual([
      'read_file',
      'get_time',
    ]);
    expect(usage?.total_tokens).toBeGreaterThan(0);
  });

  it('reads errors of both kinds, and reasoning', async () => {
    await using refused = await startRig({ wire: 'chat', faults: ['invalid-prompt'] }, { wire: 'chat' });
    const one = new OpenAI({ apiKey: 'none', baseURL: `${refused.bridge.url}/v1`, maxRetries: 0 });
    await expect(one.responses.create({ model: 'm', input: 'x' })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_prompt',
    });
    await using cut = await startRig({ wire: 'chat', scenario: 'text', faults: ['reset-after:3'] }, { wire: 'chat' });
    const two = new OpenAI({ apiKey: 'none', baseURL: `${cut.bridge.url}/v1`, maxRetries: 0 });
    const failed = await two.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    expect([failed.status, failed.error?.code]).toEqual(['failed', 'server_error']);
    await using thinks = await startRig({ wire: 'chat', scenario: 'reasoning' }, { wire: 'chat', heartbeatMs: 1 });
    const three = new OpenAI({ apiKey: 'none', baseURL: `${thinks.bridge.url}/v1`, maxRetries: 0 });
    const thought = await three.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    expect([thought.output.map((item) => item.type), thought.output_text]).toEqual([
      ['reasoning', 'message'],
      'Hello, after some thought.',
    ]);
  });
});
