import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chatBodies, decoderOptions, messagesBodies, responsesBodies } from './generators.ts';
import { captures, cutAt, decodeChunks, wrongEnding } from './helpers.ts';

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
        expect(wrongEnding(decodeChunks(wire, [utf8.encode(body)], options))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('survives any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bodies, fc.nat(2000), (noise, body, at) => {
        const bytes = utf8.encode(body);
        const place = at % (bytes.length + 1);
        expect(wrongEnding(decodeChunks(wire, [bytes.subarray(0, place), noise, bytes.subarray(place)]))).toEqual([]);
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
      expect(wrongEnding(outcome)).toEqual([]);
      expect(outcome).toEqual(
        decodeChunks(wire, cutAt(damaged, [at, at * 7, at * 13]), { ...options, templates: false }),
      );
    }),
    RUNS,
  );
});
