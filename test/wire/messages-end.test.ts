import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { openThinking } from '../../packages/wire/src/sealed-thinking.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { captureDir, chatBody } from './helpers.ts';
import {
  begin,
  body,
  calls,
  decoded,
  finish,
  jsonDelta,
  last,
  signatureDelta,
  start,
  stop,
  textBlock,
  textDelta,
  texts,
  thinkingBlock,
  thinkingDelta,
  toolBlock,
  type WireEvent,
} from './messages-support.ts';
import {
  call,
  completed,
  created,
  done,
  failure,
  input,
  message,
  openCall,
  openMessage,
  openThought,
  readOpen,
  reasoning,
  text,
  thought,
  usage,
} from './rules.ts';

/** docs/contract.md section 8: calls, sealed thinking, and every way in which an answer ends. */
const base = { response_id: 'msg_a', usage: usage(5, 7) };
const whole = [openMessage(), text('a'), done(message('a'))];
const cut = [openMessage(), text('a'), done(message('a', 'incomplete'))];
const TRUNCATED = failure('stream_truncated', 'backoff');
const itemsOf = (events: readonly ModelEvent[]): Record<string, unknown>[] =>
  events.flatMap((event) => (event.type === 'output_item.done' ? [event.item as Record<string, unknown>] : []));
const lastOf = (stream: string): unknown => decoded(stream).events.at(-1);

describe('M8 ids and names of calls', () => {
  test('a missing id and one that was used are those of its place', () => {
    const stream = body(
      begin(),
      start(0, toolBlock(undefined)),
      stop(0),
      ...calls(1, 'c', '{}'),
      ...calls(2, 'c', '{}'),
      start(3, toolBlock('')),
      stop(3),
      ...calls(4, 'tool-call-5', '{}'),
      start(5, toolBlock(9)),
      stop(5),
      finish('tool_use'),
    );
    expect(itemsOf(decoded(stream).events).map((item) => item['call_id'])).toEqual([
      'tool-call-0',
      'c',
      'tool-call-2',
      'tool-call-3',
      'tool-call-5',
      'tool-call-5-2',
    ]);
  });

  test('a minted id is unique over the conversation where somebody mints', () => {
    const stream = body(begin(), start(0, toolBlock(null)), stop(0), finish('tool_use'));
    const { events } = decoded(stream, { mintCallId: () => 'call_twx' });
    expect(itemsOf(events)).toEqual([call('call_twx', 'f', '{}', 'fc_1')]);
  });

  test.each([undefined, '', 7])('a call with the name %j is dropped', (name) => {
    const block = { type: 'tool_use', id: 'c', name };
    expect(decoded(body(begin(), start(0, block), jsonDelta(0, '{"a":1}'), stop(0), finish('tool_use')))).toEqual({
      events: [
        created('msg_a'),
        completed({
          ...base,
          finish_reason: 'tool_use',
          dropped_tool_calls: [{ call_id: 'c', arguments: '{"a":1}', reason: 'no_name' }],
        }),
      ],
      skipped: 0,
    });
  });
});

describe('M9 arguments', () => {
  test.each<[string, WireEvent[], string]>([
    ['the deltas', [jsonDelta(0, '{"a"'), jsonDelta(0, ': 1}')], '{"a": 1}'],
    ['an empty delta and no input', [jsonDelta(0, '')], '{}'],
    ['nothing', [], '{}'],
  ])('are %s', (_, deltas, wanted) => {
    const block = { type: 'tool_use', id: 'c', name: 'f' };
    const { events } = decoded(body(begin(), start(0, block), ...deltas, stop(0), finish('tool_use')));
    expect(itemsOf(events)).toEqual([call('c', 'f', wanted, 'fc_1')]);
  });

  const open = [openCall('c', 'f', 'fc_1'), input('{"a":1}', 'c', 'f', 'fc_1')];

  test('a call with whole JSON is done at its stop, and stays done when the stream is cut', () => {
    const events = [created('msg_a'), ...open, done(call('c', 'f', '{"a":1}', 'fc_1'))];
    const stream = body(begin(), ...calls(0, 'c', '{"a":1}'));
    expect(readOpen('messages', stream)).toMatchObject({ events, phase: 'streaming' });
    expect(decoded(stream)).toEqual({ events, error: TRUNCATED, skipped: 0 });
  });

  test('so does one that waited for thinking before it', () => {
    const stream = body(begin(), start(0, thinkingBlock), thinkingDelta(0, 'hm'), ...calls(1, 'c', '{"a":1}'));
    expect(decoded(stream)).toEqual({
      events: [
        ...[created('msg_a'), openThought(), reasoning('hm'), ...open],
        ...[done(thought('hm', 'incomplete')), done(call('c', 'f', '{"a":1}', 'fc_1'))],
      ],
      error: TRUNCATED,
      skipped: 0,
    });
  });

  test.each<[string, WireEvent[]]>([
    ['the cut', []],
    ['an error', [{ type: 'error', error: { type: 'api_error', message: 'm' } }]],
    ['the limit', [finish('max_tokens')]],
  ])('a call without its stop is nothing at %s', (_, events) => {
    const { error, events: told } = decoded(
      body(begin(), start(0, toolBlock('c')), jsonDelta(0, '{"a":1}'), ...events),
    );
    expect(told).toEqual([created('msg_a'), ...open]);
    expect(error).toBeDefined();
  });

  const half = [start(0, toolBlock('c')), jsonDelta(0, '{"a"'), stop(0)];
  const halfOpen = [created('msg_a'), openCall('c', 'f', 'fc_1'), input('{"a"', 'c', 'f', 'fc_1')];

  test('broken JSON is given as it came at tool_use', () => {
    expect(decoded(body(begin(), ...half, finish('tool_use')))).toEqual({
      events: [...halfOpen, done(call('c', 'f', '{"a"', 'fc_1')), completed({ ...base, finish_reason: 'tool_use' })],
      skipped: 0,
    });
  });

  test.each<[string, WireEvent[], object]>([
    ['end_turn', [finish('end_turn')], { usage: usage(5, 7), finish_reason: 'end_turn' }],
    ['message_stop', [last], { usage: usage(5, 1), ended_by: 'sentinel' }],
  ])('and dropped at %s', (_, events, fields) => {
    expect(decoded(body(begin(), ...half, ...events))).toEqual({
      events: [
        ...halfOpen,
        completed({
          response_id: 'msg_a',
          ...fields,
          dropped_tool_calls: [{ call_id: 'c', name: 'f', arguments: '{"a"', reason: 'incomplete' }],
        }),
      ],
      skipped: 0,
    });
  });

  test.each(['end_turn', 'stop_sequence', 'anything', 'pause_turn'])('a whole call counts at %s', (reason) => {
    expect(itemsOf(decoded(body(begin(), ...calls(0, 'c', '{}'), finish(reason))).events)).toEqual([
      call('c', 'f', '{}', 'fc_1'),
    ]);
  });

  test('a call in the middle of which nothing ends it is done at the finish if its JSON is whole', () => {
    const stream = body(begin(), start(0, toolBlock('c')), jsonDelta(0, '{}'), finish('tool_use'));
    expect(itemsOf(decoded(stream).events)).toEqual([call('c', 'f', '{}', 'fc_1')]);
  });
});

describe('M10 sealed thinking', () => {
  const sealedOf = (...events: WireEvent[]): unknown =>
    openThinking(itemsOf(decoded(body(begin(), ...events, finish())).events)[0]?.['encrypted_content']);

  test('is the block exactly as it was put together', () => {
    const block = sealedOf(
      start(0, { type: 'thinking', signature: '', thinking: '', new_field: 1 }),
      thinkingDelta(0, 'h"\n'),
      thinkingDelta(0, 'm🙂'),
      signatureDelta(0, 'Er+/=='),
      stop(0),
    );
    expect(JSON.stringify(block)).toBe(
      '{"type":"thinking","signature":"Er+/==","thinking":"h\\"\\nm🙂","new_field":1}',
    );
  });

  test('has an item where there is a signature alone', () => {
    const stream = body(begin(), start(0, thinkingBlock), signatureDelta(0, 'sig'), stop(0), finish());
    expect(decoded(stream).events).toEqual([
      created('msg_a'),
      openThought(),
      done({ ...thought(''), encrypted_content: expect.any(String) as string }),
      completed({ ...base, finish_reason: 'end_turn' }),
    ]);
    expect(sealedOf(start(0, thinkingBlock), signatureDelta(0, 'sig'), stop(0))).toEqual({
      type: 'thinking',
      thinking: '',
      signature: 'sig',
    });
  });

  test('carries a redacted block', () => {
    const block = { type: 'redacted_thinking', data: 'EmwK' };
    expect(sealedOf(start(0, block), stop(0))).toEqual(block);
  });

  test('is not made without a signature, nor of a block that was cut', () => {
    const unsigned = [start(0, { type: 'thinking', thinking: '' }), thinkingDelta(0, 'hm'), stop(0)];
    expect(itemsOf(decoded(body(begin(), ...unsigned, finish())).events)).toEqual([thought('hm')]);
    const cutOff = [start(0, thinkingBlock), thinkingDelta(0, 'hm'), signatureDelta(0, 'sig')];
    expect(itemsOf(decoded(body(begin(), ...cutOff)).events)).toEqual([thought('hm', 'incomplete')]);
  });
});

describe('M12 the finish', () => {
  const answer = (...events: WireEvent[]): string => body(begin(), ...texts(0, 'a'), ...events);
  const finished = [created('msg_a'), ...whole];
  const early = completed({ response_id: 'msg_a', usage: usage(5, 1), finish_reason: 'end_turn' });

  test('completes at once where a message_delta has usage', () => {
    expect(readOpen('messages', answer(finish()))).toEqual({
      events: [...finished, completed({ ...base, finish_reason: 'end_turn' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each<[string, WireEvent]>([
    ['no usage', finish('end_turn', null)],
    ['a usage of zeros', finish('end_turn', { output_tokens: 0 })],
  ])('waits where it has %s, with all items told', (_, event) => {
    expect(readOpen('messages', answer(event))).toEqual({ events: finished, skipped: 0, phase: 'awaiting_usage' });
    expect(lastOf(answer(event))).toEqual(early);
    expect(readOpen('messages', answer(event, last)).events).toEqual([...finished, early]);
    const later = { type: 'message_delta', delta: {}, usage: { output_tokens: 9 } };
    expect(readOpen('messages', answer(event, later)).events.at(-1)).toEqual({ ...early, usage: usage(5, 9) });
  });

  test('the grace ends the wait', () => {
    const decoder = createDecoder('messages');
    decoder.push(new TextEncoder().encode(answer(finish('end_turn', null))));
    expect(decoder.end({ type: 'grace' })).toEqual([early]);
  });

  test('nothing but usage is read any more', () => {
    const noise = [
      textDelta(0, 'z'),
      start(4, textBlock),
      { type: 'error', error: { type: 'api_error', message: 'm' } },
    ];
    expect(readOpen('messages', answer(finish('end_turn', null), ...noise, finish('max_tokens')))).toEqual({
      events: [...finished, completed({ ...base, finish_reason: 'end_turn' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each([null, '', 7])('a stop_reason of %j is none', (reason) => {
    expect(
      lastOf(answer(finish(reason), finish('stop_sequence', { output_tokens: 8 }, { stop_sequence: ' a' }))),
    ).toEqual(
      completed({ response_id: 'msg_a', usage: usage(5, 8), finish_reason: 'stop_sequence', stop_sequence: ' a' }),
    );
  });

  test('what is open is closed', () => {
    const stream = body(
      begin(),
      start(0, thinkingBlock),
      thinkingDelta(0, 'hm'),
      start(1, textBlock),
      textDelta(1, 'a'),
      finish(),
    );
    expect(itemsOf(decoded(stream).events)).toEqual([thought('hm'), message('a')]);
  });
});

describe('M13 stop reasons', () => {
  const ended = (reason: string, more: object = {}): ReturnType<typeof decoded> =>
    decoded(body(begin(), ...texts(0, 'a'), finish(reason, undefined, { ...more })));

  test.each<[string, object]>([
    ['end_turn', {}],
    ['tool_use', {}],
    ['stop_sequence', {}],
    ['compaction', {}],
    ['something_new', {}],
    ['pause_turn', { end_turn: false }],
  ])('%s completes', (reason, fields) => {
    expect(ended(reason)).toEqual({
      events: [created('msg_a'), ...whole, completed({ ...base, finish_reason: reason, ...fields })],
      skipped: 0,
    });
  });

  test('a stop sequence stands beside the reason, whatever that is', () => {
    expect(ended('end_turn', { stop_sequence: ' the' }).events.at(-1)).toEqual(
      completed({ ...base, finish_reason: 'end_turn', stop_sequence: ' the' }),
    );
  });

  test.each([
    ['max_tokens', failure('incomplete', 'never', { code: 'max_output_tokens' }), {}],
    ['model_context_window_exceeded', failure('context_window_exceeded', 'never'), {}],
    ['refusal', failure('content_filter', 'never', { code: 'refusal' }), {}],
    [
      'refusal',
      failure('content_filter', 'never', { code: 'refusal', message: 'no bombs' }),
      { stop_details: { type: 'refusal', category: 'bio', explanation: 'no bombs' } },
    ],
  ] as const)('%s is an error behind what was said', (reason, error, more) => {
    expect(ended(reason, more)).toEqual({ events: [created('msg_a'), ...cut], error, skipped: 0 });
  });

  test('such an error has the usage of what was said', () => {
    const decoder = createDecoder('messages');
    decoder.push(new TextEncoder().encode(body(begin(), finish('max_tokens'))));
    expect(decoder.failure?.usage).toEqual(usage(5, 7));
  });

  test('and waits for it where that is wanted', () => {
    const decoder = createDecoder('messages', { usageOfCut: true });
    decoder.push(new TextEncoder().encode(body(begin(), finish('max_tokens', null))));
    expect(decoder.phase).toBe('awaiting_usage');
    decoder.push(new TextEncoder().encode(body({ type: 'message_delta', usage: { output_tokens: 9 } })));
    expect(decoder.failure?.usage).toEqual(usage(5, 9));
  });

  test('a call that was whole before the limit is done', () => {
    const stream = body(
      begin(),
      ...calls(0, 'c', '{}'),
      start(1, toolBlock('d')),
      jsonDelta(1, '{'),
      stop(1),
      finish('max_tokens'),
    );
    const { events, error } = decoded(stream);
    expect(itemsOf(events)).toEqual([call('c', 'f', '{}', 'fc_1')]);
    expect(error).toMatchObject({ kind: 'incomplete', code: 'max_output_tokens' });
  });
});

describe('M14 usage', () => {
  const usageOf = (first: object | undefined, later: Record<string, unknown>): unknown =>
    (lastOf(body(begin({ usage: first }), finish('end_turn', later), last)) as { usage?: unknown }).usage;

  test('is merged field by field, and zeros take nothing back', () => {
    expect(
      usageOf(
        { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 0, output_tokens: 1 },
        {
          input_tokens: 0,
          cache_creation_input_tokens: 20,
          output_tokens: 30,
          output_tokens_details: { thinking_tokens: 12 },
        },
      ),
    ).toEqual({
      input_tokens: 130,
      input_tokens_details: { cached_tokens: 100, cache_write_tokens: 20 },
      output_tokens: 30,
      output_tokens_details: { reasoning_tokens: 12 },
      total_tokens: 160,
    });
  });

  test('counts nothing by a number below zero', () => {
    const first = { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: -1 };
    expect(usageOf(first, { input_tokens: -1, output_tokens: -3 })).toEqual(usage(5, 2));
  });

  test.each([undefined, {}, { input_tokens: 0, output_tokens: 0, service_tier: null }])(
    'is absent of %j alone',
    (first) => {
      expect(usageOf(first, { output_tokens: 0 })).toBeUndefined();
    },
  );
});

describe('M15 ends without a stop_reason', () => {
  const stream = body(begin(), ...texts(0, 'a'));

  test('message_stop completes', () => {
    expect(readOpen('messages', stream + body(last))).toEqual({
      events: [
        created('msg_a'),
        ...whole,
        completed({ response_id: 'msg_a', usage: usage(5, 1), ended_by: 'sentinel' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('a close is a cut, even where every block is closed', () => {
    expect(decoded(stream)).toEqual({ events: [created('msg_a'), ...cut], error: TRUNCATED, skipped: 0 });
  });

  test('a close completes where that was asked for', () => {
    expect(decoded(stream, { onClose: 'complete' })).toEqual({
      events: [created('msg_a'), ...whole, completed({ response_id: 'msg_a', usage: usage(5, 1), ended_by: 'close' })],
      skipped: 0,
    });
  });
});

describe('M16 a whole body', () => {
  const bodyFile = (name: string): string => readFileSync(new URL(`${name}.json`, captureDir), 'utf8');
  const said = (json: string, at: number, key: string): string =>
    (JSON.parse(json) as { content: Record<string, string>[] }).content[at]?.[key] ?? '';

  test('of llama.cpp: text', () => {
    const json = bodyFile('messages-text-nostream');
    const words = said(json, 0, 'text');
    expect(decoded(json)).toEqual({
      events: [
        created('chatcmpl-GzWdnsSdciLOmC1qDAwfWSDiV6CCZH83'),
        openMessage(),
        text(words),
        done(message(words)),
        completed({
          response_id: 'chatcmpl-GzWdnsSdciLOmC1qDAwfWSDiV6CCZH83',
          finish_reason: 'end_turn',
          usage: expect.anything() as never,
        }),
      ],
      skipped: 0,
    });
  });

  test('of llama.cpp: thinking and text', () => {
    const json = bodyFile('messages-reasoning-nostream');
    const [thoughts, words] = [said(json, 0, 'thinking'), said(json, 1, 'text')];
    const id = 'chatcmpl-8Rzg9cZiCUFyNFRcRnEMv77PHPRM9GjO';
    expect(decoded(json)).toEqual({
      events: [
        ...[created(id), openThought(), reasoning(thoughts), done(thought(thoughts))],
        ...[openMessage(), text(words), done(message(words))],
        completed({
          response_id: id,
          finish_reason: 'end_turn',
          usage: usage(24, 84, { input_tokens_details: { cached_tokens: 23 }, total_tokens: 108 }),
        }),
      ],
      skipped: 0,
    });
  });

  test('of llama.cpp: a call', () => {
    const { events } = decoded(bodyFile('messages-tool-nostream'));
    expect(events.map(({ type }) => type)).toEqual(['created', 'output_item.added', 'output_item.done', 'completed']);
    expect(itemsOf(events)).toMatchObject([
      { type: 'function_call', name: 'read_file', arguments: '{"path":":s ","limit":2}' },
    ]);
  });

  test('without a stop_reason ended by the close', () => {
    const { events } = decoded(JSON.stringify({ type: 'message', id: 'm', content: [{ type: 'text', text: 'a' }] }));
    expect(events).toEqual([created('m'), ...whole, completed({ response_id: 'm', ended_by: 'close' })]);
  });

  test.each([
    ['messages-error-too-long', { kind: 'context_window_exceeded', status: 400, code: 'exceed_context_size_error' }],
    ['messages-image', { kind: 'server_error', status: 500, type: 'server_error' }],
  ])('%s is an error', (name, error) => {
    const { events, error: found } = decoded(bodyFile(name));
    expect(events).toEqual([]);
    expect(found).toMatchObject(error);
  });
});

describe('M17 errors', () => {
  const errorEvent = (type: string, text_ = 'm'): WireEvent => ({ type: 'error', error: { type, message: text_ } });

  test('an error event is thrown at once', () => {
    expect(
      readOpen(
        'messages',
        body(begin(), start(0, textBlock), textDelta(0, 'a'), errorEvent('api_error'), ...texts(1, 'z')),
      ),
    ).toEqual({
      events: [created('msg_a'), ...cut],
      error: failure('server_error', 'backoff', { code: 'api_error', type: 'api_error', message: 'm' }),
      skipped: 0,
      phase: 'ended',
    });
  });

  test.each([
    ['invalid_request_error', 'm', 'invalid_request', 'never'],
    ['not_found_error', 'm', 'invalid_request', 'never'],
    ['request_too_large', 'm', 'invalid_request', 'never'],
    ['invalid_request_error', 'prompt is too long: 209353 tokens > 199999 maximum', 'context_window_exceeded', 'never'],
    [
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens`',
      'context_window_exceeded',
      'never',
    ],
    ['invalid_request_error', 'Your credit balance is too low to access the Anthropic API', 'quota_exceeded', 'never'],
    ['authentication_error', 'm', 'unauthorized', 'never'],
    ['permission_error', 'm', 'unauthorized', 'never'],
    ['billing_error', 'm', 'quota_exceeded', 'never'],
    ['rate_limit_error', 'm', 'rate_limited', 'backoff'],
    ['api_error', 'm', 'server_error', 'backoff'],
    ['something_new', 'm', 'server_error', 'backoff'],
    ['timeout_error', 'm', 'timeout', 'backoff'],
    ['overloaded_error', 'm', 'server_overloaded', 'backoff'],
  ] as const)('E %s (%s) is %s', (type, text_, kind, retry) => {
    expect(decoded(body(errorEvent(type, text_)))).toEqual({
      events: [],
      error: failure(kind, retry, { code: type, type, message: text_, replay_safe: true }),
      skipped: 0,
    });
  });

  test("llama.cpp's bare error in the middle", () => {
    const bare = { error: { code: 500, message: 'context shift is disabled', type: 'server_error' } };
    expect(decoded(body(begin(), ...texts(0, 'a')) + chatBody(bare))).toEqual({
      events: [created('msg_a'), ...cut],
      error: failure('server_error', 'backoff', {
        status: 500,
        type: 'server_error',
        message: 'context shift is disabled',
      }),
      skipped: 0,
    });
  });
});
