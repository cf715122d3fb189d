import { describe, expect, it } from 'vitest';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';
import { nineLetterId, withCallIds } from '../../packages/wire/src/request-history.ts';
import { toChatBody } from '../../packages/wire/src/chat/request.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';

const call = (call_id: string, name: string): Item => ({ type: 'function_call', call_id, name, arguments: '{}' });
const output = (call_id: string, text: string): Item => ({ type: 'function_call_output', call_id, output: text });

/** `call:ID:NAME` and `output:ID:TEXT`, in order. */
function told(items: readonly Item[]): string[] {
  return items.map((item) => {
    const { type, call_id, name, output: text } = item as Record<string, unknown>;
    return type === 'function_call'
      ? `call:${String(call_id)}:${String(name)}`
      : `output:${String(call_id)}:${String(text)}`;
  });
}

describe('3.13 ids of calls in a history', () => {
  it('repeated ids are made unique, call and output alike (hermes#111443, open-webui#28305)', () => {
    const history = [
      call('t:0', 'a'),
      output('t:0', 'A'),
      call('t:0', 'b'),
      call('t:0-2', 'c'),
      output('t:0', 'B'),
      output('t:0-2', 'C'),
    ];
    expect(told(withCallIds(history))).toEqual([
      ...['call:t:0:a', 'output:t:0:A', 'call:t:0-2:b', 'call:t:0-2-2:c', 'output:t:0-2:B', 'output:t:0-2-2:C'],
    ]);
  });

  it('empty ids are paired by their order (lmstudio#830)', () => {
    const history = [call('', 'a'), call('', 'b'), output('', 'A'), output('', 'B')];
    expect(told(withCallIds(history))).toEqual([
      'call:call_0:a',
      'call:call_1:b',
      'output:call_0:A',
      'output:call_1:B',
    ]);
  });

  it('a history without such ids is the same list', () => {
    const history = [call('x', 'a'), output('x', 'A'), output('never', 'B')];
    expect(withCallIds(history)).toBe(history);
  });

  it('both wires are sent them so', () => {
    const input = [call('t', 'a'), output('t', 'A'), call('t', 'b'), output('t', 'B')];
    const chat = JSON.stringify(toChatBody({ input }).messages);
    expect([...chat.matchAll(/"tool_call_id":"([^"]+)"/g)].map((id) => id[1])).toEqual(['t', 't-2']);
    expect(told(toResponsesBody({ input }).input as Item[])).toEqual([
      'call:t:a',
      'output:t:A',
      'call:t-2:b',
      'output:t-2:B',
    ]);
  });

  it.each([
    ['https://api.mistral.ai/v1', 'm'],
    ['http://127.0.0.1:8000/v1', 'Devstral-Small-2507'],
  ])('Mistral is sent nine letters or digits: %s %s (opencode#1680, vllm#47734)', (url, model) => {
    const input = ['call_abc123', 'a1B2c3D4e', 'call_abc123'].flatMap((id) => [call(id, 'f'), output(id, 'x')]);
    const text = JSON.stringify(toChatBody({ input }, { quirks: chatQuirksOf(url, model) }).messages);
    const ids = [...text.matchAll(/"(?:tool_call_)?id":"([^"]+)"/g)].map((id) => id[1] ?? '');
    expect(ids).toHaveLength(6);
    expect(ids.filter((id) => !/^[A-Za-z0-9]{9}$/.test(id))).toEqual([]);
    expect([ids[2], new Set(ids).size, ids[0]]).toEqual(['a1B2c3D4e', 3, nineLetterId('call_abc123')]);
  });

  it('nine letters differ for a hundred thousand ids', () => {
    const ids = Array.from({ length: 100_000 }, (_, n) => nineLetterId(`call_${n}`));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
