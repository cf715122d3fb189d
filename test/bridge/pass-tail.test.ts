import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PassTail } from '../../packages/bridge/src/exchange/pass-tail.ts';

const KEPT = 64 * 1024;

it('is the end of what was passed on, however it was cut', () => {
  const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(40_000), fc.nat(200_000)), { maxLength: 30 });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const tail = new PassTail();
      const all: Buffer[] = [];
      let next = 0;
      for (const length of lengths) {
        const chunk = Buffer.alloc(length);
        for (let at = 0; at < length; at++) chunk[at] = next++ % 251;
        all.push(chunk);
        tail.push(chunk);
      }
      const passed = Buffer.concat(all);
      expect(Buffer.compare(tail.bytes, passed.subarray(Math.max(0, passed.byteLength - KEPT)))).toBe(0);
      expect(tail.isWhole).toBe(passed.byteLength <= KEPT);
    }),
    { numRuns: 50 },
  );
});
