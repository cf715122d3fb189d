import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { responsesBody } from './helpers.ts';
import {
  call,
  completed,
  created,
  done,
  input,
  message,
  openCall,
  openMessage,
  openThought,
  read,
  readOpen,
  reasoning,
  text,
  thought,
} from './rules.ts';

/** Named events, as the parser that these tests were first written for was fed them. */
function named(...payloads: (object | string)[]): string {
  return payloads
    .map((one) => `event: message\ndata: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`)
    .join('');
}

const delta = (fields: object): object => ({ choices: [{ delta: fields }] });
const fragment = (...tool_calls: object[]): object => delta({ tool_calls });
const finish = (finish_reason: string): object => ({ choices: [{ finish_reason }] });

describe('the parser that this project began with', () => {
  test('completes_on_done_sentinel_without_json', () => {
    expect(readOpen('chat', named('[DONE]'))).toEqual({
      events: [completed({ ended_by: 'sentinel' })],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('concatenates_tool_call_arguments_across_deltas', () => {
    const body = named(
      fragment({ id: 'call_1', index: 0, function: { name: 'lookup' } }),
      fragment({ index: 0, function: { arguments: '{ "city":' } }),
      fragment({ index: 0, function: { arguments: '"Bern"}' } }),
      finish('tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('call_1', 'lookup', 'fc_1'),
      input('{ "city":', 'call_1', 'lookup', 'fc_1'),
      input('"Bern"}', 'call_1', 'lookup', 'fc_1'),
      done(call('call_1', 'lookup', '{ "city":"Bern"}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('emits_multiple_tool_calls', () => {
    const body = named(
      fragment({ id: 'call_1', function: { name: 'first', arguments: '{"n":1}' } }),
      fragment({ id: 'call_2', function: { name: 'second', arguments: '{"n":2}' } }),
      finish('tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('call_1', 'first', 'fc_1'),
      input('{"n":1}', 'call_1', 'first', 'fc_1'),
      openCall('call_2', 'second', 'fc_2'),
      input('{"n":2}', 'call_2', 'second', 'fc_2'),
      done(call('call_1', 'first', '{"n":1}', 'fc_1')),
      done(call('call_2', 'second', '{"n":2}', 'fc_2')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  const twoChoices = named({
    choices: ['call_1', 'call_2'].map((id) => ({
      delta: { tool_calls: [{ id, index: 0, function: { name: `do_${id}`, arguments: '{}' } }] },
      finish_reason: 'tool_calls',
    })),
  });
  const bothCalls = [
    created(),
    openCall('call_1', 'do_call_1', 'fc_1'),
    input('{}', 'call_1', 'do_call_1', 'fc_1'),
    openCall('call_2', 'do_call_2', 'fc_2'),
    input('{}', 'call_2', 'do_call_2', 'fc_2'),
    done(call('call_1', 'do_call_1', '{}', 'fc_1')),
    done(call('call_2', 'do_call_2', '{}', 'fc_2')),
    completed({ finish_reason: 'tool_calls' }),
  ];

  test('emits_tool_calls_for_multiple_choices', () => {
    expect(read('chat', twoChoices).events).toEqual(bothCalls);
  });

  test('merges_tool_calls_by_index_when_id_missing_on_subsequent_deltas', () => {
    const body = named(
      fragment({ index: 0, id: 'call_1', function: { name: 'lookup', arguments: '{ "n":' } }),
      fragment({ index: 0, function: { arguments: '1}' } }),
      finish('tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('call_1', 'lookup', 'fc_1'),
      input('{ "n":', 'call_1', 'lookup', 'fc_1'),
      input('1}', 'call_1', 'lookup', 'fc_1'),
      done(call('call_1', 'lookup', '{ "n":1}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('preserves_tool_call_name_when_empty_deltas_arrive', () => {
    const body = named(
      fragment({ id: 'call_1', function: { name: 'lookup' } }),
      fragment({ id: 'call_1', function: { name: '', arguments: '{}' } }),
      finish('tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('call_1', 'lookup', 'fc_1'),
      input('{}', 'call_1', 'lookup', 'fc_1'),
      done(call('call_1', 'lookup', '{}', 'fc_1')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('emits_tool_calls_even_when_content_and_reasoning_present', () => {
    const body = named(
      delta({
        content: [{ text: 'hello' }],
        reasoning: 'since',
        tool_calls: [{ id: 'call_1', function: { name: 'lookup', arguments: '{}' } }],
      }),
      finish('tool_calls'),
    );
    expect(read('chat', body).events).toEqual([
      created(),
      openThought(),
      reasoning('since'),
      openMessage(),
      text('hello'),
      openCall('call_1', 'lookup', 'fc_1'),
      input('{}', 'call_1', 'lookup', 'fc_1'),
      done(thought('since')),
      done(call('call_1', 'lookup', '{}', 'fc_1')),
      done(message('hello')),
      completed({ finish_reason: 'tool_calls' }),
    ]);
  });

  test('drops_partial_tool_calls_on_stop_finish_reason', () => {
    const body = named(fragment({ id: 'call_1', function: { name: 'lookup', arguments: '{}' } }), finish('stop'));
    expect(read('chat', body).events).toEqual([
      created(),
      openCall('call_1', 'lookup', 'fc_1'),
      input('{}', 'call_1', 'lookup', 'fc_1'),
      completed({
        finish_reason: 'stop',
        dropped_tool_calls: [{ call_id: 'call_1', name: 'lookup', arguments: '{}', reason: 'stop' }],
      }),
    ]);
  });

  test('completes on finish_reason alone while the socket stays open: one event, no sentinel, no close', () => {
    const body = named({
      choices: [
        {
          delta: { tool_calls: [{ id: 'call_1', function: { name: 'lookup', arguments: '{}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    });
    const decoder = createDecoder('chat');
    const events = decoder.push(new TextEncoder().encode(body));
    expect(events.at(-1)).toEqual(completed({ finish_reason: 'tool_calls' }));
    expect([decoder.phase, decoder.failure]).toEqual(['ended', undefined]);
    expect(readOpen('chat', named(delta({ content: 'hi' }), finish('stop'))).events).toEqual([
      created(),
      openMessage(),
      text('hi'),
      done(message('hi')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('with usage asked for, a finish on an open socket hands out the items and waits for usage alone', () => {
    expect(readOpen('chat', twoChoices, { usageAsked: true })).toEqual({
      events: bothCalls.slice(0, -1),
      skipped: 0,
      phase: 'awaiting_usage',
    });
  });

  test('a tool_calls chunk of several choices completes from its bytes alone', () => {
    expect(readOpen('chat', twoChoices)).toEqual({ events: bothCalls, skipped: 0, phase: 'ended' });
  });
});

describe('the final-only server', () => {
  const item = {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'all at once' }],
  };
  const thinking = { type: 'reasoning', id: 'rs_a', summary: [{ type: 'summary_text', text: 'why' }] };
  const events = [
    { type: 'response.created', response: { id: 'resp_a' } },
    { type: 'response.output_item.done', item },
    { type: 'response.completed', response: { id: 'resp_a' } },
  ] as const;
  const whole = completed({ response_id: 'resp_a', ended_by: 'response.completed' });

  test('one output_item.done and completed give the message, once', () => {
    expect(readOpen('responses', responsesBody(...events))).toEqual({
      events: [created('resp_a'), done(item), whole],
      skipped: 0,
      phase: 'ended',
    });
  });

  test('created and completed with the output alone give every item, of every kind', () => {
    const response = { id: 'resp_a', output: [thinking, item] };
    const body = responsesBody(events[0], { type: 'response.completed', response });
    expect(readOpen('responses', body).events).toEqual([created('resp_a'), done(thinking), done(item), whole]);
  });

  test('streamed text and reasoning only in the last payload: the reasoning is not lost, the text not said twice', () => {
    const said = { ...item, id: 'msg_a' };
    const body = responsesBody(
      events[0],
      { type: 'response.output_item.added', item: { ...said, content: [] } },
      { type: 'response.output_text.delta', item_id: 'msg_a', delta: 'all at once' },
      { type: 'response.output_item.done', item: said },
      { type: 'response.completed', response: { id: 'resp_a', output: [thinking, said] } },
    );
    expect(readOpen('responses', body).events).toEqual([
      created('resp_a'),
      { type: 'output_item.added', item: { ...said, content: [] } },
      text('all at once', 'msg_a'),
      done(said),
      done(thinking),
      whole,
    ]);
  });
});
