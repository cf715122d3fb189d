import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { problemOf } from './check.ts';
import { kinds } from './kinds.ts';
import { fromKept, toKept } from './stream.ts';

const corpus = new URL('corpus/', import.meta.url);

test.each(readdirSync(corpus).filter((file) => file.endsWith('.json')))('%s is read as it should be', (file) => {
  expect(problemOf(fromKept(readFileSync(new URL(file, corpus), 'utf8')))).toBeUndefined();
});

test.each(Object.entries(kinds))('%s are read the same in every way, and are kept whole', (_, streams) => {
  fc.assert(
    fc.property(streams, (stream) => {
      expect(problemOf(stream)).toBeUndefined();
      expect(problemOf(fromKept(toKept(stream)))).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
