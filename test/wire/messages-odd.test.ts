import { describe, expect, test } from 'vitest';
import { openThinking } from '../../packages/wire/src/sealed-thinking.ts';
import { createDecoder } from '../../packages/wire/src/index.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { oddStreams, type Told } from './messages-odd-streams.ts';
import {
  begin,
  body,
  calls,
  decoded,
  finish,
  last,
  signatureDelta,
  start,
  stop,
  texts,
  thinkingBlock,
  thinkingDelta,
} from './messages-support.ts';
import { readOpen } from './rules.ts';

function told(stream: string): Told {
  const { events, error } = decoded(stream);
  const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
  const end = events.at(-1);
  if (error !== undefined) return { items, end: error.kind };
  return { items, end: end?.type === 'completed' ? (end.finish_reason ?? end.ended_by) : 'nothing' };
}

describe('M what servers send', () => {
  test.each(Object.entries(oddStreams))('%s', (_, [stream, expected]) => {
    expect(told(stream)).toEqual(expected);
  });

  test('M12 a body that is held open after the finish or the error is over without its close', () => {
    for (const event of [finish(), { type: 'error', error: { type: 'api_error', message: 'm' } }, last]) {
      expect(readOpen('messages', body(begin(), ...texts(0, 'hi'), event)).phase).toBe('ended');
    }
  });
});

describe('M large answers', () => {
  test('M3 10,000 blocks are 10,000 items', () => {
    const blocks = Array.from({ length: 10_000 }, (_, n) => calls(n, `c${n}`, '{"n":', `${n}}`)).flat();
    const decoder = createDecoder('messages');
    const events = decoder.push(new TextEncoder().encode(body(begin(), ...blocks, finish('tool_use'), last)));
    const done = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
    expect(done.map((item) => item['arguments' as keyof OutputItem])).toEqual(
      Array.from({ length: 10_000 }, (_, n) => `{"n":${n}}`),
    );
    expect(events.at(-1)?.type).toBe('completed');
  });

  test('M10 a signature of 10 MB comes back byte for byte', () => {
    const signature = 'Sig+/='.repeat(1_700_000);
    const stream = body(
      begin(),
      start(0, thinkingBlock),
      thinkingDelta(0, 'hm'),
      signatureDelta(0, signature),
      stop(0),
      finish(),
    );
    const decoder = createDecoder('messages');
    const bytes = new TextEncoder().encode(stream);
    const events = [];
    for (let at = 0; at < bytes.length; at += 65_536) events.push(...decoder.push(bytes.subarray(at, at + 65_536)));
    const item = events.find(({ type }) => type === 'output_item.done') as { item: Record<string, unknown> };
    expect(openThinking(item.item['encrypted_content'])).toEqual({ type: 'thinking', thinking: 'hm', signature });
  });
});
