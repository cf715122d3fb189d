import { describe, expect, it } from 'vitest';
import { ResponseState } from '../../packages/agent/src/turn/response.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { transcriptOf } from '../../packages/wire/src/model/transcript.ts';
import { createDecoder, createResponsesEncoder, type ProtocolId } from '../../packages/wire/src/index.ts';
import { checkItemEvent, openItem } from '../../packages/wire/src/responses/validate-item.ts';

/**
 * Work grows with the number of items, not with its square. So many items of whatever shape may cost about ten times as
 * much as to parse them; where a step looks at all of them for each, it is hundreds of times.
 * CPU time of this process is taken, and the best of a few runs counts: other work on the machine only adds.
 */
const COUNT = 30_000;
const MOST = 40;
const TRIES = 3;

function expectLinear(prepare: (count: number) => () => void): void {
  prepare(1000)(); // compiles it
  let ratio = Infinity;
  for (let n = 0; n < TRIES && ratio > MOST; n++) ratio = Math.min(ratio, cpuMs(prepare(COUNT)) / plainMs());
  expect(ratio).toBeLessThanOrEqual(MOST);
}

/** What it costs on this machine to parse so many events and no more. */
function plainMs(): number {
  plain ??= Math.max(20, Math.min(...many(TRIES, parseMs)));
  return plain;
}
let plain: number | undefined;

function parseMs(): number {
  const events = many(COUNT, (n) => JSON.stringify(done(call(n))));
  return cpuMs(() => events.map((event) => JSON.parse(event) as object));
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Decodes the events in pieces of a network chunk's size. */
function decoding(wire: ProtocolId, events: readonly object[], expected = 0): () => void {
  const bytes = new TextEncoder().encode(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  return () => {
    const decoder = createDecoder(wire);
    let count = 0;
    for (let at = 0; at < bytes.length; at += 65_536) count += decoder.push(bytes.subarray(at, at + 65_536)).length;
    count += decoder.end({ type: 'close' }).length;
    expect(count).toBeGreaterThanOrEqual(expected);
  };
}

function many<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

const message = (more: object = {}): object => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'a' }],
  ...more,
});
const call = (n: number): object => ({
  type: 'function_call',
  id: `fc_${n}`,
  call_id: `c${n}`,
  name: 'f',
  arguments: '{}',
});
const added = (item: object, more: object = {}): object => ({ type: 'response.output_item.added', item, ...more });
const done = (item: object, more: object = {}): object => ({ type: 'response.output_item.done', item, ...more });
const completed = (output: readonly object[]): object => ({
  type: 'response.completed',
  response: { id: 'r', output },
});

/** So many events, and more, of each shape in which an event has to find its item among many. */
const shapes: Readonly<Record<string, (count: number) => object[]>> = {
  'items that are done and were never added': (count) => many(count, () => done(message())),
  'the same with ids': (count) => many(count, (n) => done(message({ id: `m${n}` }))),
  'the same with places': (count) => many(count, (n) => done(message(), { output_index: n })),
  'the same at one place': (count) => many(count, (n) => done(message({ id: `m${n}` }), { output_index: 0 })),
  'open items without names, done in their order': (count) => [
    ...many(count, () => added(message())),
    ...many(count, () => done(message())),
  ],
  'open items without names, done under ids': (count) => [
    ...many(count, () => added(message())),
    ...many(count, (n) => done(message({ id: `m${n}` }))),
  ],
  'open items with ids, done under others': (count) => [
    ...many(count, (n) => added(message({ id: `a${n}` }))),
    ...many(count, (n) => done(message({ id: `b${n}` }))),
  ],
  'open items at one place, done without names': (count) => [
    ...many(count, (n) => added(message({ id: `m${n}` }), { output_index: 0 })),
    ...many(count, (n) => added(call(n), { output_index: 0 })),
    ...many(count, () => done(message(), { output_index: 0 })),
  ],
  'text that is done of an unknown item, after calls': (count) => [
    ...many(count, (n) => done(call(n))),
    ...many(count, () => ({ type: 'response.output_text.done', item_id: 'unknown', text: 'a' })),
  ],
  'arguments that are done of no item, after messages': (count) => [
    ...many(count, (n) => done(message({ id: `m${n}` }))),
    ...many(count, () => ({ type: 'response.function_call_arguments.done', arguments: '{}' })),
  ],
  'deltas of no item, after calls': (count) => [
    added(message()),
    ...many(count, (n) => done(call(n))),
    ...many(count, (n) => ({ type: n % 2 ? 'response.output_text.delta' : 'response.refusal.delta', delta: 'a' })),
  ],
  'items that only the last payload has': (count) => [completed(many(count, call))],
  'items that the last payload tells again': (count) => [
    ...many(count, (n) => added(call(n))),
    completed(many(count, call)),
  ],
  'items that the last payload does not tell': (count) => [...many(count, (n) => added(call(n))), completed([])],
};

describe('work per item is constant in the Responses decoder', () => {
  it.each(Object.entries(shapes))('%s', (_, shape) => {
    expectLinear((count) => decoding('responses', shape(count), count));
  });
});

it('work per call is constant in the chat decoder', () => {
  const fragment = (n: number, call_: object): object => ({
    choices: [{ index: 0, delta: { tool_calls: [{ index: n, ...call_ }] } }],
  });
  expectLinear((count) =>
    decoding(
      'chat',
      [
        ...many(count, (n) => fragment(n, { id: `c${n}`, function: { name: 'f', arguments: '' } })),
        ...many(count, (n) => fragment(n, { function: { arguments: '{}' } })),
        { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
      ],
      3 * count,
    ),
  );
});

describe('work per block is constant in the Messages decoder', () => {
  const start = (n: number, content_block: object): object => ({
    type: 'content_block_start',
    index: n,
    content_block,
  });
  const delta = (n: number | undefined, fields: object): object => ({
    type: 'content_block_delta',
    index: n,
    delta: fields,
  });
  const stop = (n: number): object => ({ type: 'content_block_stop', index: n });
  const use = (n: number): object => ({ type: 'tool_use', id: `c${n}`, name: 'f', input: {} });
  const json = (n: number | undefined): object => delta(n, { type: 'input_json_delta', partial_json: '{}' });
  const thinking = { type: 'thinking', thinking: '' };
  const thought = { type: 'thinking_delta', thinking: 'a' };
  const finish = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } };

  const blocks: Readonly<Record<string, (count: number) => object[]>> = {
    'calls one after the other': (count) => many(count, (n) => [start(n, use(n)), json(n), stop(n)]).flat(),
    'calls that are all open, closed in their order': (count) => [
      ...many(count, (n) => start(n, use(n))),
      ...many(count, json),
      ...many(count, stop),
    ],
    'the same, closed from behind': (count) => [
      ...many(count, (n) => start(n, use(n))),
      ...many(count, (n) => json(count - 1 - n)),
      ...many(count, (n) => stop(count - 1 - n)),
    ],
    'calls behind thinking that is never closed': (count) => [
      ...[start(count, thinking), delta(count, thought)],
      ...many(count, (n) => [start(n, use(n)), json(n), stop(n)]).flat(),
    ],
    'calls at one index': (count) => many(count, (n) => [start(0, use(n)), json(undefined)]).flat(),
    'calls with one id': (count) => many(count, (n) => [start(n, { ...use(0), input: {} }), json(n), stop(n)]).flat(),
    'thinking and text that take turns': (count) =>
      many(count, (n) => [delta(n, thought), delta(n, { type: 'text_delta', text: 'a' })]).flat(),
  };

  it.each(Object.entries(blocks))('%s', (_, shape) => {
    expectLinear((count) => decoding('messages', [...shape(count), finish], count));
  });
});

describe('work per item is constant behind the decoder', () => {
  const item = (n: number): OutputItem => ({
    type: 'function_call',
    id: `fc_${n}`,
    call_id: `c${n}`,
    name: 'f',
    arguments: '{}',
  });
  const text = (n: number): OutputItem => ({ type: 'message', id: `m${n}`, role: 'assistant', content: [] });

  it('in the encoder, of items that wait for an open one', () => {
    expectLinear((count) => {
      const events: ModelEvent[] = [
        ...many(count, (n): ModelEvent => ({ type: 'output_item.added', item: item(n) })),
        ...many(count, (n): ModelEvent => ({ type: 'output_item.done', item: item(n) })),
      ];
      return () => {
        const encoder = createResponsesEncoder();
        for (const event of events) encoder.push(event);
      };
    });
  });

  it('in the encoder, of text without an id after many calls', () => {
    expectLinear((count) => {
      const events: ModelEvent[] = [
        { type: 'output_text.delta', delta: 'a' },
        ...many(count, (n): ModelEvent => ({ type: 'output_item.done', item: item(n) })),
        ...many(count, (): ModelEvent => ({ type: 'output_text.delta', delta: 'a' })),
      ];
      const encoder = createResponsesEncoder();
      return () => {
        for (const event of events) encoder.push(event);
      };
    });
  });

  it('in the order that the validator checks', () => {
    expectLinear((count) => {
      const part = { type: 'output_text', text: '', annotations: [] };
      // One look at a part costs little: twice as many tell it from the rest.
      const parts = many(2 * count, (n) => [
        { type: 'response.content_part.added', content_index: n, part },
        { type: 'response.content_part.done', content_index: n, part },
      ]).flat();
      return () => {
        const state = openItem({ type: 'message', id: 'msg_1' }, 0);
        for (const event of parts) checkItemEvent(state, event, expect.unreachable);
      };
    });
  });

  it('in the calls of a response, and in those that a retry repeats', () => {
    expectLinear((count) => {
      const call = (n: number, attempt: number): ModelEvent => ({
        type: 'output_item.done',
        item: { type: 'function_call', call_id: `${attempt}_${n}`, name: 'run', arguments: `${n}` },
      });
      const error = { kind: 'server_error', message: '', retry: { class: 'backoff', replay_safe: false } } as const;
      const retry = { type: 'retrying', attempt: 1, max: 1, delay_ms: 0, error, discarded_item_ids: [] } as const;
      const events = [...many(count, (n) => call(n, 1)), retry, ...many(count, (n) => call(n, 2))];
      const output = { type: 'function_call_output', call_id: '', output: '' } as const;
      return () => {
        const state = new ResponseState(() => Promise.resolve({ status: 'completed', output, told: {} }));
        for (const event of events) state.accept(event);
      };
    });
  });

  it('in a transcript', () => {
    expectLinear((count) => {
      const events = many(count, (n): ModelEvent => ({ type: 'output_item.done', item: text(n) }));
      return () => void transcriptOf(events);
    });
  });
});
