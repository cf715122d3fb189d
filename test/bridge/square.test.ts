import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MockOptions, Scenario } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { askOn, askSse, openSocket, post, readBody, sseEvents, startRig, type Json, type Rig } from './harness.ts';

/** What a client got, in the same words for every wire. */
interface Got {
  /** `stop`, `calls`, `limit`, `error:STATUS` before the first event, `error` behind it. */
  readonly end: string;
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly string[];
}

const nothing: Got = { end: 'stop', reasoning: '', text: '', calls: [] };

const call = (name: string, args: object) => ({ type: 'tool_call', name, arguments: args }) as const;
const text = (said: string) => ({ type: 'text', text: said }) as const;

interface Column {
  readonly scenario: Scenario['turns'][number]['replies'][number];
  readonly faults?: readonly string[];
  readonly got: Got;
}

const SAID = 'Grüße aus Zürich.';
const READ = 'read_file({"path":"ü \\"b\\".txt"})';
const TIME = 'get_time({"zone":"UTC"})';
const read = call('read_file', { path: 'ü "b".txt' });
const time = call('get_time', { zone: 'UTC' });

/** What a server says, and what every client has to get of it. */
const columns: Readonly<Record<string, Column>> = {
  text: { scenario: { parts: [text(SAID)] }, got: { ...nothing, text: SAID } },
  tool: { scenario: { parts: [text('So:'), read] }, got: { ...nothing, end: 'calls', text: 'So:', calls: [READ] } },
  'parallel tools': { scenario: { parts: [read, time] }, got: { ...nothing, end: 'calls', calls: [READ, TIME] } },
  reasoning: {
    scenario: { parts: [{ type: 'reasoning', text: 'Hm, well.' }, text(SAID), time] },
    got: { end: 'calls', reasoning: 'Hm, well.', text: SAID, calls: [TIME] },
  },
  limit: { scenario: { parts: [text(SAID)], finish: 'length' }, got: { ...nothing, end: 'limit', text: SAID } },
  error: {
    scenario: { parts: [], error: { status: 400, code: 'invalid_value', message: 'no such thing' } },
    got: { ...nothing, end: 'error:400' },
  },
  cut: { scenario: { parts: [text(SAID)] }, faults: ['cut-after:4'], got: { ...nothing, end: 'error' } },
  hold: {
    scenario: { parts: [text(SAID), read] },
    faults: ['finish-then-hold'],
    got: { ...nothing, end: 'calls', text: SAID, calls: [READ] },
  },
};

const parameters = { type: 'object', properties: {} };
const names = ['read_file', 'get_time'];

/** The clients: each asks with the two tools on offer, and tells what it got. */
const clients: Readonly<Record<string, (rig: Rig) => Promise<Got>>> = {
  Chat: async ({ bridge }) => {
    const tools = names.map((name) => ({ type: 'function', function: { name, parameters } }));
    const response = await post(bridge, '/v1/chat/completions', { model: 'm', messages: said(), tools, stream: true });
    return response.status === 200 ? fromChat(await readBody(response)) : refused(response);
  },
  'Responses over SSE': async ({ bridge }) => fromResponse(await askSse(bridge, responsesBody())),
  'Responses over WebSocket': async ({ bridge }) => {
    const socket = await openSocket(bridge);
    try {
      return fromResponse(await askOn(socket, responsesBody()));
    } finally {
      socket.terminate();
    }
  },
  Messages: async ({ bridge }) => {
    const tools = names.map((name) => ({ name, input_schema: parameters }));
    const response = await post(bridge, '/v1/messages', {
      model: 'm',
      max_tokens: 1000,
      messages: said(),
      tools,
      stream: true,
    });
    return response.status === 200 ? fromMessages(await readBody(response)) : refused(response);
  },
  'Messages, not streamed': async ({ bridge }) => {
    const tools = names.map((name) => ({ name, input_schema: parameters }));
    const response = await post(bridge, '/v1/messages', { model: 'm', max_tokens: 1000, messages: said(), tools });
    if (response.status !== 200) return refused(response);
    return fromMessage((await response.json()) as Json);
  },
};

function said(): Json[] {
  return [{ role: 'user', content: 'hi' }];
}

function responsesBody(): Json {
  return { input: 'hi', tools: names.map((name) => ({ type: 'function', name, parameters })) };
}

async function refused(response: Response): Promise<Got> {
  const { error } = (await response.json()) as { error: Json };
  expect(error.message).toMatch(/./);
  return { ...nothing, end: `error:${response.status}` };
}

function fromChat({ text: body, cut }: { text: string; cut: boolean }): Got {
  const events = sseEvents(body);
  const got = { end: '', reasoning: '', text: '', calls: [] as string[] };
  for (const { choices = [], error } of events as { choices?: Json[]; error?: Json }[]) {
    if (error !== undefined) got.end = 'error';
    const delta = (choices[0]?.delta ?? {}) as Json;
    got.text += stringOf(delta.content);
    got.reasoning += stringOf(delta.reasoning_content);
    for (const { index, function: fn } of (delta.tool_calls ?? []) as { index: number; function: Json }[]) {
      got.calls[index] = `${got.calls[index] ?? `${String(fn.name)}(`}${stringOf(fn.arguments)}`;
    }
    const reason = choices[0]?.finish_reason;
    if (typeof reason === 'string') got.end = { tool_calls: 'calls', length: 'limit' }[reason] ?? reason;
  }
  expect(cut).toBe(got.end === 'error');
  if (got.end === 'error') return { ...nothing, end: got.end };
  expect(events.at(-1)).toEqual({ type: '[DONE]' });
  return { ...got, calls: got.calls.map((one) => `${one})`) };
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function fromResponse({ how, body, violations }: Awaited<ReturnType<typeof askSse>>): Got {
  expect(violations).toEqual([]);
  if (how.startsWith('http:')) return { ...nothing, end: how.replace('http', 'error') };
  if (how.startsWith('failed:')) return { ...nothing, end: 'error' };
  const output = (body?.output ?? []) as {
    type: string;
    content?: Json[];
    summary?: Json[];
    name?: string;
    arguments?: string;
  }[];
  const partsOf = (type: string): string =>
    output
      .filter((item) => item.type === type)
      .flatMap(({ content = [], summary = [] }) => [...summary, ...content])
      .map((part) => String(part.text))
      .join('');
  const calls = output
    .filter(({ type }) => type === 'function_call')
    .map((one) => `${one.name ?? ''}(${one.arguments ?? ''})`);
  const end =
    how === 'completed'
      ? calls.length > 0
        ? 'calls'
        : 'stop'
      : how === 'incomplete:max_output_tokens'
        ? 'limit'
        : how;
  return { end, reasoning: partsOf('reasoning'), text: partsOf('message'), calls };
}

/** Folds the events as `@anthropic-ai/sdk` does: blocks by their index, each from its start, deltas and stop. */
function fromMessages({ text: body, cut }: { text: string; cut: boolean }): Got {
  expect(cut).toBe(false);
  const events = sseEvents(body).filter(({ type }) => type !== 'ping');
  const blocks: Json[] = [];
  let [message, open]: [Json, number | undefined] = [{}, undefined];
  for (const [at, event] of events.entries()) {
    const block = blocks[Number(event.index)];
    switch (event.type) {
      case 'message_start':
        expect(at).toBe(0);
        message = event.message as Json;
        break;
      case 'content_block_start':
        expect([open, event.index]).toEqual([undefined, blocks.length]);
        open = Number(event.index);
        blocks.push({ ...(event.content_block as Json), json: '' });
        break;
      case 'content_block_delta':
        expect(event.index).toBe(open);
        grow(block!, event.delta as Json);
        break;
      case 'content_block_stop':
        expect(event.index).toBe(open);
        open = undefined;
        if (block!.type === 'tool_use') block!.input = JSON.parse(String(block!.json) || '{}');
        break;
      case 'message_delta':
        message = { ...message, ...(event.delta as Json) };
        break;
      case 'message_stop':
        expect(open).toBeUndefined();
        break;
      case 'error':
        expect(at).toBe(events.length - 1);
        expect((event.error as Json).message).toMatch(/./);
        return { ...nothing, end: 'error' };
      default:
        throw new Error(`no such event: ${String(event.type)}`);
    }
  }
  expect(events.at(-1)?.type).toBe('message_stop');
  return fromMessage({ ...message, content: blocks });
}

function grow(block: Json, delta: Json): void {
  const fields: Readonly<Record<string, readonly [from: string, to: string]>> = {
    text_delta: ['text', 'text'],
    thinking_delta: ['thinking', 'thinking'],
    signature_delta: ['signature', 'signature'],
    input_json_delta: ['partial_json', 'json'],
  };
  const [from, to] = fields[String(delta.type)]!;
  block[to] = stringOf(block[to]) + stringOf(delta[from]);
}

function fromMessage({ content, stop_reason: reason }: Json): Got {
  const blocks = content as {
    type: string;
    text?: string;
    thinking?: string;
    signature?: string;
    name?: string;
    input?: unknown;
  }[];
  const ends: Readonly<Record<string, string>> = { end_turn: 'stop', tool_use: 'calls', max_tokens: 'limit' };
  // Clients drop thinking that nobody signed, and the server that made it would refuse it.
  for (const { type, signature } of blocks) if (type === 'thinking') expect(signature).toMatch(/./);
  return {
    end: ends[String(reason)] ?? String(reason),
    reasoning: blocks.map((block) => block.thinking ?? '').join(''),
    text: blocks.map((block) => block.text ?? '').join(''),
    calls: blocks.flatMap((block) =>
      block.type === 'tool_use' ? [`${block.name ?? ''}(${JSON.stringify(block.input)})`] : [],
    ),
  };
}

/** An answer that fails before anything was sent is told by its status, also where a stream would have failed in its middle. */
function wanted(client: string, got: Got): Got {
  return got.end === 'error' && client === 'Messages, not streamed' ? { ...got, end: 'error:502' } : got;
}

describe.each(protocolIds)('on a %s server', (wire: ProtocolId) => {
  describe.each(Object.entries(columns))('%s', (_name, { scenario, faults = [], got }) => {
    let rig: Rig;
    beforeAll(async () => {
      const mock: MockOptions = { wire, scenario: { turns: [{ replies: [scenario] }] }, faults };
      rig = await startRig(mock, { wire, usageGraceMs: 100, idleTimeoutMs: 5000 });
    });
    afterAll(() => rig[Symbol.asyncDispose]());

    it.each(Object.entries(clients))('a client of %s gets it whole', async (client, ask) => {
      expect(await ask(rig)).toEqual(wanted(client, got));
    });
  });
});

describe('what goes up under another name', () => {
  const asked: Json = { model: 'm', max_tokens: 99, messages: said() };

  it.each([
    ['messages', '/v1/chat/completions', { stop: ['x'] }, { stop_sequences: ['x'] }],
    ['chat', '/v1/messages', { stop_sequences: ['x'] }, { stop: ['x'] }],
    ['messages', '/v1/messages', { output_config: { effort: 'high' } }, { output_config: { effort: 'high' } }],
  ] as const)('is not told as lost: a %s server, %s with %j', async (wire, path, more, sent) => {
    await using rig = await startRig({ wire, scenario: 'text' }, { wire });
    const response = await post(rig.bridge, path, { ...asked, ...more });
    expect(await response.text()).toMatch(/Hello/);
    expect(rig.mock.requests.at(-1)?.body).toMatchObject(sent);
    expect(response.headers.get('x-turnwire-not-carried')).toBeNull();
  });

  it('is told where it goes nowhere', async () => {
    await using rig = await startRig({ wire: 'responses', scenario: 'text' }, { wire: 'responses' });
    const response = await post(rig.bridge, '/v1/chat/completions', { ...asked, stop: ['x'] });
    expect(response.headers.get('x-turnwire-not-carried')).toBe('stop');
  });
});
