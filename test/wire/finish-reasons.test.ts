import { describe, expect, test } from 'vitest';
import { encodeChatBody, encodeChatEvents } from '../../packages/wire/src/chat/encode.ts';
import { chatWordFor, finishWords, type FinishClass } from '../../packages/wire/src/dialects/finish-reasons.ts';
import { seenFinishWords } from '../../packages/wire/src/dialects/seen/sources.ts';
import { createDecoder, Repairs } from '../../packages/wire/src/index.ts';
import { chatBody, chunk } from './helpers.ts';
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
  readOpen,
  text,
} from './rules.ts';

/** An answer with a whole call and this finish: a class shows in what becomes of the call. */
function answer(reason: string): string {
  return chatBody(
    chunk({ content: 'hi' }),
    chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
    chunk({}, reason),
  );
}

const opened = [created(), openMessage(), text('hi'), openCall('a', 'f', 'fc_1'), input('{}', 'a', 'f', 'fc_1')];
const cut = [...opened, done(message('hi', 'incomplete'))];

/** What an answer of a class comes to when no limit was set and usage is unknown. */
function outcomeOf(kind: FinishClass, reason: string): object {
  const ended = { skipped: 0, phase: 'ended' };
  switch (kind) {
    case 'stop':
    case 'other': {
      const dropped = [{ call_id: 'a', name: 'f', arguments: '{}', reason: 'stop' as const }];
      const last = completed({ finish_reason: reason, dropped_tool_calls: dropped });
      return { ...ended, events: [...opened, done(message('hi')), last] };
    }
    case 'calls': {
      const items = [done(call('a', 'f', '{}', 'fc_1')), done(message('hi'))];
      return { ...ended, events: [...opened, ...items, completed({ finish_reason: reason })] };
    }
    case 'limit':
    case 'full_context':
      return { ...ended, events: cut, error: failure('context_window_exceeded', 'never') };
    case 'filter':
      return { ...ended, events: cut, error: failure('content_filter', 'never', { code: 'content_filter' }) };
    case 'failed': {
      const words = `the server ended the answer with finish_reason ${JSON.stringify(reason)}`;
      return { ...ended, events: cut, error: failure('server_error', 'backoff', { code: reason, message: words }) };
    }
  }
}

/** Written out, not read from the table: a row that gets lost there is missed here. */
const words: Readonly<Record<Exclude<FinishClass, 'other'>, string>> = {
  stop: 'stop end_turn eos eos_token end stop_sequence completed complete finished done',
  calls: 'tool_calls tool_call tool_use function_call function_calls',
  limit: 'length max_tokens max_output_tokens model_length token_limit limit',
  full_context: 'model_context_window_exceeded context_length_exceeded context_window_exceeded',
  filter:
    'content_filter content_filtered safety sensitive recitation blocklist prohibited_content spii refusal language image_safety guardrail guardrail_intervened',
  failed:
    'error network_error abort aborted cancelled canceled insufficient_system_resource engine_overloaded malformed_function_call unexpected_tool_call repetition_truncation',
};
const known = Object.entries(words).flatMap(([kind, list]) =>
  list.split(' ').map((word): [string, FinishClass] => [word, kind as FinishClass]),
);

const spellings = known.flatMap(([word, kind]) =>
  [word, word.toUpperCase(), `FINISH_REASON_${word.toUpperCase()}`, `FinishReason.${word}`].map(
    (spelling): [string, FinishClass] => [spelling, kind],
  ),
);

describe('3.6 the finish reasons', () => {
  test('3.6 each word of the table is tried, and has its source', () => {
    const inTable = Object.entries(finishWords).flatMap(([kind, list]) => list.map((word) => [word, kind] as const));
    expect(new Map(inTable)).toEqual(new Map<string, string>(known));
    const seen = seenFinishWords.filter(({ source }) => source !== '').flatMap((row) => row.words);
    expect(seen.toSorted()).toEqual(inTable.map(([word]) => word).toSorted());
  });

  test.each(known)('3.6 a chat client is told of %s what the wire has for %s', (reason, kind) => {
    const told = {
      stop: 'stop',
      calls: 'tool_calls',
      limit: 'length',
      full_context: 'length',
      filter: 'content_filter',
    };
    expect(chatWordFor(reason)).toBe(kind === 'failed' || kind === 'other' ? reason : told[kind]);
  });

  test.each(known)('3.6 only the words of the wire itself are no repair: %s', (reason) => {
    const repairs = new Repairs();
    createDecoder('chat', { repairs }).push(new TextEncoder().encode(answer(reason)));
    const own = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];
    expect(repairs.names.has('finish_reason_spelling')).toBe(!own.includes(reason));
  });

  test.each(spellings)('3.6 %s is of the class %s', (reason, kind) => {
    expect(readOpen('chat', answer(reason))).toEqual(outcomeOf(kind, reason));
  });

  test.each([
    'function_call_filter: MALFORMED_FUNCTION_CALL. Call: default_api.f(',
    'FinishReason.FUNCTION_CALL_FILTER_SAFETY',
  ])('3.6 %s is a failure, whatever it goes on with', (reason) => {
    expect(readOpen('chat', answer(reason))).toEqual(outcomeOf('failed', reason));
  });

  test.each(['weird', 'Stop.', ' ', 'finish_reason_', 'stop it'])('3.6 %j completes like stop', (reason) => {
    expect(readOpen('chat', answer(reason))).toEqual(outcomeOf('other', reason));
  });

  test('3.6 no spelling stands in two rows', () => {
    const all = Object.values(finishWords).flat();
    expect(all).toEqual([...new Set(all)]);
    expect(all.every((reason) => reason === reason.toLowerCase())).toBe(true);
  });

  test('3.6 max_tokens withholds the call that length withholds, promote or not', () => {
    for (const reason of ['max_tokens', 'FinishReason.MAX_TOKENS']) {
      expect(readOpen('chat', answer(reason), { toolCallsOnStop: 'promote' })).toEqual(outcomeOf('limit', reason));
    }
  });
});

describe('3.6 whose limit it was', () => {
  const counted = { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 };
  const withUsage = chatBody(chunk({ content: 'hi' }), chunk({}, 'length', { usage: counted }));
  const events = [created(), openMessage(), text('hi'), done(message('hi', 'incomplete'))];
  const full = failure('context_window_exceeded', 'never');
  const unasked = failure('incomplete', 'never', {
    code: 'max_output_tokens',
    message: 'the server stopped at a token limit that the request did not set (6 tokens of output, 16 in all)',
  });

  test.each([
    ['usage is known, the window is not', {}, unasked],
    ['the window is far from full', { contextWindow: 100 }, unasked],
    ['95 % of the window are used', { contextWindow: 16.8 }, full],
    ['the window is full', { contextWindow: 16 }, full],
    [
      'the request set a limit',
      { tokenLimit: true, contextWindow: 16 },
      failure('incomplete', 'never', { code: 'max_output_tokens' }),
    ],
  ])('3.6 %s', (_, options, error) => {
    expect(readOpen('chat', withUsage, options)).toEqual({ events, error, skipped: 0, phase: 'ended' });
  });

  test('3.6 usage that was asked for is waited for, since it tells', () => {
    const body = chatBody(chunk({ content: 'hi' }), chunk({}, 'length'));
    const asked = { usageAsked: true };
    expect(readOpen('chat', body, asked)).toEqual({ events, skipped: 0, phase: 'awaiting_usage' });
    expect(readOpen('chat', body + chatBody({ choices: [], usage: counted }), asked).error).toEqual(unasked);
    expect(readOpen('chat', `${body}data: [DONE]\n\n`, asked).error).toEqual(full);
    expect(readOpen('chat', body, { ...asked, tokenLimit: true }).phase).toBe('ended');
  });

  test('3.6 a reason that names the window needs no usage', () => {
    const body = chatBody(chunk({ content: 'hi' }), chunk({}, 'model_context_window_exceeded', { usage: counted }));
    expect(readOpen('chat', body, { tokenLimit: true }).error).toEqual(full);
  });
});

describe('3.6 what a chat client is told', () => {
  const words = [
    ['STOP', 'stop'],
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['context_length_exceeded', 'length'],
    ['SAFETY', 'content_filter'],
    ['tool_use', 'stop'],
    ['weird "word"', 'weird "word"'],
  ] as const;

  test.each(words)('3.6 %s without calls is told as %s', (finish_reason, told) => {
    const events = [created('r'), completed({ response_id: 'r', finish_reason })];
    expect(encodeChatBody(events)).toMatchObject({ choices: [{ finish_reason: told }] });
    const last = encodeChatEvents(events).at(-2);
    expect(JSON.parse(last?.data ?? '')).toMatchObject({ choices: [{ finish_reason: told }] });
  });

  test('3.6 calls that were handed on are told as tool_calls, whatever the reason', () => {
    const events = [done(call('a', 'f', '{}', 'fc_1')), completed({ finish_reason: 'weird' })];
    expect(encodeChatBody(events)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });
});
