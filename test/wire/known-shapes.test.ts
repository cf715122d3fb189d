import { afterEach, expect, test, vi } from 'vitest';
import { createDecoder, KnownShapes, type DecoderOptions, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { templateRules as chatRules } from '../../packages/wire/src/chat/template-rules.ts';
import { windowOn, type Literal } from '../../packages/wire/src/sse/bytes.ts';
import { eventSpans } from '../../packages/wire/src/sse/event-spans.ts';
import { KnownEvents } from '../../packages/wire/src/sse/known-events.ts';
import { shapesOfServer } from '../../packages/wire/src/sse/known-shapes.ts';
import { Repairs } from '../../packages/wire/src/repairs.ts';
import { makeShape, type Shape } from '../../packages/wire/src/sse/shape.ts';
import { captures, chatBody, chunk, decodeChunks, decodeText, messagesBody, responsesBody } from './helpers.ts';

afterEach(() => vi.restoreAllMocks());

/** An answer of one server: what differs from one to the next is its number and its texts. */
type Write = (n: number, texts: readonly string[]) => string;

const chat: Write = (n, texts) => {
  const names = { id: `chatcmpl-${n}`, created: 1000 + n, model: `m${n}`, system_fingerprint: `fp_${n}` };
  const delta = (content: string): object => chunk({ content }, null, names);
  return chatBody(...texts.map(delta), chunk({}, 'stop', names), '[DONE]');
};

const responses: Write = (n, texts) => {
  const at = { item_id: `msg_${n}`, output_index: n, content_index: n };
  const item = { id: at.item_id, type: 'message', role: 'assistant', content: [] };
  return responsesBody(
    { type: 'response.created', response: { id: `resp_${n}` } },
    { type: 'response.output_item.added', output_index: n, item },
    ...texts.map((delta, k) => ({ type: 'response.output_text.delta', sequence_number: k, ...at, delta })),
    { type: 'response.completed', response: { id: `resp_${n}`, output: [] } },
  );
};

const messages: Write = (n, texts) =>
  messagesBody(
    { type: 'message_start', message: { id: `msg_${n}`, content: [] } },
    { type: 'content_block_start', index: n, content_block: { type: 'text', text: '' } },
    ...texts.map((text) => ({ type: 'content_block_delta', index: n, delta: { type: 'text_delta', text } })),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
  );

const wires: [ProtocolId, Write][] = [
  ['chat', chat],
  ['responses', responses],
  ['messages', messages],
];

const plainly: DecoderOptions = { templates: false };

test.each(wires)('an answer of %s is read as without what earlier ones taught', (wire, write) => {
  const shapes = new KnownShapes();
  for (let n = 0; n < 4; n++) {
    const body = write(n, ['a', `b"${n}`, 'é', '']);
    expect(decodeText(wire, body, { shapes })).toEqual(decodeText(wire, body, plainly));
  }
});

test.each(wires)('no delta of %s is parsed in the answer behind the first', (wire, write) => {
  const shapes = new KnownShapes();
  const parsed = (n: number): number => {
    const parse = vi.spyOn(JSON, 'parse');
    decodeText(wire, write(n, ['a', 'b', 'c', 'd']), { shapes });
    const deltas = parse.mock.calls.filter(([text]) =>
      /delta":(?:\{"(?:content|type":"text_delta)|"[abcd]")/.test(text),
    );
    parse.mockRestore();
    return deltas.length;
  };
  expect(parsed(0)).toBeGreaterThan(0);
  expect(parsed(1)).toBe(0);
});

test.each(wires)('from its third delta on, an answer of %s is compared as a whole', (wire, write) => {
  const shapes = new KnownShapes();
  decodeText(wire, write(1, ['a']), { shapes });
  const onUse = vi.spyOn(shapes, 'onUse');
  decodeText(wire, write(2, ['a', 'b', 'c', 'd', 'e', 'f']), { shapes });
  expect(onUse).toHaveBeenCalledTimes(2);
});

test.each(wires)('nothing that an answer of %s said is kept, neither its text nor its ids', (wire, write) => {
  const shapes = new KnownShapes();
  decodeText(wire, write(7777, ['secret', 'words']), { shapes });
  decodeText(wire, write(8888, ['hidden', 'tale']), { shapes });
  expect(shapes.all.length).toBeGreaterThan(0);
  const kept = shapes.all.map(({ head, fields, blank }) => [
    ...[head, ...fields.map(({ literal }) => literal)].map(toText),
    JSON.stringify(blank),
  ]);
  expect(JSON.stringify(kept)).not.toMatch(/7777|8888|secret|words|hidden|tale/);
});

/** The text of a literal. */
function toText({ words, rest }: Literal): string {
  return new TextDecoder().decode(new Uint8Array([...new Uint8Array(Int32Array.from(words).buffer), ...rest]));
}

test('events that say more than one text are not kept: what they say might be an answer’s own', () => {
  const shapes = new KnownShapes();
  const logprobs = { content: [{ token: 'secret' }] };
  const said = { choices: [{ index: 0, delta: { content: 'secret' }, logprobs }] };
  decodeText('chat', chatBody(said, said, chunk({}, 'stop')), { shapes });
  expect(shapes.all).toEqual([]);
});

test('long events are not kept, and of many shapes the newest', () => {
  const shapes = new KnownShapes();
  const of = (member: string, value = 'x'): string =>
    chatBody(chunk({ content: 'a' }, null, { [member]: value }), chunk({}, 'stop'));
  decodeText('chat', of('long', 'x'.repeat(1024)), { shapes });
  expect(shapes.all).toEqual([]);
  for (let n = 0; n < 10; n++) decodeText('chat', of(`m${n}`), { shapes });
  expect(shapes.all.map(({ blank }) => Object.keys(blank).at(-1))).toEqual(['m9', 'm8', 'm7', 'm6', 'm5', 'm4']);
});

test('a server whose events are of another shape in each answer is soon hardly learnt from', () => {
  const shapes = new KnownShapes();
  const add = vi.spyOn(shapes, 'add');
  const kept = new Set<unknown>();
  for (let n = 0; n < 160; n++) {
    decodeText('chat', chatBody(chunk({ content: 'a' }, null, { trace: `t${n}` }), chunk({}, 'stop')), { shapes });
    for (const shape of shapes.all) kept.add(shape);
  }
  expect(add).toHaveBeenCalledTimes(160);
  expect(kept.size).toBeLessThan(30);
});

test('the first event of an answer tells its id and its model, though its shape is known', () => {
  const shapes = new KnownShapes();
  decodeText('chat', chat(1, ['a', 'b']), { shapes });
  const decoder = createDecoder('chat', { shapes });
  const [first = ''] = chat(2, ['c', 'd']).split(/(?<=\n\n)/);
  expect(decoder.push(new TextEncoder().encode(first))[0]).toEqual({ type: 'created', response_id: 'chatcmpl-2' });
  expect(decoder.model).toBe('m2');
});

test('a skipped event is told in each answer', () => {
  const shapes = new KnownShapes();
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{' } };
  const body = messagesBody({ type: 'message_start', message: { id: 'msg', content: [] } }, delta);
  const told = [1, 2, 3].map(() => {
    const repairs = new Repairs();
    decodeText('messages', body, { shapes, repairs });
    return repairs.skipped;
  });
  expect(told).toEqual(Array.from({ length: 3 }, () => [JSON.stringify(delta)]));
});

test('what is no text of an answer stays what it is without', () => {
  const known = (): KnownShapes => {
    const shapes = new KnownShapes();
    decodeText('chat', chatBody({ content: 'x' }, chunk({ content: 'a' }), chunk({ content: 'b' }), '[DONE]'), {
      shapes,
    });
    return shapes;
  };
  const text = chatBody(chunk({ content: 'a' }));
  const odd = [
    `\ufeff${text}${text}`,
    `${text}\ufeff${text}${text}`,
    `{"error":{"message":"x"}}\n${text}`,
    `{"error":{"message":"x"}}\n\n${text}`,
    text.slice(0, -1),
    text.replace('"a"', '"\ufffd"'),
    `: a comment\n${text}`,
    `event: error\n${text}`,
    text.replaceAll('\n', '\r\n').repeat(3),
    text.repeat(3).replace('\n\n', '\r\r'),
    chatBody(chunk({ content: 'a' }, 'stop'), chunk({ content: 'a' }), chunk({ content: 'b' })),
  ];
  for (const body of odd)
    expect([body, decodeText('chat', body, { shapes: known() })]).toEqual([body, decodeText('chat', body, plainly)]);
});

test('of two members of one name the last counts, though both are equal where the shape is learnt', () => {
  const event = (first: string, last: string): string =>
    `data: {"choices":[{"index":${first},"delta":{"content":"a"},"index":${last}}]}\n\n`;
  for (const last of ['0', '0.0', '-0', '0e0']) {
    const shapes = new KnownShapes();
    decodeText('chat', event('0', last), { shapes });
    const body = event('0', last) + event('1', last);
    expect([last, decodeText('chat', body, { shapes })]).toEqual([last, decodeText('chat', body, plainly)]);
  }
});

test('an answer remembers the shapes that it met last, however many new ones come', () => {
  const shapes = Array.from({ length: 8 }, (_, n) =>
    shapeOf(chatBody(chunk({ content: 'a' }, null, { [`m${n}`]: 1 }))),
  );
  const learnFrom = vi.fn();
  const events = new KnownEvents({ all: shapes, onUse: () => undefined, add: () => undefined }, () => undefined);
  const read = (n: number): number => {
    const bytes = new TextEncoder().encode(chatBody(chunk({ content: 'b' }, null, { [`m${n}`]: 1 })));
    learnFrom.mockClear();
    expect(events.run(windowOn(bytes), 0, 1000, { varies: () => true, learnFrom })).toBe(bytes.length);
    return learnFrom.mock.calls.length;
  };
  expect([0, 0, 1, 2, 3, 4, 5, 6, 0, 6].map(read)).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
});

function shapeOf(frame: string): Shape {
  const value = JSON.parse(frame.slice('data: '.length)) as JsonObject;
  return makeShape(frame, value, eventSpans(frame, value, chatRules.fields) ?? []);
}

test('recorded streams are read the same behind all others of their wire', () => {
  const shapes = new Map<ProtocolId, KnownShapes>();
  for (const { wire, bytes, options } of [...captures(), ...captures()]) {
    if (!shapes.has(wire)) shapes.set(wire, new KnownShapes());
    const outcome = decodeChunks(wire, [bytes], { ...options, shapes: shapes.get(wire) });
    expect(outcome).toEqual(decodeChunks(wire, [bytes], { ...options, ...plainly }));
  }
});

test('each wire and model of a server has shapes of its own, and all are let go where callers name too many', () => {
  const shapesOf = shapesOfServer();
  const first = shapesOf('chat', 'a');
  expect(shapesOf('chat', 'a')).toBe(first);
  expect(shapesOf('messages', 'a')).not.toBe(first);
  expect(shapesOf('chat', 'b')).not.toBe(first);
  for (let n = 0; n < 16; n++) shapesOf('chat', `m${n}`);
  expect(shapesOf('chat', 'a')).not.toBe(first);
});
