/** Decodes an answer byte by byte and writes it on the other wire: no I/O, so it runs wherever JavaScript does. */
import { createDecoder, encodeResponsesSse, validateOrder } from '@turnwire/wire';

const decoder = createDecoder('chat', { usageAsked: true });
const bytes = new TextEncoder().encode(
  'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hé"},"finish_reason":null}]}\n\n' +
    'data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
);
const events = [];
for (const byte of bytes) events.push(...decoder.push(Uint8Array.of(byte)));
events.push(...decoder.end({ type: 'grace' }));
const sse = encodeResponsesSse(events, { model: 'tiny' });
const payloads = sse.split('\n').filter((line) => line.startsWith('data: '));
const violations = validateOrder(payloads.map((line) => JSON.parse(line.slice(6))));
console.log(events.at(-1).type, events.find(({ type }) => type === 'output_text.delta').delta, violations.length);
