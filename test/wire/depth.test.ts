import { describe, expect, it } from 'vitest';
import { MAX_JSON_DEPTH } from '../../packages/wire/src/base/json.ts';
import { createResponsesFrameDecoder, protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { chatBody, chunk, cut, decodeChunks, decodeText, responsesBody, type Outcome } from './helpers.ts';

const tooDeep = {
  kind: 'protocol',
  message: `the server sent JSON that is nested more than ${MAX_JSON_DEPTH} levels deep`,
  retry: { class: 'never', replay_safe: true },
};

/** A value of so many levels. */
function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

/** An event of so many levels in all, and events before and after it that the fast path takes. */
const streams: Readonly<Record<ProtocolId, (levels: number) => string>> = {
  chat: (levels) => {
    const text = (content: string): string => JSON.stringify(chunk({ content }));
    const deep = `{"x":${nested(levels - 1)},"choices":[{"index":0,"delta":{"content":"a"}}]}`;
    return chatBody(text('1'), text('2'), text('3'), deep, text('4'), chunk({}, 'stop'), '[DONE]');
  },
  responses: (levels) => {
    const text = (delta: string) => ({ type: 'response.output_text.delta', item_id: 'm', delta });
    const deep = `data: {"type":"response.output_item.done","item":{"a":${nested(levels - 2)}}}\n\n`;
    const end = { type: 'response.completed', response: { id: 'r', output: [] } };
    return responsesBody(text('1'), text('2'), text('3')) + deep + responsesBody(text('4'), end);
  },
  messages: (levels) => {
    const text = (one: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: one } });
    const deep = `data: {"type":"content_block_start","index":1,"content_block":{"type":"x","a":${nested(levels - 2)}}}\n\n`;
    const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } };
    return responsesBody(text('1'), text('2'), text('3')) + deep + responsesBody(text('4'), end);
  },
};

const bodies: Readonly<Record<ProtocolId, (levels: number) => string>> = {
  chat: (levels) => `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"x":${nested(levels - 1)}}`,
  responses: (levels) => `{"id":"r","status":"completed","output":[${nested(levels - 2)}]}`,
  messages: (levels) => `{"type":"message","content":[],"stop_reason":"end_turn","x":${nested(levels - 1)}}`,
};

describe.each(protocolIds)('JSON nested deep on the %s wire', (wire) => {
  const bytesOf = (levels: number): Uint8Array => new TextEncoder().encode(streams[wire](levels));

  it.each([MAX_JSON_DEPTH + 1, 5_000, 200_000])('%i levels in an event are one protocol error', (levels) => {
    const whole = decodeChunks(wire, [bytesOf(levels)]);
    expect([textOf(whole), whole.error]).toEqual([
      '123',
      { ...tooDeep, retry: { class: 'never', replay_safe: false } },
    ]);
    for (const size of [1000, 4096, 65_536]) expect(decodeChunks(wire, cut(bytesOf(levels), size))).toEqual(whole);
    expect(decodeChunks(wire, [bytesOf(levels)], { templates: false })).toEqual(whole);
  });

  it('takes as many levels as are allowed, whole and cut, and can write them again', () => {
    const whole = decodeChunks(wire, [bytesOf(MAX_JSON_DEPTH)]);
    expect([textOf(whole), whole.error]).toEqual([wire === 'chat' ? '123a4' : '1234', undefined]);
    expect(decodeChunks(wire, cut(bytesOf(MAX_JSON_DEPTH), 1))).toEqual(whole);
    expect(JSON.parse(JSON.stringify(whole))).toEqual(whole);
  });

  it('takes levels that only stand in a text', () => {
    const deep = nested(2000) + '"\\"[\\';
    const events: Readonly<Record<ProtocolId, object>> = {
      chat: chunk({ content: deep }),
      responses: { type: 'response.output_text.delta', delta: deep },
      messages: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: deep } },
    };
    expect(textOf(decodeText(wire, chatBody(events[wire])))).toBe(deep);
  });

  it('a finished body is held to the same bound', () => {
    expect(decodeText(wire, bodies[wire](MAX_JSON_DEPTH)).error).toBeUndefined();
    expect(decodeText(wire, bodies[wire](MAX_JSON_DEPTH + 1))).toEqual({ events: [], error: tooDeep, skipped: 0 });
    expect(decodeText(wire, bodies[wire](200_000)).error).toEqual(tooDeep);
  });
});

it.each([MAX_JSON_DEPTH + 1, 200_000])('%i levels in a WebSocket frame are the same error', (levels) => {
  const decoder = createResponsesFrameDecoder();
  expect(decoder.pushText(`{"type":"response.output_item.done","item":${nested(levels - 1)}}`)).toEqual([]);
  expect([decoder.phase, decoder.failure?.toJSON()]).toEqual(['ended', tooDeep]);
});

it('arguments nested deeper than any tool reads are no whole arguments', () => {
  const call = (levels: number): Outcome => {
    const args = nested(levels);
    const item = { type: 'function_call', call_id: 'c', name: 'f', arguments: '' };
    return decodeText(
      'responses',
      responsesBody(
        { type: 'response.output_item.added', item },
        { type: 'response.function_call_arguments.delta', call_id: 'c', delta: args },
        { type: 'response.completed', response: { id: 'r' } },
      ),
    );
  };
  expect(call(MAX_JSON_DEPTH).events.at(-2)).toMatchObject({ type: 'output_item.done', item: { name: 'f' } });
  expect(call(MAX_JSON_DEPTH + 1).events.at(-1)).toMatchObject({
    type: 'completed',
    dropped_tool_calls: [{ call_id: 'c', reason: 'incomplete' }],
  });
});

function textOf({ events }: Outcome): string {
  return events.map((event) => (event.type === 'output_text.delta' ? event.delta : '')).join('');
}
