import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMessagesEncoder } from '../../packages/wire/src/messages/encode.ts';
import { validateMessagesOrder } from '../../packages/wire/src/messages/validate.ts';
import { captureDir } from './helpers.ts';
import {
  begin,
  calls,
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
} from './messages-support.ts';

const signed = [start(0, thinkingBlock), thinkingDelta(0, 'hm'), signatureDelta(0, 'sig'), stop(0)];
/** A whole good stream. */
const good = (): object[] => [
  begin(),
  ping,
  ...signed,
  ...texts(1, 'a', 'b'),
  ...calls(2, 'c', '', '{}'),
  finish('tool_use'),
  last,
];

const rules = (events: readonly unknown[]): string[] => [
  ...new Set(validateMessagesOrder(events).map(({ rule }) => rule)),
];

describe('the order of a Messages stream', () => {
  it('is right in a whole stream, and in one that fails', () => {
    expect(validateMessagesOrder(good())).toEqual([]);
    const error = { type: 'error', error: { type: 'api_error', message: 'm' } };
    expect(validateMessagesOrder([begin(), start(0, textBlock), error])).toEqual([]);
    expect(validateMessagesOrder([error])).toEqual([]);
  });

  it('is told with the place of the event', () => {
    expect(validateMessagesOrder([begin(), ...texts(1, 'a'), finish()])).toEqual([
      { rule: 'index', message: 'the block has the index 1, expected 0', at: 1 },
      { rule: 'no_terminal', message: 'the stream ended without message_stop', at: 5 },
    ]);
  });

  it.each<[string, readonly unknown[]]>([
    ['shape', [begin(), 'x', ...texts(0, 'a'), finish(), last]],
    ['shape', [begin({ id: '' }), finish(), last]],
    ['shape', [begin(), start(0, { text: '' }), finish(), last]],
    ['shape', [begin(), start(0, textBlock), { ...textDelta(0, 'a'), delta: {} }, stop(0), finish(), last]],
    ['shape', [{ type: 'error', error: 'm' }]],
    ['unknown_event', [begin(), { type: 'new' }, finish(), last]],
    ['start_first', [...texts(0, 'a'), finish(), last]],
    ['start_once', [begin(), begin(), finish(), last]],
    ['usage', [begin({ usage: undefined }), finish(), last]],
    ['usage', [begin(), finish('end_turn', null), last]],
    ['after_stop_reason', [begin(), finish(), ...texts(0, 'a'), last]],
    ['overlap', [begin(), start(0, textBlock), ...calls(1, 'c', '{}'), stop(0), finish(), last]],
    ['index', [begin(), ...texts(0, 'a'), ...texts(0, 'b'), finish(), last]],
    ['content_in_start', [begin(), start(0, { type: 'text', text: 'a' }), stop(0), finish(), last]],
    ['content_in_start', [begin(), start(0, toolBlock('c', 'f', { a: 1 })), stop(0), finish(), last]],
    ['call_id', [begin(), ...calls(0, 'c', '{}'), ...calls(1, 'c', '{}'), finish(), last]],
    ['call_id', [begin(), ...calls(0, '', '{}'), finish(), last]],
    ['call_name', [begin(), start(0, toolBlock('c', '')), stop(0), finish(), last]],
    ['delta_type', [begin(), start(0, textBlock), jsonDelta(0, '{}'), stop(0), finish(), last]],
    ['delta_type', [begin(), ...signed.slice(0, -1), thinkingDelta(0, 'x'), stop(0), finish(), last]],
    ['signature', [begin(), start(0, thinkingBlock), thinkingDelta(0, 'hm'), stop(0), finish(), last]],
    ['input', [begin(), ...calls(0, 'c', '{'), finish(), last]],
    ['block_unknown', [begin(), textDelta(0, 'a'), finish(), last]],
    ['block_closed', [begin(), ...texts(0, 'a'), textDelta(0, 'b'), finish(), last]],
    ['block_not_stopped', [begin(), start(0, textBlock), finish(), last]],
    ['stop_reason', [begin(), last]],
    ['stop_reason', [begin(), finish('weird'), last]],
    ['after_terminal', [...good(), ping]],
    ['no_terminal', [begin(), finish()]],
  ])('%s is broken by %j', (rule, events) => {
    expect(rules(events)).toEqual([rule]);
  });

  it('of llama.cpp overlaps its blocks, and signs none', () => {
    const files = readdirSync(captureDir).filter((file) => /^messages-.*\.sse$/.test(file));
    const broken = files.map((file) => {
      const lines = readFileSync(new URL(file, captureDir), 'utf8').split('\n');
      const events = lines
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice(6)) as unknown);
      return [file, rules(events)] as const;
    });
    expect(Object.fromEntries(broken)).toEqual({
      'messages-empty.sse': [],
      'messages-max-tokens.sse': [],
      'messages-reasoning-tools.sse': ['overlap', 'signature'],
      'messages-reasoning.sse': ['overlap', 'signature'],
      'messages-stop.sse': [],
      'messages-text-then-tool.sse': ['overlap'],
      'messages-text.sse': [],
      'messages-tool-max-tokens.sse': ['input'],
      'messages-tool.sse': [],
      'messages-tools-parallel.sse': ['overlap'],
    });
  });

  it("of turnwire's own encoder is right", () => {
    const encoder = createMessagesEncoder({ id: 'msg_1', model: 'm' });
    const item = { type: 'message', id: 'm1', role: 'assistant', status: 'completed', content: [] };
    const events = [
      ...encoder.push({ type: 'created' }),
      ...encoder.push({ type: 'output_item.added', item }),
      ...encoder.push({ type: 'output_text.delta', delta: 'a', item_id: 'm1' }),
      ...encoder.push({ type: 'output_item.done', item: { ...item, content: [{ type: 'output_text', text: 'a' }] } }),
      ...encoder.push({ type: 'completed', response_id: '', ended_by: 'finish_reason' }),
    ];
    expect(validateMessagesOrder(events.map(({ data }) => JSON.parse(data) as unknown))).toEqual([]);
  });
});
