import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { createResponsesEncoder, type ResponsesEncoder } from '../../packages/wire/src/responses/encode.ts';
import type { WireEvent } from '../../packages/wire/src/encode-event.ts';

/** Names of the object in every part of it, of the encoder's own, and others. */
const names = [
  ...['background', 'completed_at', 'error', 'frequency_penalty', 'incomplete_details', 'instructions', 'truncation'],
  ...['tools', 'text', 'reasoning', 'metadata', 'store', 'id', 'object', 'created_at', 'status', 'model', 'output'],
  ...['usage', 'end_turn', '7', 'own', '__proto__', 'toJSON', 'quoted "name"'],
];
const value = fc.oneof(
  fc.constantFrom(undefined, null, true, 0, '', 'text "quoted"\n\u2028'),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant([{ type: 'function', name: 'f' }]),
);
const given: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 })
  .map((members) => Object.fromEntries(members) as JsonObject);

const item = { type: 'message', id: 'msg_1', role: 'assistant', content: [] } as const;
const usage = {
  input_tokens: 1,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 3,
};
const completed = { type: 'completed', response_id: 'r', ended_by: 'sentinel' } as const;
const begin: readonly ModelEvent[] = [
  { type: 'created', response_id: 'r' },
  { type: 'output_item.added', item },
  { type: 'output_text.delta', item_id: 'msg_1', delta: 'Hello' },
];

const ends: Readonly<Record<string, (encoder: ResponsesEncoder) => WireEvent[]>> = {
  completed: (encoder) => encoder.push(completed),
  'completed, with all': (encoder) => encoder.push({ ...completed, usage, end_turn: false }),
  failed: (encoder) => encoder.fail(new ModelError({ kind: 'server_error', message: 'broken' })),
  incomplete: (encoder) => encoder.fail(new ModelError({ kind: 'incomplete', message: 'cut', usage })),
  cancelled: (encoder) => encoder.fail(new ModelError({ kind: 'aborted', message: 'cancelled' })),
};

/** The response in an event, as it was written. */
function responseIn({ data }: WireEvent): string {
  return data.slice(data.indexOf('"response":') + '"response":'.length, data.lastIndexOf(',"sequence_number":'));
}

describe('the response object of the Responses wire', () => {
  it.each(Object.entries(ends))('is written as JSON.stringify would write it: %s', (_, end) => {
    const property = fc.property(given, fc.boolean(), (response, isBare) => {
      const encoder = createResponsesEncoder({ response: isBare ? undefined : response, model: 'm', createdAt: 7 });
      const [created, inProgress] = encoder.push(begin[0] as ModelEvent);
      const started = JSON.stringify(encoder.response);
      expect([created, inProgress].map((event) => responseIn(event as WireEvent))).toEqual([started, started]);
      for (const event of begin.slice(1)) encoder.push(event);
      const last = end(encoder).at(-1) as WireEvent;
      expect(responseIn(last)).toBe(JSON.stringify(encoder.response));
    });
    fc.assert(property, { numRuns: 300 });
  });
});
