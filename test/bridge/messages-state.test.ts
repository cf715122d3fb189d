import { describe, expect, it } from 'vitest';
import { askSse, post, startRig, type Json } from './harness.ts';
import { startBridge, startRawUpstream, type RawExchange } from './raw-upstream.ts';

const headers = { 'anthropic-version': '2023-06-01' };
const question = { role: 'user', content: 'weather?' };
const tools = [{ name: 'read_file', input_schema: { type: 'object', properties: {} } }];

/** The conversation with an answer in it, and the result of its call. */
function after(content: readonly Json[]): Json[] {
  const call = content.find(({ type }) => type === 'tool_use');
  const result = { type: 'tool_result', tool_use_id: call?.id, content: 'sun' };
  return [question, { role: 'assistant', content }, { role: 'user', content: [result] }];
}

describe('state of other servers through a Messages client (docs/contract.md 3.12, 8.20)', () => {
  it("Gemini's signature comes back to it in the signature of a thinking block", async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'tool-call', faults: ['thought-signature'] },
      { wire: 'chat' },
    );
    const ask = (messages: readonly Json[]): Promise<Response> =>
      post(at.bridge, '/v1/messages', { model: 'm', max_tokens: 99, messages, tools }, { headers });
    const { content } = (await (await ask([question])).json()) as { content: Json[] };
    expect(content.map(({ type }) => type).sort()).toEqual(['thinking', 'tool_use']);
    expect((await ask(after(content))).status).toBe(200);
    expect((await ask(after(content.filter(({ type }) => type !== 'thinking')))).status).toBe(400);
  });
});

/** Answers with events of which each has an `event:` line. */
function answer({ res }: RawExchange, events: readonly Json[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}

/** The events of a Messages answer with these blocks; each comes in one delta of each kind. */
function blockEvents(blocks: readonly (readonly [start: Json, ...deltas: Json[]])[]): Json[] {
  const usage = { input_tokens: 3, output_tokens: 2 };
  return [
    { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage } },
    ...blocks.flatMap(([block, ...deltas], index) => [
      { type: 'content_block_start', index, content_block: block },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage },
    { type: 'message_stop' },
  ];
}

describe("Claude's thinking through a Responses client", () => {
  const thinking = { type: 'thinking', thinking: 'Hm,\n wëll.', signature: 'SIG+/=='.repeat(9) };
  const redacted = { type: 'redacted_thinking', data: 'DATA==' };

  it.each([
    ['Codex', { originator: 'codex_cli_rs', 'user-agent': 'codex_cli_rs/0.169.0' }],
    ['another', {}],
  ])('comes back byte for byte, before its call: %s', async (_name, asClient) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { wire: 'messages' });
    const question = { type: 'message', role: 'user', content: 'weather?' };
    const tools = [{ type: 'function', name: 'read_file', parameters: { type: 'object', properties: {} } }];
    const first = askSse(bridge, { input: [question], tools, store: false }, asClient);
    answer(
      await upstream.next(),
      blockEvents([
        [
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: thinking.thinking },
          { type: 'signature_delta', signature: thinking.signature },
        ],
        [redacted],
        [
          { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: {} },
          { type: 'input_json_delta', partial_json: '{"path":"a"}' },
        ],
      ]),
    );
    const { how, body } = await first;
    expect(how).toBe('completed');
    const output = body?.output as Json[];
    // What Codex keeps of an item.
    const kept = output.map(({ type, call_id, name, arguments: args, summary, encrypted_content }) => ({
      ...{ type, call_id, name, arguments: args, summary, encrypted_content },
    }));
    const result = { type: 'function_call_output', call_id: 'toolu_1', output: 'sun' };
    const second = askSse(bridge, { input: [question, ...kept, result], tools, store: false }, asClient);
    const exchange = await upstream.next();
    answer(
      exchange,
      blockEvents([
        [
          { type: 'text', text: '' },
          { type: 'text_delta', text: 'Sun.' },
        ],
      ]),
    );
    expect((await second).text).toBe('Sun.');
    const messages = exchange.body.messages as { role: string; content: Json[] }[];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(messages[1]?.content).toEqual([
      thinking,
      redacted,
      { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: { path: 'a' } },
    ]);
  });
});

describe("OpenAI's reasoning through a Messages client", () => {
  it.each([true, false])('comes back in the signature of its thinking block; streamed: %s', async (stream) => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { wire: 'responses' });
    const summary = [{ type: 'summary_text', text: 'Looked it up.' }];
    const reasoning = { type: 'reasoning', id: 'rs_abc', summary, encrypted_content: 'ENC+/==' };
    const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'read_file', arguments: '{}' };
    const done = (output: readonly Json[]): Json[] => [
      { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } },
      ...output.map((item, output_index) => ({ type: 'response.output_item.done', output_index, item })),
      { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output } },
    ];
    const ask = (messages: readonly Json[], streamed: boolean): Promise<Response> =>
      post(bridge, '/v1/messages', { model: 'm', max_tokens: 99, messages, tools, stream: streamed }, { headers });
    const first = ask([question], stream);
    answer(await upstream.next(), done([reasoning, call]));
    const { content } = await messageOf(await first, stream);
    expect(content.map(({ type }) => type)).toEqual(['thinking', 'tool_use']);
    const second = ask(after(content), false);
    const exchange = await upstream.next();
    const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Sun.' }] };
    answer(exchange, done([said]));
    expect((await second).status).toBe(200);
    const input = exchange.body.input as Json[];
    expect(input.map(({ type }) => type)).toEqual(['message', 'reasoning', 'function_call', 'function_call_output']);
    expect(input[1]).toMatchObject({ type: 'reasoning', summary, encrypted_content: 'ENC+/==' });
  });
});

/** A message as a client puts it together. */
async function messageOf(response: Response, stream: boolean): Promise<{ content: Json[] }> {
  if (!stream) return (await response.json()) as { content: Json[] };
  const content: Json[] = [];
  const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
  for (const event of events.map((line) => JSON.parse(line.slice('data: '.length)) as Json)) {
    if (event.type === 'content_block_start') content.push({ ...(event.content_block as Json) });
    const delta = (event.delta ?? {}) as Json;
    const block = content.at(-1);
    if (event.type !== 'content_block_delta' || block === undefined) continue;
    for (const name of ['thinking', 'signature', 'text'])
      if (typeof delta[name] === 'string') block[name] = (block[name] as string) + delta[name];
  }
  return { content };
}
