import { describe, expect, test } from 'vitest';
import { openThinking } from '../../packages/wire/src/sealed-thinking.ts';
import { chatBody } from './helpers.ts';
import {
  begin,
  body,
  calls,
  citation,
  decoded,
  delta,
  finish,
  jsonDelta,
  last,
  ping,
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
  added,
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

/** docs/contract.md section 8: events and blocks. M rules are named as in the list that they were written from. */
const USAGE = usage(5, 7);
const end = (fields: object = {}): ReturnType<typeof completed> =>
  completed({ response_id: 'msg_a', usage: USAGE, finish_reason: 'end_turn', ...fields });
/** An answer with these events between its start and its end. */
const answer = (...events: WireEvent[]): string => body(begin(), ...events, finish(), last);
/** What such an answer gives. */
const expectEvents = (stream: string, ...events: object[]): void => {
  expect(decoded(stream)).toEqual({ events: [created('msg_a'), ...events, end()], skipped: 0 });
};
const whole = (said: string, id = 'msg_1'): object[] => [
  openMessage(id),
  text(said, id),
  done(message(said, 'completed', id)),
];

describe('M1 what an event is', () => {
  test('its JSON type decides, and without one its event line', () => {
    const { type, ...untyped } = textDelta(0, 'a');
    expect(type).toBe('content_block_delta');
    const stream =
      body(begin()) +
      `event: content_block_start\n${chatBody(start(0, textBlock))}` +
      `event: content_block_delta\n${chatBody(untyped)}` +
      `event: ping\n${chatBody(textDelta(0, 'b'))}` +
      chatBody(textDelta(0, 'c'), finish(), last);
    expectEvents(stream, openMessage(), text('a'), text('b'), text('c'), done(message('abc')));
  });

  test('a ping is no event', () => {
    expect(readOpen('messages', body(ping, begin(), ping)).events).toEqual([created('msg_a')]);
  });

  test('an object without either and with an error is one', () => {
    const stream =
      body(begin(), ...texts(0, 'a')) + chatBody({ error: { code: 500, message: 'broke', type: 'server_error' } });
    expect(decoded(stream)).toMatchObject({
      error: failure('server_error', 'backoff', { message: 'broke', status: 500, type: 'server_error' }),
    });
  });

  test('data that is no object, and parts that are malformed, are skipped and counted', () => {
    const stream =
      body(begin()) +
      chatBody('no json', '[1]', { index: 0 }) +
      body(
        start(0, 'x'),
        start(0, { text: 'a' }),
        delta(0, 'x' as never),
        textDelta(0, 7),
        thinkingDelta(0, null),
        jsonDelta(0, 'x'),
      ) +
      body(...texts(0, 'a'), finish(), last);
    expect(decoded(stream)).toEqual({ events: [created('msg_a'), ...whole('a'), end()], skipped: 9 });
  });

  test('an error event whose data is text is a server_error with that text', () => {
    const stream = `${body(begin())}event: error\ndata: upstream went away\n\n`;
    expect(decoded(stream)).toEqual({
      events: [created('msg_a')],
      error: failure('server_error', 'backoff', { message: 'upstream went away', replay_safe: true }),
      skipped: 0,
    });
  });

  test.each(['[DONE]', 'DONE', ' [DONE] '])('%j counts as message_stop', (sentinel) => {
    const stream = body(begin(), ...texts(0, 'a')) + chatBody(sentinel);
    expect(readOpen('messages', stream)).toEqual({
      events: [
        created('msg_a'),
        ...whole('a'),
        completed({ response_id: 'msg_a', usage: usage(5, 1), ended_by: 'sentinel' }),
      ],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('new events travel on as they came', () => {
    const raw = { type: 'content_block_progress', index: 0, n: [1] };
    expectEvents(answer(raw, ...texts(0, 'a')), { type: 'unknown', raw }, ...whole('a'));
  });
});

describe('M2 the beginning', () => {
  test.each<[string, WireEvent]>([
    ['a block', start(0, textBlock)],
    ['a delta', textDelta(0, '')],
    ['message_delta', { type: 'message_delta', delta: {} }],
  ])('without message_start, %s begins the answer', (_, event) => {
    expect(readOpen('messages', body(event)).events).toEqual([created()]);
  });

  test('a second message_start is ignored', () => {
    expectEvents(answer(...texts(0, 'a'), begin({ id: 'other', usage: { input_tokens: 99 } })), ...whole('a'));
  });

  test('a lone error makes no answer', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' };
    expect(decoded(body(error))).toEqual({
      events: [],
      error: {
        ...failure('server_overloaded', 'backoff', {
          ...{ message: 'Overloaded', code: 'overloaded_error', type: 'overloaded_error', replay_safe: true },
        }),
        request_id: 'req_1',
      },
      skipped: 0,
    });
  });
});

describe('M3 blocks are items', () => {
  test('text, thinking and tool_use', () => {
    expectEvents(
      answer(
        start(0, thinkingBlock),
        thinkingDelta(0, 'hm'),
        stop(0),
        ...texts(1, 'a', 'b'),
        ...calls(2, 'toolu_1', '', '{"x"', ':1}'),
      ),
      openThought(),
      reasoning('hm'),
      done(thought('hm')),
      openMessage(),
      text('a'),
      text('b'),
      done(message('ab')),
      openCall('toolu_1', 'f', 'fc_1'),
      input('{"x"', 'toolu_1', 'f', 'fc_1'),
      input(':1}', 'toolu_1', 'f', 'fc_1'),
      done(call('toolu_1', 'f', '{"x":1}', 'fc_1')),
    );
  });

  test('every other block is carried, its input put together', () => {
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
    const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ url: 'u' }] };
    expectEvents(
      answer(start(0, search), jsonDelta(0, '{"query"'), jsonDelta(0, ':"q"}'), stop(0), start(1, result), stop(1)),
      added(search),
      done({ ...search, input: { query: 'q' } }),
      added(result),
      done(result),
    );
  });

  test('an input that is no JSON is carried as its text', () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search' };
    expectEvents(
      answer(start(0, search), jsonDelta(0, '{"q'), stop(0)),
      added(search),
      done({ ...search, input: '{"q' }),
    );
  });

  test('blocks inside message_start are whole', () => {
    const content = [toolBlock('toolu_1', 'f', { x: 1 }), { type: 'text', text: 'a' }, 'junk'];
    expect(decoded(body(begin({ content }), finish('tool_use'), last))).toEqual({
      events: [
        created('msg_a'),
        openCall('toolu_1', 'f', 'fc_1'),
        done(call('toolu_1', 'f', '{"x":1}', 'fc_1')),
        ...whole('a'),
        end({ finish_reason: 'tool_use' }),
      ],
      skipped: 1,
    });
  });
});

describe('M4 what a block begins with', () => {
  test('text and thinking are the first delta', () => {
    expectEvents(
      answer(
        start(0, { type: 'thinking', thinking: 'h', signature: 'sig' }),
        thinkingDelta(0, 'm'),
        stop(0),
        start(1, { type: 'text', text: 'a' }),
        textDelta(1, 'b'),
        stop(1),
      ),
      openThought(),
      reasoning('h'),
      reasoning('m'),
      done({ ...thought('hm'), encrypted_content: expect.stringMatching(/^anthropic:1:/) as string }),
      openMessage(),
      text('a'),
      text('b'),
      done(message('ab')),
    );
  });

  test('empty blocks are nothing', () => {
    expectEvents(
      answer(
        start(0, textBlock),
        textDelta(0, ''),
        stop(0),
        start(1, thinkingBlock),
        thinkingDelta(1, ''),
        signatureDelta(1, ''),
        stop(1),
        start(2, { type: 'redacted_thinking', data: '' }),
        stop(2),
        ...texts(3, 'a'),
      ),
      ...whole('a'),
    );
  });

  test('a whole input counts only where no delta came', () => {
    expectEvents(
      answer(
        start(0, toolBlock('c1', 'f', { whole: true })),
        stop(0),
        start(1, toolBlock('c2', 'f', { whole: true })),
        jsonDelta(1, '{}'),
        stop(1),
        start(2, toolBlock('c3', 'f', '{"text":1}')),
        stop(2),
      ),
      openCall('c1', 'f', 'fc_1'),
      done(call('c1', 'f', '{"whole":true}', 'fc_1')),
      openCall('c2', 'f', 'fc_2'),
      input('{}', 'c2', 'f', 'fc_2'),
      done(call('c2', 'f', '{}', 'fc_2')),
      openCall('c3', 'f', 'fc_3'),
      done(call('c3', 'f', '{"text":1}', 'fc_3')),
    );
  });
});

describe('M5 indexes', () => {
  test('a start on an open index closes that block; its deltas are of the latest', () => {
    expectEvents(
      answer(
        start(0, thinkingBlock),
        thinkingDelta(0, 'one'),
        start(0, thinkingBlock),
        thinkingDelta(0, 'two'),
        stop(0),
        start(0, toolBlock('c1')),
        jsonDelta(0, '{"a":1}'),
        start(0, toolBlock('c2')),
        jsonDelta(0, '{"b":2}'),
        stop(0),
      ),
      openThought('rs_1'),
      reasoning('one', 'rs_1'),
      done(thought('one', 'completed', 'rs_1')),
      openThought('rs_2'),
      reasoning('two', 'rs_2'),
      done(thought('two', 'completed', 'rs_2')),
      openCall('c1', 'f', 'fc_1'),
      input('{"a":1}', 'c1', 'f', 'fc_1'),
      done(call('c1', 'f', '{"a":1}', 'fc_1')),
      openCall('c2', 'f', 'fc_2'),
      input('{"b":2}', 'c2', 'f', 'fc_2'),
      done(call('c2', 'f', '{"b":2}', 'fc_2')),
    );
  });

  test.each([undefined, -1, 0.5, '0', null])('a delta at the index %j is of the last open block', (index) => {
    expectEvents(
      answer(
        start(4, toolBlock('c1')),
        start(9, toolBlock('c2')),
        jsonDelta(index, '{"b":2}'),
        stop(index),
        jsonDelta(index, '{"a":1}'),
        stop(index),
      ),
      openCall('c1', 'f', 'fc_1'),
      openCall('c2', 'f', 'fc_2'),
      input('{"b":2}', 'c2', 'f', 'fc_2'),
      input('{"a":1}', 'c1', 'f', 'fc_1'),
      done(call('c1', 'f', '{"a":1}', 'fc_1')),
      done(call('c2', 'f', '{"b":2}', 'fc_2')),
    );
  });

  test('gaps mean nothing', () => {
    expectEvents(
      answer(start(3, thinkingBlock), thinkingDelta(3, 'hm'), stop(3), ...texts(40, 'a')),
      openThought(),
      reasoning('hm'),
      done(thought('hm')),
      ...whole('a'),
    );
  });
});

describe('M6 what a delta is for', () => {
  test('text in another block, or in none, is of the message that is open', () => {
    expectEvents(
      answer(
        textDelta(5, 'a'),
        textDelta(5, 'b'),
        start(0, toolBlock('c1')),
        textDelta(0, 'c'),
        jsonDelta(0, '{}'),
        stop(0),
        textDelta(0, 'd'),
      ),
      openMessage('msg_1'),
      text('a', 'msg_1'),
      text('b', 'msg_1'),
      done(message('ab', 'completed', 'msg_1')),
      openCall('c1', 'f', 'fc_1'),
      openMessage('msg_2'),
      text('c', 'msg_2'),
      input('{}', 'c1', 'f', 'fc_1'),
      done(call('c1', 'f', '{}', 'fc_1')),
      text('d', 'msg_2'),
      done(message('cd', 'completed', 'msg_2')),
    );
  });

  test('thinking elsewhere is of the last open thinking, else of a new one', () => {
    expectEvents(
      answer(
        thinkingDelta(0, 'x'),
        signatureDelta(0, 'sig'),
        stop(0),
        start(1, thinkingBlock),
        thinkingDelta(1, 'y'),
        start(2, textBlock),
        thinkingDelta(2, 'z'),
        stop(1),
        thinkingDelta(1, 'w'),
      ),
      openThought('rs_1'),
      reasoning('x', 'rs_1'),
      done({
        ...thought('x', 'completed', 'rs_1'),
        encrypted_content: expect.stringMatching(/^anthropic:1:/) as string,
      }),
      openThought('rs_2'),
      reasoning('y', 'rs_2'),
      reasoning('z', 'rs_2'),
      done(thought('yz', 'completed', 'rs_2')),
      openThought('rs_3'),
      reasoning('w', 'rs_3'),
      done(thought('w', 'completed', 'rs_3')),
    );
  });

  test('input for no call goes to the last open call; for a closed one it is skipped', () => {
    const stream = answer(
      start(0, toolBlock('c1')),
      start(1, textBlock),
      jsonDelta(1, '{"a"'),
      jsonDelta(7, ':1}'),
      stop(0),
      jsonDelta(0, 'late'),
      jsonDelta(1, 'late'),
    );
    expect(decoded(stream)).toEqual({
      events: [
        created('msg_a'),
        openCall('c1', 'f', 'fc_1'),
        input('{"a"', 'c1', 'f', 'fc_1'),
        input(':1}', 'c1', 'f', 'fc_1'),
        done(call('c1', 'f', '{"a":1}', 'fc_1')),
        end(),
      ],
      skipped: 2,
    });
  });

  test('a signature is of its own block only, and the last that says something wins', () => {
    const stream = answer(
      start(0, thinkingBlock),
      thinkingDelta(0, 'hm'),
      start(1, textBlock),
      signatureDelta(1, 'stray'),
      signatureDelta(0, 'one'),
      signatureDelta(0, 'two'),
      signatureDelta(0, ''),
      stop(0),
      signatureDelta(0, 'late'),
    );
    const { events, skipped } = decoded(stream);
    expect(skipped).toBe(2);
    const item = events.flatMap((event) =>
      event.type === 'output_item.done' ? [event.item as Record<string, unknown>] : [],
    )[0];
    expect(openThinking(item?.['encrypted_content'])).toEqual({ type: 'thinking', thinking: 'hm', signature: 'two' });
  });

  test('citations and new deltas travel on', () => {
    const raw = delta(0, { type: 'compaction_delta', content: 'c' });
    expectEvents(answer(start(0, textBlock), raw, textDelta(0, 'a'), stop(0)), { type: 'unknown', raw }, ...whole('a'));
  });
});

describe('M7 order', () => {
  test('what is complete waits for what began before it, as llama.cpp overlaps', () => {
    expectEvents(
      answer(
        start(0, thinkingBlock),
        thinkingDelta(0, 'hm'),
        start(1, textBlock),
        textDelta(1, 'a'),
        start(2, toolBlock('c1')),
        jsonDelta(2, '{}'),
        stop(2),
        signatureDelta(0, ''),
        stop(0),
        stop(1),
      ),
      openThought(),
      reasoning('hm'),
      openMessage(),
      text('a'),
      openCall('c1', 'f', 'fc_1'),
      input('{}', 'c1', 'f', 'fc_1'),
      done(thought('hm')),
      done(message('a')),
      done(call('c1', 'f', '{}', 'fc_1')),
    );
  });

  test('adjacent text blocks are one message, and a block of another kind closes it', () => {
    expectEvents(
      answer(
        ...texts(0, 'a'),
        ping,
        ...texts(1, 'b'),
        start(2, thinkingBlock),
        thinkingDelta(2, 'hm'),
        stop(2),
        ...texts(3, 'c'),
      ),
      openMessage('msg_1'),
      text('a', 'msg_1'),
      text('b', 'msg_1'),
      done(message('ab', 'completed', 'msg_1')),
      openThought(),
      reasoning('hm'),
      done(thought('hm')),
      ...whole('c', 'msg_2'),
    );
  });
});

describe('M11 citations', () => {
  test('are annotations of the text part; a page found is a url_citation', () => {
    const page = {
      type: 'web_search_result_location',
      url: 'https://a.test',
      title: 'A',
      cited_text: 'q',
      encrypted_index: 'e',
    };
    const char = { type: 'char_location', document_index: 0, start_char_index: 1, end_char_index: 2, cited_text: 'z' };
    const stream = answer(
      ...texts(0, 'See '),
      start(1, { type: 'text', text: '', citations: [] }),
      citation(1, page),
      textDelta(1, 'this'),
      stop(1),
      start(2, { type: 'text', text: '', citations: [char] }),
      textDelta(2, '.'),
      stop(2),
    );
    const annotations = [
      {
        type: 'url_citation',
        url: 'https://a.test',
        title: 'A',
        cited_text: 'q',
        encrypted_index: 'e',
        start_index: 4,
        end_index: 8,
      },
      char,
    ];
    expectEvents(
      stream,
      openMessage(),
      text('See '),
      { type: 'unknown', raw: citation(1, page) },
      text('this'),
      text('.'),
      done({ ...message('See this.'), content: [{ type: 'output_text', text: 'See this.', annotations }] }),
    );
  });
});
