import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { encodeResponsesBody } from '../../packages/wire/src/responses/encode.ts';
import { compactionShape, eventShape, responseShape, type Shape } from './open-responses-shape.ts';
import {
  askJson,
  askOn,
  askSocket,
  askSse,
  openSocket,
  post,
  startRig,
  type Ended,
  type Json,
  type Rig,
} from './harness.ts';

/**
 * The rules of the Open Responses specification (2026-04-24), one test for each of the 17 of its public suite, which ask a
 * server as its clients do. The names are the suite's.
 */

const message = (role: string, content: unknown, more: Json = {}): Json => ({
  type: 'message',
  role,
  content,
  ...more,
});

const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather at a place',
  parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
};

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Thinks, and then says something, or calls the tool that it is offered. */
const scenario: Scenario = {
  turns: [
    {
      when: { tool: 'get_weather' },
      replies: [{ parts: [{ type: 'tool_call', name: 'get_weather', arguments: { location: 'San Francisco, CA' } }] }],
    },
    {
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'Short is best.' },
            { type: 'text', text: 'Hello, all of you.' },
          ],
        },
      ],
    },
  ],
};

const problems = (shape: Shape, value: unknown): readonly string[] => shape(value, '$');

/** What the suite looks at in every answer that was asked for as one body. */
function expectWhole({ how, body }: Ended): void {
  expect(problems(responseShape, body)).toEqual([]);
  expect(how).toBe('completed');
  expect(body?.output).not.toEqual([]);
}

/** The same of one that was streamed, and of each of its events. */
function expectStreamed(ended: Ended): void {
  expectWhole(ended);
  expect(ended.events.length).toBeGreaterThan(0);
  expect(ended.events.flatMap((event) => problems(eventShape, event))).toEqual([]);
  expect(ended.violations).toEqual([]);
}

describe.each(['chat', 'responses', 'messages'] as const)('Open Responses, on a %s server', (wire) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ wire, scenario });
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  const ask = (input: unknown, more: Json = {}): Promise<Ended> => askJson(rig.bridge, { input, ...more });

  it('basic-response', async () => {
    expectWhole(await ask([message('user', 'Say hello in three words.')]));
  });

  it('assistant-phase', async () => {
    const input = [
      message('assistant', 'The saved number is due.', { phase: 'commentary' }),
      message('assistant', 'It is four.', { phase: 'final_answer' }),
      message('user', 'Only the number, again.'),
    ];
    expectWhole(await ask(input));
  });

  it('streaming-response', async () => {
    expectStreamed(await askSse(rig.bridge, { input: [message('user', 'Count to five.')] }));
  });

  it('system-prompt', async () => {
    expectWhole(await ask([message('system', 'Speak like a pirate.'), message('user', 'Say hello.')]));
  });

  it('tool-calling', async () => {
    const ended = await ask([message('user', 'How is the weather?')], { tools: [weather] });
    expect(problems(responseShape, ended.body)).toEqual([]);
    expect(ended.text).toBe('get_weather({"location":"San Francisco, CA"})');
  });

  it('image-input', async () => {
    const content = [
      { type: 'input_text', text: 'What is this?' },
      { type: 'input_image', image_url: PIXEL },
    ];
    expectWhole(await ask([message('user', content)]));
  });

  it('multi-turn', async () => {
    expectWhole(
      await ask([message('user', 'I am Alice.'), message('assistant', 'Hello Alice!'), message('user', 'Who am I?')]),
    );
  });

  it('websocket-response', async () => {
    expectStreamed(await askSocket(rig.bridge, { input: [message('user', 'Count to three.')] }));
  });

  it('websocket-sequential-responses', async () => {
    const socket = await openSocket(rig.bridge);
    const first = await askOn(socket, { store: false, input: 'Say: first' });
    const second = await askOn(socket, { store: false, input: 'Say: second' });
    socket.terminate();
    for (const ended of [first, second]) expectStreamed(ended);
    expect(first.body?.id).not.toBe(second.body?.id);
  });

  it('websocket-continuation', async () => {
    const socket = await openSocket(rig.bridge);
    const first = await askOn(socket, { store: false, input: 'The word is cobalt.' });
    const second = await askOn(socket, { store: false, previous_response_id: first.body?.id, input: 'Which word?' });
    socket.terminate();
    for (const ended of [first, second]) expectStreamed(ended);
    expect(second.body?.previous_response_id).toBe(first.body?.id);
  });

  it('websocket-reconnect-store-false-recovery', async () => {
    const first = await askSocket(rig.bridge, { store: false, input: 'The word is copper.' });
    const socket = await openSocket(rig.bridge);
    const lost = await askOn(socket, { store: false, previous_response_id: first.body?.id, input: 'Which word?' });
    expect(lost.body?.code).toBe('previous_response_not_found');
    expectStreamed(await askOn(socket, { store: false, input: 'The word is copper. Which word?' }));
    socket.terminate();
  });

  it('websocket-previous-response-not-found', async () => {
    const ended = await askSocket(rig.bridge, { store: false, previous_response_id: 'resp_missing', input: 'x' });
    expect(ended.how).toBe('http:404');
    expect(ended.body?.code).toBe('previous_response_not_found');
  });

  it('websocket-failed-continuation-evicts-cache', async () => {
    const socket = await openSocket(rig.bridge);
    const first = await askOn(socket, { store: false, input: 'The word is ember.' });
    const previous = { store: false, previous_response_id: first.body?.id };
    const orphan = { type: 'function_call_output', call_id: 'call_missing', output: 'Nobody called.' };
    const failed = await askOn(socket, { ...previous, input: [orphan] });
    const again = await askOn(socket, { ...previous, input: 'Which word?' });
    socket.terminate();
    expectStreamed(first);
    expect(failed.how).toBe('http:400');
    expect(again.body?.code).toBe('previous_response_not_found');
  });

  it('compact-response', async () => {
    const input = [message('user', 'We launch on Tuesday.'), message('assistant', 'Understood: Tuesday.')];
    const asked = { model: 'm', prompt_cache_key: 'open-responses', input };
    const response = await post(rig.bridge, '/v1/responses/compact', asked);
    const body = (await response.json()) as Json;
    expect(problems(compactionShape, body)).toEqual([]);
    expect((body.output as Json[]).map(({ type }) => type)).toEqual(['message', 'compaction']);
  });

  it('compact-missing-model', async () => {
    const response = await post(rig.bridge, '/v1/responses/compact', { input: [message('user', 'Compact this.')] });
    expect(response.status).toBe(400);
  });

  it('websocket-compact-new-chain', async () => {
    const input = [message('user', 'The word is tin.'), message('assistant', 'OK')];
    const compacted = await post(rig.bridge, '/v1/responses/compact', { model: 'm', input });
    const { output } = (await compacted.json()) as { output: Json[] };
    const ended = await askSocket(rig.bridge, { store: false, input: [...output, message('user', 'Which word?')] });
    expectStreamed(ended);
    expect(ended.body?.previous_response_id).toBeNull();
  });

  it('shows in what is stored what it answered', async () => {
    const { body } = await ask('hi', { temperature: 0.5, metadata: { a: 'b' }, tools: [{ ...weather, strict: true }] });
    const stored = await fetch(`${rig.bridge.url}/v1/responses/${String(body?.id)}`);
    expect(await stored.json()).toEqual(body);
  });
});

describe('the response object', () => {
  it('response-output-phase-schema: keeps the phase that a server gave a message', () => {
    const said = (id: string, phase: 'commentary' | 'final_answer') => ({
      type: 'message' as const,
      role: 'assistant' as const,
      content: [{ type: 'output_text' as const, text: 'x', annotations: [] }],
      id,
      status: 'completed' as const,
      phase,
    });
    const items = [said('msg_1', 'commentary'), said('msg_2', 'final_answer')];
    const done = items.map((item) => ({ type: 'output_item.done' as const, item }));
    const end = { type: 'completed', response_id: 'r', ended_by: 'response.completed' } as const;
    const body = encodeResponsesBody([...done, end], { model: 'm' });
    expect(problems(responseShape, body)).toEqual([]);
    expect(body).toMatchObject({ output: [{ phase: 'commentary' }, { phase: 'final_answer' }] });
  });

  it('repeats what its request said, and says what holds where it said nothing', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x' }] }] }] },
    });
    const before = Math.floor(Date.now() / 1000);
    const { body } = await askJson(rig.bridge, { input: 'hi' });
    expect(body).toEqual({
      id: expect.stringMatching(/^resp_/) as unknown,
      object: 'response',
      created_at: expect.any(Number) as unknown,
      completed_at: expect.any(Number) as unknown,
      status: 'completed',
      background: false,
      error: null,
      frequency_penalty: 0,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      model: 'm',
      output: [expect.objectContaining({ type: 'message' }) as unknown],
      parallel_tool_calls: true,
      presence_penalty: 0,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: null,
      safety_identifier: null,
      service_tier: 'default',
      store: true,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      usage: expect.any(Object) as unknown,
    });
    expect(body?.completed_at).toBeGreaterThanOrEqual(before);
    const asked = {
      frequency_penalty: 0.25,
      instructions: 'Be brief.',
      max_output_tokens: 99,
      max_tool_calls: 3,
      metadata: { a: 'b' },
      parallel_tool_calls: false,
      presence_penalty: 0.5,
      previous_response_id: body?.id,
      prompt_cache_key: 'key',
      safety_identifier: 'who',
      service_tier: 'flex',
      store: false,
      temperature: 0,
      tool_choice: 'none',
      top_logprobs: 2,
      top_p: 0.1,
      truncation: 'auto',
      user: 'somebody',
    };
    const parts = {
      text: { verbosity: 'low' },
      reasoning: { effort: 'low' },
      tools: [{ type: 'function', name: 'f' }],
    };
    expect((await askJson(rig.bridge, { input: 'hi', ...asked, ...parts })).body).toMatchObject({
      ...asked,
      text: { format: { type: 'text' }, verbosity: 'low' },
      reasoning: { effort: 'low', summary: null },
      tools: [{ type: 'function', name: 'f', description: null, parameters: null, strict: null }],
    });
  });

  it('says when it was completed only at a good end', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x' }], finish: 'length' }] }] },
    });
    const { events, body } = await askSse(rig.bridge, { input: 'hi', max_output_tokens: 1 });
    expect(body).toMatchObject({ status: 'incomplete', completed_at: null });
    expect(events.flatMap((event) => problems(eventShape, event))).toEqual([]);
    const failed = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x' }], error: { message: 'no' } }] }] },
    });
    const failure = await askSse(failed.bridge, { input: 'hi' });
    await failed[Symbol.asyncDispose]();
    expect(failure.body).toMatchObject({ status: 'failed', completed_at: null });
    expect(failure.events.flatMap((event) => problems(eventShape, event))).toEqual([]);
  });

  it('answers a field of a wrong type, which no server minds, as if it were not there', async () => {
    await using rig = await startRig({ wire: 'chat', scenario });
    const odd = { top_logprobs: 'two', presence_penalty: {}, truncation: 5, max_tool_calls: [], user: 1 };
    const response = await post(rig.bridge, '/v1/responses', { model: 'm', input: 'hi', ...odd });
    expect(problems(responseShape, await response.json())).toEqual([]);
  });
});
