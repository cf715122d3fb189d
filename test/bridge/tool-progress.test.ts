import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createBridge, type Bridge } from '../../packages/bridge/src/index.ts';
import { askJson, askSocket, askSse, type Ended, type Json } from './harness.ts';
import { startRawUpstream } from './raw-upstream.ts';

interface Hosted {
  readonly item: Json;
  /** Between its `added` and its `done`. */
  readonly progress: readonly Json[];
  readonly done: Json;
}

const hosted: readonly Hosted[] = [
  {
    item: { id: 'ws_1', type: 'web_search_call', status: 'in_progress', action: { type: 'search', query: 'x' } },
    progress: ['in_progress', 'searching', 'completed'].map((name) => ({ type: `response.web_search_call.${name}` })),
    done: { status: 'completed' },
  },
  {
    item: { id: 'fs_1', type: 'file_search_call', status: 'in_progress', queries: ['x'], results: null },
    progress: ['in_progress', 'searching', 'completed'].map((name) => ({ type: `response.file_search_call.${name}` })),
    done: { status: 'completed' },
  },
  {
    item: { id: 'ig_1', type: 'image_generation_call', status: 'in_progress', result: null },
    progress: [
      { type: 'response.image_generation_call.generating' },
      { type: 'response.image_generation_call.partial_image', partial_image_index: 0, partial_image_b64: 'AAAA' },
      { type: 'response.image_generation_call.completed' },
    ],
    done: { status: 'completed', result: 'BBBB' },
  },
  {
    item: {
      ...{ id: 'ci_1', type: 'code_interpreter_call', status: 'in_progress', code: '' },
      ...{ container_id: 'c', outputs: [] },
    },
    progress: [
      { type: 'response.code_interpreter_call.in_progress' },
      { type: 'response.code_interpreter_call_code.delta', delta: '1 +' },
      { type: 'response.code_interpreter_call_code.delta', delta: ' 1 "ü"' },
      { type: 'response.code_interpreter_call_code.done', code: '1 + 1 "ü"' },
      { type: 'response.code_interpreter_call.interpreting' },
      { type: 'response.code_interpreter_call.completed' },
    ],
    done: { status: 'completed', code: '1 + 1 "ü"' },
  },
  {
    item: { id: 'mcp_1', type: 'mcp_call', name: 'find', server_label: 's', arguments: '', status: 'in_progress' },
    progress: [
      { type: 'response.mcp_call.in_progress' },
      { type: 'response.mcp_call_arguments.delta', delta: '{"a"' },
      { type: 'response.mcp_call_arguments.delta', delta: ':1}' },
      { type: 'response.mcp_call_arguments.done', arguments: '{"a":1}' },
      { type: 'response.mcp_call.completed' },
    ],
    done: { status: 'completed', arguments: '{"a":1}', output: 'found' },
  },
];

const message = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
  content: [{ type: 'output_text', text: 'Found.', annotations: [] }],
};

/** What a server of the Responses API sends: its indexes and numbers begin at 3, so that they have to be made good. */
function answerOf(tools: readonly Hosted[], before: readonly Json[] = []): string {
  const output = [...tools.map(({ item, done }) => ({ ...item, ...done })), message];
  const response = { id: 'resp_up', object: 'response', status: 'in_progress', output: [] };
  const events: Json[] = [
    { type: 'response.created', response },
    ...before,
    ...tools.flatMap(({ item, progress, done }, place) => [
      { type: 'response.output_item.added', output_index: place + 3, item },
      ...progress.map((event) => ({ ...event, item_id: item.id, output_index: place + 3 })),
      { type: 'response.output_item.done', output_index: place + 3, item: { ...item, ...done } },
    ]),
    { type: 'response.output_item.added', output_index: 9, item: { ...message, content: [], status: 'in_progress' } },
    { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 9, content_index: 0, delta: 'Found.' },
    { type: 'response.output_item.done', output_index: 9, item: message },
    { type: 'response.completed', response: { ...response, status: 'completed', output } },
  ];
  return events.map((event, at) => `data: ${JSON.stringify({ ...event, sequence_number: at + 3 })}\n\n`).join('');
}

async function answered<T>(text: string, ask: (bridge: Bridge) => Promise<T>, mode?: 'final-only'): Promise<T> {
  await using upstream = await startRawUpstream();
  const options = { wire: 'responses', tools: 'native', port: 0, drainTimeoutMs: 0 } as const;
  await using bridge = createBridge({ ...options, upstreams: [upstream.url], ...(mode === undefined ? {} : { mode }) });
  await bridge.listen();
  const asked = ask(bridge);
  const { res } = await upstream.next();
  res.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
  return await asked;
}

/** The events of the server's own tools, without their numbers. */
function progressOf({ events }: Ended): Json[] {
  const own = events.filter(({ type }) => /^response\.(web|file|image|code|mcp)_/.test(String(type)));
  return own.map((event) => {
    const fields = { ...event };
    delete fields.sequence_number;
    return fields;
  });
}

const wanted = hosted.flatMap(({ item, progress }, place) =>
  progress.map((event) => ({ ...event, item_id: item.id, output_index: place })),
);
const question = { input: 'find it', tools: [{ type: 'web_search' }] };

describe('what the tools of a server tell of their progress', () => {
  it.each([
    ['SSE', askSse],
    ['WebSocket', askSocket],
  ] as const)('reaches the client over %s, under the ids and places of its items', async (_name, ask) => {
    const end = await answered(answerOf(hosted), (bridge) => ask(bridge, question));
    expect([end.how, end.violations, end.text]).toEqual(['completed', [], 'Found.']);
    expect(progressOf(end)).toEqual(wanted);
  });

  it('changes nothing for a client that gets whole items alone, or one body', async () => {
    const final = await answered(answerOf(hosted), (bridge) => askSse(bridge, question, {}, true), 'final-only');
    expect([final.how, final.violations, progressOf(final)]).toEqual(['completed', [], []]);
    const body = await answered(answerOf(hosted), (bridge) => askJson(bridge, question));
    expect((body.body?.output as Json[]).map(({ type }) => type)).toEqual([
      ...hosted.map(({ item }) => item.type),
      'message',
    ]);
  });

  it('is left out where it speaks of no item that is open, or of nothing that is known', async () => {
    const stray = [
      { type: 'response.web_search_call.searching', item_id: 'ws_0', output_index: 3 },
      { type: 'response.web_search_call.searching', output_index: 3 },
      { type: 'response.web_search_call.x","y":"', item_id: 'ws_1' },
      { type: 'response.invented_call.searching', item_id: 'ws_1', output_index: 3 },
    ];
    const [search] = hosted;
    const late = { ...search!, progress: [] };
    const text = answerOf([late], stray).replace(
      /(?=data: [^\n]*"msg_1")/,
      `data: ${JSON.stringify({ type: 'response.web_search_call.completed', item_id: 'ws_1', output_index: 3 })}\n\n`,
    );
    const end = await answered(text, (bridge) => askSse(bridge, question));
    expect([end.how, end.violations, progressOf(end)]).toEqual(['completed', [], []]);
  });

  it('is all of it or nothing for an item that waits behind another', async () => {
    const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '' };
    const mcp = hosted.at(-1)!;
    const [first, second, ...rest] = mcp.progress.map((event) => ({ ...event, item_id: 'mcp_1', output_index: 4 }));
    const done = { ...call, arguments: '{}', status: 'completed' };
    const before = [
      { type: 'response.output_item.added', output_index: 3, item: call },
      { type: 'response.output_item.added', output_index: 4, item: mcp.item },
      ...[first!, second!],
      { type: 'response.output_item.done', output_index: 3, item: done },
      ...rest,
      { type: 'response.output_item.done', output_index: 4, item: { ...mcp.item, ...mcp.done } },
    ];
    const end = await answered(answerOf([], before), (bridge) => askSse(bridge, question));
    expect([end.how, end.violations, progressOf(end)]).toEqual(['completed', [], []]);
    expect((end.body?.output as Json[]).map(({ type }) => type)).toEqual(['function_call', 'mcp_call', 'message']);
  });

  it('is read by the helper of the openai package', async () => {
    const [seen, final] = await answered(answerOf(hosted), async (bridge) => {
      const client = new OpenAI({ apiKey: 'none', baseURL: `${bridge.url}/v1`, maxRetries: 0 });
      const types: string[] = [];
      const stream = client.responses.stream({ model: 'm', input: 'find it', tools: [{ type: 'web_search' }] });
      for await (const event of stream) types.push(event.type);
      return [types, await stream.finalResponse()] as const;
    });
    expect(seen).toEqual(expect.arrayContaining(wanted.map((event: Json) => String(event.type))));
    expect([final.output_text, final.output.map(({ type }) => type)]).toEqual([
      'Found.',
      [...hosted.map(({ item }) => item.type), 'message'],
    ]);
    expect(final.output[4]).toMatchObject({ arguments: '{"a":1}', output: 'found' });
  });
});
