import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { chatBodies, decoderOptions, messagesBodies, responsesBodies } from './generators.ts';
import { captures, cutAt, decodeChunks, type Outcome } from './helpers.ts';

const RUNS = { numRuns: 400 };
const offsets = fc.array(fc.nat(100_000), { maxLength: 30 });
const wires = [
  { wire: 'chat' as const, bodies: chatBodies },
  { wire: 'responses' as const, bodies: responsesBodies },
  { wire: 'messages' as const, bodies: messagesBodies },
];
const utf8 = new TextEncoder();

describe.each(wires)('any $wire stream', ({ wire, bodies }) => {
  test('gives the same events however its bytes are split', () => {
    fc.assert(
      fc.property(bodies, decoderOptions, offsets, (body, options, places) => {
        const bytes = utf8.encode(body);
        const whole = decodeChunks(wire, [bytes], options);
        expect(decodeChunks(wire, cutAt(bytes, places), options)).toEqual(whole);
        expect(
          decodeChunks(
            wire,
            [...bytes].map((byte) => Uint8Array.of(byte)),
            options,
          ),
        ).toEqual(whole);
      }),
      RUNS,
    );
  });

  test('gives the same events with LF, CRLF and CR', () => {
    fc.assert(
      fc.property(bodies, decoderOptions, offsets, (body, options, places) => {
        const whole = decodeChunks(wire, [utf8.encode(body)], options);
        for (const lineEnd of ['\r\n', '\r']) {
          const bytes = utf8.encode(body.replaceAll('\n', lineEnd));
          expect(decodeChunks(wire, [bytes], options)).toEqual(whole);
          expect(decodeChunks(wire, cutAt(bytes, places), options)).toEqual(whole);
        }
      }),
      RUNS,
    );
  });

  test('gives the same events with and without the fast path', () => {
    fc.assert(
      fc.property(bodies, decoderOptions, offsets, (body, options, places) => {
        const bytes = utf8.encode(body);
        const slow = decodeChunks(wire, [bytes], { ...options, templates: false });
        expect(decodeChunks(wire, [bytes], options)).toEqual(slow);
        expect(decodeChunks(wire, cutAt(bytes, places), options)).toEqual(slow);
      }),
      { numRuns: 1500 },
    );
  });

  test('ends exactly once, and every item once', () => {
    fc.assert(
      fc.property(bodies, decoderOptions, (body, options) => {
        checkEnding(decodeChunks(wire, [utf8.encode(body)], options));
      }),
      RUNS,
    );
  });

  test('survives any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bodies, fc.nat(2000), (noise, body, at) => {
        const bytes = utf8.encode(body);
        const place = at % (bytes.length + 1);
        checkEnding(decodeChunks(wire, [bytes.subarray(0, place), noise, bytes.subarray(place)]));
      }),
      RUNS,
    );
  });
});

test('a captured stream that is cut anywhere, or has a byte changed, still ends once and invents nothing', () => {
  const all = captures();
  fc.assert(
    fc.property(fc.nat(all.length - 1), fc.nat(40_000), fc.nat(255), fc.boolean(), (n, at, byte, truncate) => {
      const { wire, bytes, options } = all[n]!;
      const place = at % bytes.length;
      const damaged = truncate ? bytes.subarray(0, place) : bytes.with(place, byte);
      const outcome = decodeChunks(wire, [damaged], options);
      checkEnding(outcome);
      expect(outcome).toEqual(
        decodeChunks(wire, cutAt(damaged, [at, at * 7, at * 13]), { ...options, templates: false }),
      );
    }),
    RUNS,
  );
});

/** Either `completed`, last and once, or an error; text items that were added are done, and nothing is done twice. */
function checkEnding({ events, error }: Outcome): void {
  const completed = events.filter(({ type }) => type === 'completed').length;
  expect(completed + (error === undefined ? 0 : 1)).toBe(1);
  if (error === undefined) expect(events.at(-1)?.type).toBe('completed');
  const added = idsOf(events, 'output_item.added');
  const done = idsOf(events, 'output_item.done');
  expect(new Set(done).size).toBe(done.length);
  expect(new Set(added).size).toBe(added.length);
  const texts = added.filter((name) => /^(?:message msg|reasoning rs)_/.test(name));
  for (const id of texts) expect(done).toContain(id);
}

/** Type and id, for items of different types are two. Minted ids only: a server may say what it likes. */
function idsOf(events: readonly ModelEvent[], type: 'output_item.added' | 'output_item.done'): string[] {
  return events.flatMap((event) => {
    if (event.type !== type) return [];
    const { id } = event.item;
    return typeof id === 'string' && /^(?:msg|rs|fc|ctc)_/.test(id) ? [`${String(event.item.type)} ${id}`] : [];
  });
}
