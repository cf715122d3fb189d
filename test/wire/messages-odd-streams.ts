import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { chatBody } from './helpers.ts';
import {
  begin,
  body,
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
  type WireEvent,
} from './messages-support.ts';
import { call, message, thought } from './rules.ts';

/** What servers really send, and what makes clients stumble; docs/contract.md section 8 says what becomes of each. */
export interface Told {
  readonly items: readonly OutputItem[];
  /** How it ended: the reason or what ended it, or the kind of the error. */
  readonly end: string;
}

const hi = texts(0, 'hi');
const usedTool = calls(0, 'c', '{"a":1}');
const used = call('c', 'f', '{"a":1}', 'fc_1');
const without = (type: string, ...events: WireEvent[]): WireEvent[] => events.filter((event) => event.type !== type);
const noIndex = (event: WireEvent): WireEvent => ({ ...event, index: undefined });
const at0 = (event: WireEvent): WireEvent => ('index' in event ? { ...event, index: 0 } : event);

export const oddStreams: Readonly<Record<string, [string, Told]>> = {
  'no message_stop': [body(begin(), ...hi, finish()), { items: [message('hi')], end: 'end_turn' }],
  'no message_delta': [body(begin(), ...hi, last), { items: [message('hi')], end: 'sentinel' }],
  'all blocks closed, then close': [body(begin(), ...usedTool), { items: [used], end: 'stream_truncated' }],
  'no message_start': [body(...hi, finish(), last), { items: [message('hi')], end: 'end_turn' }],
  'no content_block_stop': [
    body(...without('content_block_stop', begin(), ...usedTool, finish('tool_use'), last)),
    { items: [used], end: 'tool_use' },
  ],
  'no usage': [
    body(begin({ usage: undefined }), ...hi, finish('end_turn', null), last),
    { items: [message('hi')], end: 'end_turn' },
  ],
  'no event lines': [chatBody(begin(), ...hi, finish(), last), { items: [message('hi')], end: 'end_turn' }],
  'whole input in content_block_start': [
    body(begin(), start(0, toolBlock('c', 'f', { a: 1 })), stop(0), finish('tool_use'), last),
    { items: [used], end: 'tool_use' },
  ],
  'text in content_block_start': [
    body(begin(), start(0, { type: 'text', text: 'hi' }), stop(0), finish(), last),
    { items: [message('hi')], end: 'end_turn' },
  ],
  'index gaps': [
    body(begin(), ...texts(3, 'hi'), ...calls(9, 'c', '{"a":1}'), finish('tool_use')),
    { items: [message('hi'), used], end: 'tool_use' },
  ],
  'the index is always 0': [
    body(...[begin(), ...texts(0, 'hi'), ...calls(1, 'c', '{"a":1}'), finish('tool_use')].map(at0)),
    { items: [message('hi'), used], end: 'tool_use' },
  ],
  'no index': [
    body(...[begin(), ...hi, ...usedTool, finish('tool_use')].map(noIndex)),
    { items: [message('hi'), used], end: 'tool_use' },
  ],
  'unknown event, block and delta': [
    body(
      begin(),
      { type: 'new_event' },
      ...hi,
      { ...jsonDelta(0, ''), delta: { type: 'new_delta' } },
      start(1, { type: 'new' }),
      stop(1),
      finish(),
    ),
    { items: [message('hi'), { type: 'new' }], end: 'end_turn' },
  ],
  'cut in the text': [
    body(begin(), start(0, textBlock), textDelta(0, 'hi')),
    { items: [message('hi', 'incomplete')], end: 'stream_truncated' },
  ],
  'cut in a call': [
    body(begin(), start(0, toolBlock('c')), jsonDelta(0, '{"a":1}')),
    { items: [], end: 'stream_truncated' },
  ],
  'a call whose JSON is cut short': [
    body(begin(), start(0, toolBlock('c')), jsonDelta(0, '{"a":'), stop(0), finish('tool_use')),
    { items: [call('c', 'f', '{"a":', 'fc_1')], end: 'tool_use' },
  ],
  'two calls interleaved': [
    body(
      begin(),
      start(0, toolBlock('c')),
      start(1, toolBlock('d')),
      jsonDelta(0, '{"a"'),
      jsonDelta(1, '{"b"'),
      jsonDelta(0, ':1}'),
      jsonDelta(1, ':2}'),
      stop(1),
      stop(0),
      finish('tool_use'),
    ),
    { items: [used, call('d', 'f', '{"b":2}', 'fc_2')], end: 'tool_use' },
  ],
  'comments and pings': [
    `: open\n\n${body(begin(), ping)}: ping\n${body(...hi, ping, finish(), last)}`,
    { items: [message('hi')], end: 'end_turn' },
  ],
  'unsigned thinking': [
    body(begin(), start(0, { type: 'thinking', thinking: '' }), thinkingDelta(0, 'hm'), stop(0), finish()),
    { items: [thought('hm')], end: 'end_turn' },
  ],
  'a repeated tool_use id': [
    body(begin(), ...usedTool, ...calls(1, 'c', '{"b":2}'), finish('tool_use')),
    { items: [used, call('tool-call-1', 'f', '{"b":2}', 'fc_2')], end: 'tool_use' },
  ],
  'tool_use without id': [
    body(
      begin(),
      start(0, { type: 'tool_use', name: 'f', input: {} }),
      jsonDelta(0, '{"a":1}'),
      stop(0),
      finish('tool_use'),
    ),
    { items: [call('tool-call-0', 'f', '{"a":1}', 'fc_1')], end: 'tool_use' },
  ],
  'stop_reason null, as vLLM sends it': [
    body(begin(), ...hi, finish(null), last),
    { items: [message('hi')], end: 'sentinel' },
  ],
  'stop_reason unknown': [body(begin(), ...hi, finish('weird'), last), { items: [message('hi')], end: 'weird' }],
  'calls that end in end_turn, as Ollama says': [
    body(begin(), ...usedTool, finish('end_turn'), last),
    { items: [used], end: 'end_turn' },
  ],
  'thinking without any signature, text that goes on behind it, as Ollama sends it': [
    body(
      begin(),
      start(0, { type: 'thinking', thinking: '' }),
      thinkingDelta(0, 'hm'),
      stop(0),
      ...texts(1, 'a'),
      ...texts(1, 'b'),
      finish(),
    ),
    { items: [thought('hm'), message('ab')], end: 'end_turn' },
  ],
  "a second thinking segment at the open index, as claude-code-router's": [
    body(
      begin(),
      start(0, thinkingBlock),
      thinkingDelta(0, 'one'),
      start(0, textBlock),
      textDelta(0, 'a'),
      thinkingDelta(0, 'two'),
      stop(0),
      finish(),
    ),
    {
      items: [thought('one'), message('a'), thought('two', 'completed', 'rs_2')],
      end: 'end_turn',
    },
  ],
  'an empty signature behind the text, and the stops at the end, as llama.cpp sends them': [
    body(
      begin({ id: 'chatcmpl-1' }),
      start(0, thinkingBlock),
      thinkingDelta(0, 'hm'),
      start(1, textBlock),
      textDelta(1, 'hi'),
      signatureDelta(0, ''),
      stop(0),
      stop(1),
      finish('end_turn', { output_tokens: 7 }, { stop_sequence: 'END' }),
      last,
    ),
    { items: [thought('hm'), message('hi')], end: 'end_turn' },
  ],
  'a call that a limit cut, closed all the same, as llama.cpp does': [
    body(begin(), ...calls(0, 'c', '{'), finish('max_tokens'), last),
    { items: [], end: 'incomplete' },
  ],
  'an error without a type or an event line, as llama.cpp sends it': [
    body(begin(), ...hi) + chatBody({ error: { code: 500, message: 'boom', type: 'server_error' } }),
    { items: [message('hi', 'incomplete')], end: 'server_error' },
  ],
  'one body in place of a stream': [
    JSON.stringify({
      ...(begin().message as object),
      content: [{ type: 'text', text: 'hi' }],
      stop_reason: 'end_turn',
    }),
    { items: [message('hi')], end: 'end_turn' },
  ],
  'an end in [DONE], as proxies send it': [
    `${body(begin(), ...hi)}data: [DONE]\n\n`,
    { items: [message('hi')], end: 'sentinel' },
  ],
  'an empty answer': [body(begin(), finish(), last), { items: [], end: 'end_turn' }],
  'an error event, then held open': [
    body(begin(), ...hi, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
    { items: [message('hi', 'incomplete')], end: 'server_overloaded' },
  ],
  'text and its call, the stops at the end, as llama.cpp overlaps them': [
    body(
      begin(),
      start(0, textBlock),
      textDelta(0, 'hi'),
      start(1, { type: 'tool_use', id: 'c', name: 'f' }),
      jsonDelta(1, '{"a":1}'),
      stop(0),
      stop(1),
      finish('tool_use'),
      last,
    ),
    { items: [message('hi'), used], end: 'tool_use' },
  ],
};
