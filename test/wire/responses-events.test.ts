import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { createResponsesFrameDecoder } from '../../packages/wire/src/index.ts';
import { responsesBody } from './helpers.ts';
import { added, completed, created, done, failure, read, readOpen, text, usage } from './rules.ts';

type Fields = Record<string, unknown>;
type WireEvent = { type: string } & Fields;

const begin: WireEvent = { type: 'response.created', response: { id: 'resp_1' } };
const finish: WireEvent = { type: 'response.completed', response: { id: 'resp_1' } };
const end = completed({ response_id: 'resp_1', ended_by: 'response.completed' });
const open = (id = 'm'): Fields => ({ type: 'message', id, role: 'assistant', status: 'in_progress', content: [] });
const said = (words: string, status = 'completed', id = 'm'): Fields => ({
  ...open(id),
  status,
  content: [{ type: 'output_text', text: words, annotations: [] }],
});
const delta = (words: string): WireEvent => ({ type: 'response.output_text.delta', item_id: 'm', delta: words });

function events(...wire: WireEvent[]): ModelEvent[] {
  return readOpen('responses', responsesBody(...wire)).events;
}

describe('4 dispatch', () => {
  test('4 the JSON type decides, whatever the SSE event is called', () => {
    const body = [begin, finish].map((one) => `event: something.else\ndata: ${JSON.stringify(one)}\n\n`).join('');
    expect(readOpen('responses', body).events).toEqual([created('resp_1'), end]);
    expect(readOpen('responses', body.replaceAll('event: something.else\n', '')).events).toEqual([
      created('resp_1'),
      end,
    ]);
  });

  test('4 response.completed ends the stream at once, socket open, and nothing after it counts', () => {
    const late = responsesBody(delta('late'), { type: 'error', message: 'late' }, finish);
    expect(readOpen('responses', responsesBody(begin, finish) + late + 'data: [DONE]\n\n')).toEqual({
      events: [created('resp_1'), end],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('2 created comes once', () => {
    expect(events(begin, { type: 'response.created', response: { id: 'resp_2' } }, finish)).toEqual([
      created('resp_1'),
      end,
    ]);
  });

  test('2 a wire event without a canonical one is unknown, as it was parsed', () => {
    const others: WireEvent[] = [
      { type: 'response.in_progress', response: { id: 'resp_1', status: 'in_progress' }, sequence_number: 1 },
      { type: 'response.content_part.added', item_id: 'm', part: { type: 'output_text', text: '' } },
      { type: 'response.content_part.done', item_id: 'm', part: { type: 'output_text', text: 'hi' } },
      { type: 'response.web_search_call.searching', item_id: 'ws' },
      { type: 'response.reasoning_summary_part.done', item_id: 'r' },
      { type: 'response.heartbeat' },
      { type: 'brand.new', deep: { nested: [null, 1, 'x'] } },
      { type: '' },
    ];
    expect(events(begin, ...others, finish)).toEqual([
      created('resp_1'),
      ...others.map((raw): ModelEvent => ({ type: 'unknown', raw })),
      end,
    ]);
  });

  test('2 unknown events of one shape stay themselves: each has its own values', () => {
    const beats = [1, 2, 3, 4].map((n): WireEvent => ({
      type: 'response.heartbeat',
      sequence_number: n,
      delta: `d${n}`,
    }));
    expect(events(begin, ...beats, finish).slice(1, -1)).toEqual(beats.map((raw) => ({ type: 'unknown', raw })));
  });

  test('2 data that is not JSON, or has no string type, or lacks its field, is skipped and counted', () => {
    const body =
      responsesBody(begin) +
      ['no json', '[DONE]', '[]', '"x"', '1', 'null', '{}', '{"type":5}'].map((data) => `data: ${data}\n\n`).join('') +
      responsesBody(
        { type: 'response.output_text.delta', item_id: 'm' },
        { type: 'response.output_text.delta', item_id: 'm', delta: { text: 'x' } },
        { type: 'response.function_call_arguments.delta', item_id: 'f', delta: 4 },
        { type: 'response.output_item.added' },
        { type: 'response.output_item.added', item: 'x' },
        { type: 'response.output_item.done', item: null },
        finish,
      );
    expect(readOpen('responses', body)).toEqual({ events: [created('resp_1'), end], skipped: 14, phase: 'ended' });
  });

  test('1 an item of a type we do not know, or a malformed one, is carried untouched', () => {
    const items: Fields[] = [
      { type: 'computer_call', id: 'x', action: { type: 'click' } },
      { type: 'message', id: 5, content: 'not an array' },
      { type: 'reasoning', id: 'r' },
      { type: 17 },
      {},
    ];
    const wire = items.map((item): WireEvent => ({ type: 'response.output_item.done', item }));
    expect(events(begin, ...wire, finish)).toEqual([created('resp_1'), ...items.map(done), end]);
  });
});

describe('2 deltas of every kind', () => {
  test('2 texts, refusals and reasoning keep what the wire said of their place', () => {
    const wire: WireEvent[] = [
      { type: 'response.output_item.added', item: open() },
      { type: 'response.output_text.delta', item_id: 'm', content_index: 0, delta: 'a' },
      { type: 'response.refusal.delta', item_id: 'm', content_index: 1, delta: 'b' },
      { type: 'response.output_item.added', item: { type: 'reasoning', id: 'r', summary: [] } },
      { type: 'response.reasoning_summary_part.added', item_id: 'r', summary_index: 1, part: {} },
      { type: 'response.reasoning_summary_text.delta', item_id: 'r', summary_index: 1, delta: 'c' },
      { type: 'response.reasoning_summary_text.done', item_id: 'r', summary_index: 1, text: 'c!' },
      { type: 'response.reasoning_text.delta', item_id: 'r', content_index: 2, delta: 'd' },
    ];
    expect(events(begin, ...wire)).toEqual([
      created('resp_1'),
      added(open()),
      text('a', 'm'),
      { type: 'refusal.delta', delta: 'b', item_id: 'm' },
      added({ type: 'reasoning', id: 'r', summary: [] }),
      { type: 'reasoning_summary_part.added', summary_index: 1, item_id: 'r' },
      { type: 'reasoning_summary_text.delta', delta: 'c', summary_index: 1, item_id: 'r' },
      { type: 'reasoning_summary_text.done', text: 'c!', summary_index: 1, item_id: 'r' },
      { type: 'reasoning_text.delta', delta: 'd', content_index: 2, item_id: 'r' },
    ]);
  });

  test.each([undefined, null, -1, 0.5, '1'])('2 an index of %j is 0: text is never lost', (index) => {
    const wire: WireEvent[] = [
      { type: 'response.output_item.added', item: { type: 'reasoning', id: 'r', summary: [] } },
      { type: 'response.reasoning_summary_part.added', item_id: 'r', summary_index: index },
      { type: 'response.reasoning_summary_text.delta', item_id: 'r', summary_index: index, delta: 'c' },
      { type: 'response.reasoning_summary_text.done', item_id: 'r', summary_index: index, text: 'c' },
      { type: 'response.reasoning_text.delta', item_id: 'r', content_index: index, delta: 'd' },
    ];
    expect(events(begin, ...wire).slice(2)).toEqual([
      { type: 'reasoning_summary_part.added', summary_index: 0, item_id: 'r' },
      { type: 'reasoning_summary_text.delta', delta: 'c', summary_index: 0, item_id: 'r' },
      { type: 'reasoning_summary_text.done', text: 'c', summary_index: 0, item_id: 'r' },
      { type: 'reasoning_text.delta', delta: 'd', content_index: 0, item_id: 'r' },
    ]);
  });

  test('2 many deltas in a row, each with its own text and number, all arrive', () => {
    const letters = Array.from({ length: 200 }, (_, n) => `t${n}\n"\\ü`);
    const wire = letters.map((words, n): WireEvent => ({
      ...delta(words),
      sequence_number: n,
      obfuscation: 'x'.repeat(n % 7),
    }));
    expect(events(begin, { type: 'response.output_item.added', item: open() }, ...wire, finish)).toEqual([
      created('resp_1'),
      added(open()),
      ...letters.map((words) => text(words, 'm')),
      done(said(letters.join(''))),
      end,
    ]);
  });
});

describe('4 completes with what there is', () => {
  test.each([
    ['no response', { type: 'response.completed' }],
    ['a null response', { type: 'response.completed', response: null }],
    ['an empty response', { type: 'response.completed', response: {} }],
    ['null details', { type: 'response.completed', response: { id: null, usage: null, output: null, end_turn: null } }],
  ])('4 %s', (_name, last) => {
    expect(readOpen('responses', responsesBody(last))).toEqual({
      events: [completed({ ended_by: 'response.completed' })],
      skipped: 0,
      phase: 'ended',
    });
    expect(events(begin, last)).toEqual([created('resp_1'), end]);
  });

  test('4 created without a response, or without its id, is created without an id', () => {
    expect(events({ type: 'response.created' }, finish)).toEqual([created(), end]);
    expect(events({ type: 'response.created', response: {} }, finish)).toEqual([created(), end]);
  });

  test('4 the id of completed is its own, else that of created', () => {
    expect(events(begin, { type: 'response.completed', response: { id: 'resp_9' } }).at(-1)).toEqual({
      ...end,
      response_id: 'resp_9',
    });
  });

  test('2 usage has the whole shape: missing total is the sum, missing details are 0', () => {
    const told = (given: unknown): unknown => {
      const last = events({ type: 'response.completed', response: { id: 'resp_1', usage: given } }).at(-1);
      return last?.type === 'completed' ? last.usage : 'not completed';
    };
    expect(told({ input_tokens: 5, output_tokens: 2 })).toEqual(usage(5, 2));
    expect(
      told({
        input_tokens: 5,
        output_tokens: 2,
        total_tokens: 9,
        input_tokens_details: {},
        output_tokens_details: null,
      }),
    ).toEqual(usage(5, 2, { total_tokens: 9 }));
    expect(
      told({
        input_tokens: 5,
        output_tokens: 2,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 1 },
      }),
    ).toEqual(
      usage(5, 2, { input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 1 } }),
    );
    expect(told('x')).toBeUndefined();
  });

  test.each([true, false])('2 end_turn %s is told', (end_turn) => {
    expect(events({ type: 'response.completed', response: { id: 'resp_1', end_turn } })).toEqual([
      { ...end, end_turn },
    ]);
  });
});

describe('4 failures', () => {
  const half = [begin, { type: 'response.output_item.added', item: open() }, delta('half')];
  const flushed = [created('resp_1'), added(open()), text('half', 'm'), done(said('half', 'incomplete'))];
  const failed = (error: unknown): WireEvent => ({ type: 'response.failed', response: { id: 'resp_1', error } });

  test('4 response.failed is thrown at once, and a later completed changes nothing', () => {
    const body = responsesBody(...half, failed({ code: 'server_error', message: 'boom' }), finish);
    expect(readOpen('responses', body)).toEqual({
      events: flushed,
      error: failure('server_error', 'backoff', { message: 'boom', code: 'server_error' }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each([
    ['context_length_exceeded', 'context_window_exceeded', 'never'],
    ['insufficient_quota', 'quota_exceeded', 'never'],
    ['usage_limit_reached', 'quota_exceeded', 'never'],
    ['usage_not_included', 'usage_not_included', 'never'],
    ['cyber_policy', 'policy', 'never'],
    ['invalid_prompt', 'invalid_request', 'never'],
    ['bio_policy', 'invalid_request', 'never'],
    ['server_is_overloaded', 'server_overloaded', 'backoff'],
    ['slow_down', 'server_overloaded', 'backoff'],
    ['rate_limit_exceeded', 'rate_limited', 'backoff'],
    ['something_new', 'server_error', 'backoff'],
  ] as const)('4 response.failed with the code %s is %s, %s', (code, kind, retry) => {
    const expected = failure(kind, retry, { message: 'the words of the server', code, replay_safe: true });
    expect(readOpen('responses', responsesBody(failed({ code, message: 'the words of the server' })))).toEqual({
      events: [],
      error: expected,
      skipped: 0,
      phase: 'ended',
    });
    expect(
      readOpen('responses', responsesBody({ type: 'error', error: { code, message: 'the words of the server' } }))
        .error,
    ).toEqual(expected);
    expect(
      readOpen('responses', responsesBody({ type: 'error', code, message: 'the words of the server' })).error,
    ).toEqual(expected);
  });

  test('6 a rate limit with its delay is retried after it', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 11.054s.' };
    expect(readOpen('responses', responsesBody(failed(error))).error).toEqual(
      failure('rate_limited', 'after', {
        message: error.message,
        code: error.code,
        after_ms: 11_054,
        replay_safe: true,
      }),
    );
  });

  test.each([[undefined], [null], [{}], [[]], ['']])('4 response.failed with an error of %j is generic', (error) => {
    expect(readOpen('responses', responsesBody(failed(error))).error).toEqual(
      failure('server_error', 'backoff', { message: 'response.failed event received', replay_safe: true }),
    );
  });

  test('4 response.failed without a response is generic', () => {
    expect(readOpen('responses', responsesBody({ type: 'response.failed' })).error).toEqual(
      failure('server_error', 'backoff', { message: 'response.failed event received', replay_safe: true }),
    );
  });

  test.each([
    [{ type: 'error', message: 'boom', code: null, param: null, sequence_number: 3 }, 'server_error', {}],
    [
      { type: 'error', error: { type: 'server_error', message: 'boom' }, status: 500 },
      'server_error',
      { status: 500, type: 'server_error' },
    ],
    [
      { type: 'error', error: { message: 'boom', code: 'invalid_prompt' }, status: 200 },
      'invalid_request',
      { code: 'invalid_prompt' },
    ],
    [{ type: 'error', error: 'boom' }, 'server_error', {}],
    [{ type: 'error', error: 'boom', code: 'invalid_prompt' }, 'invalid_request', { code: 'invalid_prompt' }],
    [{ error: { message: 'boom' } }, 'server_error', {}],
    [{ error: 'boom' }, 'server_error', {}],
  ] as const)('4 a top-level error is thrown at once: %j', (event, kind, more) => {
    const body = responsesBody(...half) + `data: ${JSON.stringify(event)}\n\n` + responsesBody(finish);
    expect(readOpen('responses', body)).toEqual({
      events: flushed,
      error: failure(kind, kind === 'server_error' ? 'backoff' : 'never', { message: 'boom', ...more }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each([
    [{ reason: 'max_output_tokens' }, 'incomplete', { code: 'max_output_tokens' }],
    [{ reason: 'content_filter' }, 'content_filter', { code: 'content_filter' }],
    [{ reason: 'brand_new' }, 'incomplete', { code: 'brand_new' }],
    [{}, 'incomplete', {}],
    [null, 'incomplete', {}],
    [undefined, 'incomplete', {}],
  ] as const)('4 response.incomplete with %j', (incomplete_details, kind, more) => {
    const last = { type: 'response.incomplete', response: { id: 'resp_1', incomplete_details } };
    expect(readOpen('responses', responsesBody(...half, last))).toEqual({
      events: flushed,
      error: failure(kind, 'never', more),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('4 response.incomplete without a response is incomplete', () => {
    expect(readOpen('responses', responsesBody({ type: 'response.incomplete' })).error).toEqual(
      failure('incomplete', 'never', { replay_safe: true }),
    );
  });

  test('2 text that only the failing payload has is delivered, as incomplete; calls are not', () => {
    const output = [
      said('the rest', 'completed', 'm2'),
      { type: 'function_call', id: 'f', call_id: 'c', name: 'f', arguments: '{}' },
    ];
    const last = {
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'max_output_tokens' }, output },
    };
    const { events: told, error } = readOpen('responses', responsesBody(begin, last));
    expect(told).toEqual([created('resp_1'), done(said('the rest', 'incomplete', 'm2'))]);
    expect(error).toEqual(failure('incomplete', 'never', { code: 'max_output_tokens' }));
  });

  test('4 a close before an end is stream_truncated, open texts closed, open calls not', () => {
    const calling = { type: 'function_call', id: 'f', call_id: 'c', name: 'f', arguments: '', status: 'in_progress' };
    const body = responsesBody(
      ...half,
      { type: 'response.output_item.added', item: calling },
      {
        type: 'response.function_call_arguments.delta',
        item_id: 'f',
        delta: '{}',
      },
    );
    expect(read('responses', body)).toEqual({
      events: [
        created('resp_1'),
        added(open()),
        text('half', 'm'),
        added(calling),
        { type: 'tool_call_input.delta', call_id: 'c', name: 'f', item_id: 'f', delta: '{}' },
        done(said('half', 'incomplete')),
      ],
      error: failure('stream_truncated', 'backoff', { message: 'stream closed before response.completed' }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test('4 so is a close after nothing, and onClose changes nothing here', () => {
    const expected = {
      events: [],
      error: failure('stream_truncated', 'backoff', {
        message: 'stream closed before response.completed',
        replay_safe: true,
      }),
      skipped: 0,
      phase: 'ended',
    };
    expect(read('responses', '')).toEqual(expected);
    expect(read('responses', '', { onClose: 'complete' })).toEqual(expected);
  });

  test('2 an item that is done before the failure stays done, and is not done again', () => {
    const wire = [...half, { type: 'response.output_item.done', item: said('half') }, failed({ message: 'boom' })];
    expect(events(...wire)).toEqual([...flushed.slice(0, -1), done(said('half'))]);
  });
});

describe('2 and 7 side channels', () => {
  test('2 server_model comes from headers in an event, before what the event says, and only when it changes', () => {
    const named = (type: string, response: Fields): WireEvent => ({ type, response: { id: 'resp_1', ...response } });
    expect(
      events(
        named('response.created', { headers: { 'OpenAI-Model': 'm-1' }, model: 'ignored' }),
        named('response.in_progress', { headers: { 'x-openai-model': ['m-1', 'no'] } }),
        { type: 'response.metadata', headers: { 'openai-model': 'm-2' } },
        named('response.completed', { headers: { 'openai-model': '' } }),
      ),
    ).toEqual([
      { type: 'server_model', model: 'm-1' },
      created('resp_1'),
      { type: 'unknown', raw: named('response.in_progress', { headers: { 'x-openai-model': ['m-1', 'no'] } }) },
      { type: 'server_model', model: 'm-2' },
      { type: 'unknown', raw: { type: 'response.metadata', headers: { 'openai-model': 'm-2' } } },
      end,
    ]);
  });

  test('2 rate_limits comes from its event', () => {
    const wire = {
      type: 'codex.rate_limits',
      plan_type: 'plus',
      rate_limits: { primary: { used_percent: 12.5, window_minutes: 300, reset_at: 1_795_200_000 }, secondary: null },
      credits: { has_credits: true, unlimited: false, balance: '5' },
    };
    expect(events(begin, wire, finish)).toEqual([
      created('resp_1'),
      {
        type: 'rate_limits',
        snapshot: {
          limit_id: 'codex',
          primary: { used_percent: 12.5, window_minutes: 300, reset_at: 1_795_200_000 },
          credits: { has_credits: true, unlimited: false, balance: '5' },
          plan_type: 'plus',
        },
      },
      end,
    ]);
  });

  test('7 the first turn state of a response.metadata event wins, whatever the case of its name', () => {
    const decoder = createResponsesFrameDecoder();
    const frame = (event: Fields): ModelEvent[] => decoder.pushText(JSON.stringify(event));
    frame({ type: 'response.created', headers: { 'x-codex-turn-state': 'not metadata' } });
    expect(decoder.turnState).toBeUndefined();
    frame({ type: 'response.metadata', headers: { 'X-Codex-Turn-State': ['ts-1', 'no'] } });
    frame({ type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-2' } });
    expect(decoder.turnState).toBe('ts-1');
  });

  test('7 a turn state that no header can carry is none, and leaves the place to the next', () => {
    const decoder = createResponsesFrameDecoder();
    for (const state of ['tš', 'ts-2']) {
      decoder.pushText(JSON.stringify({ type: 'response.metadata', headers: { 'x-codex-turn-state': state } }));
    }
    expect(decoder.turnState).toBe('ts-2');
  });

  test('7 the event that carries it is told without it: events are logged', () => {
    const metadata = { type: 'response.metadata', headers: { 'X-Codex-Turn-State': 'ts-1', 'x-other': '1' } };
    expect(createResponsesFrameDecoder().pushText(JSON.stringify(metadata))).toEqual([
      { type: 'unknown', raw: { type: 'response.metadata', headers: { 'x-other': '1' } } },
    ]);
  });
});

describe('5 frames', () => {
  const wire = [
    begin,
    { type: 'response.output_item.added', item: open() },
    delta('hi'),
    { type: 'response.output_item.done', item: said('hi') },
    finish,
  ];

  test('5 the same events come from text frames', () => {
    const decoder = createResponsesFrameDecoder();
    expect(wire.flatMap((event) => decoder.pushText(JSON.stringify(event)))).toEqual(events(...wire));
    expect([decoder.phase, decoder.failure, decoder.skipped]).toEqual(['ended', undefined, 0]);
    expect(decoder.pushText(JSON.stringify(delta('late')))).toEqual([]);
    expect(decoder.end({ type: 'close' })).toEqual([]);
  });

  test('5 a close before the end is stream_truncated', () => {
    const decoder = createResponsesFrameDecoder();
    wire.slice(0, 3).forEach((event) => decoder.pushText(JSON.stringify(event)));
    expect(decoder.end({ type: 'close' })).toEqual([done(said('hi', 'incomplete'))]);
    expect(decoder.failure?.toJSON()).toEqual(
      failure('stream_truncated', 'backoff', { message: 'stream closed before response.completed' }),
    );
  });

  test.each([
    [
      {
        type: 'error',
        status: 429,
        error: { type: 'rate_limit_error', message: 'slow' },
        headers: { 'Retry-After': '3' },
      },
      'rate_limited',
      'after',
      { status: 429, type: 'rate_limit_error', after_ms: 3000 },
    ],
    [
      { type: 'error', status: 200, error: { code: 'slow_down', message: 'slow' } },
      'server_overloaded',
      'backoff',
      { code: 'slow_down' },
    ],
    [
      { type: 'error', code: 'invalid_prompt', message: 'slow' },
      'invalid_request',
      'never',
      { code: 'invalid_prompt' },
    ],
    [{ type: 'error', status: 400, error: { message: 'slow' } }, 'invalid_request', 'never', { status: 400 }],
  ] as const)('5 error frames of both shapes are errors whatever their status: %j', (frame, kind, retry, more) => {
    const decoder = createResponsesFrameDecoder();
    expect(decoder.pushText(JSON.stringify(frame))).toEqual([]);
    expect(decoder.failure?.toJSON()).toEqual(failure(kind, retry, { message: 'slow', ...more, replay_safe: true }));
  });
});
