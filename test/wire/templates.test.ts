import { expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { templateRules as chatRules } from '../../packages/wire/src/chat/template-rules.ts';
import { templateRules as responsesRules } from '../../packages/wire/src/responses/template-rules.ts';
import { windowOn } from '../../packages/wire/src/sse/bytes.ts';
import { EventTemplates } from '../../packages/wire/src/sse/templates.ts';
import { decodeText } from './helpers.ts';

const delta = (n: number | string, text = 'a'): string =>
  `{"type":"response.output_text.delta","sequence_number":${n},"item_id":"m","delta":"${text}","obfuscation":"xx"}`;
const frame = (data: string): string => `data: ${data}\n\n`;

/** Events that differ from a known one by so little that a careless comparison would take them. */
const nearMisses: Record<string, string> = {
  'a number with a leading zero': delta('07'),
  'a negative number': delta(-7),
  'a fraction': delta('7.5'),
  'an exponent': delta('7e1'),
  'a number too long to be exact': delta('12345678901234567890'),
  'an escape that JSON does not have': delta(8, String.raw`\x`),
  'half a unicode escape': delta(8, String.raw`\u12`),
  'a control character in the text': delta(8, '\t'),
  'a control character in the padding': delta(8).replace('xx', 'x\u0001x'),
  'a broken escape in the padding': delta(8).replace('xx', String.raw`\q`),
  'a second delta behind the first': delta(8).replace('"obf', '"delta":"b","obf'),
  'text behind the object': `${delta(8)} x`,
  'a missing brace': delta(8).slice(0, -1),
  'a number where text was': delta(8).replace('"a"', '1'),
  'another item': delta(8).replace('"m"', '"n"'),
};

test.each(Object.entries(nearMisses))('%s is read as JSON.parse reads it', (_name, odd) => {
  const body = [1, 2, 3, 4].map((n) => frame(delta(n))).join('') + frame(odd) + frame(delta(9, 'z'));
  expect(decodeText('responses', body)).toEqual(decodeText('responses', body, { templates: false }));
});

test('text with every kind of escape comes out of the fast path unescaped', () => {
  const texts = ['\\n', '\\"', '\\\\', '\\u00e9', '\\ud83d\\ude42', '\\/', 'a\\tb'];
  const { values, templates } = collect(responsesRules);
  templates.learn(frame(delta(1)), JSON.parse(delta(1)) as JsonObject);
  const body = texts.map((text) => frame(delta(2, text))).join('');
  expect(takes(templates, body)).toBe('all');
  expect(values.map((value) => value['delta'])).toEqual(['\n', '"', '\\', 'é', '🙂', '/', 'a\tb']);
});

test('what a template yields is what JSON.parse gives, every field that is read included', () => {
  const chunk = (text: string, created: number, index: number): string =>
    `{"id":"c","created":${created},"choices":[{"index":0,"delta":{"tool_calls":[{"index":${index},"function":{"arguments":"${text}"}}]}}]}`;
  const { values, templates } = collect(chatRules);
  for (const [created, index] of [
    [1, 0],
    [1, 1],
  ] as const) {
    templates.learn(frame(chunk('x', created, index)), JSON.parse(chunk('x', created, index)) as JsonObject);
  }
  const body = frame(chunk('a', 1, 0)) + frame(chunk('b', 1, 2));
  expect(takes(templates, body)).toBe('all');
  expect(values).toEqual([JSON.parse(chunk('a', 1, 0)), JSON.parse(chunk('b', 1, 2))]);
});

test('events whose items are kept are never learnt from', () => {
  const { templates } = collect(responsesRules);
  const done = '{"type":"response.output_item.done","delta":"x","item":{"id":"m"}}';
  templates.learn(frame(done), JSON.parse(done) as JsonObject);
  expect(takes(templates, frame(done))).toBe('nothing');
});

test('a stream that never repeats itself is soon no longer learnt from', () => {
  let asked = 0;
  const templates = new EventTemplates({ fields: [], accepts: () => ++asked > 0 }, 1000, {
    phase: 'streaming',
    onObject: () => undefined,
    routeOf: () => undefined,
  });
  for (let n = 0; n < 640; n++) templates.learn(frame(`{"a":${n}}`), {});
  expect(asked).toBeLessThan(80);
});

function takes(templates: EventTemplates, body: string): 'all' | 'nothing' | 'a part' {
  const bytes = new TextEncoder().encode(body);
  const end = templates.run(windowOn(bytes), 0);
  return end === 0 ? 'nothing' : end === bytes.length ? 'all' : 'a part';
}

function collect(rules: typeof chatRules): { values: JsonObject[]; templates: EventTemplates } {
  const values: JsonObject[] = [];
  const templates = new EventTemplates(rules, 10_000, {
    phase: 'streaming',
    onObject: (value) => values.push(structuredClone(value)),
    routeOf: () => undefined,
  });
  return { values, templates };
}

test('events behind the one that ended the stream are not taken, however well they are known', () => {
  const part = (index: number, finish: string | null): string =>
    frame(`{"choices":[{"index":${index},"delta":{"content":"a"},"finish_reason":${JSON.stringify(finish)}}]}`);
  const body = [null, 'stop', null].flatMap((finish) => [part(0, finish), part(1, finish)]).join('');
  expect(decodeText('chat', body).events.map(({ type }) => type)).toEqual(
    decodeText('chat', body, { templates: false }).events.map(({ type }) => type),
  );
  expect(decodeText('chat', body).events.at(-1)?.type).toBe('completed');
});
