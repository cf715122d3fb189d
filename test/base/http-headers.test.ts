import { expect, test } from 'vitest';
import {
  firstHeaderValue,
  headerIn,
  hopByHopTest,
  joinedHeaderValue,
} from '../../packages/wire/src/base/http-headers.ts';

test('a header that came more than once has a first value, and all of them in one line', () => {
  expect([undefined, 'a', ['a', 'b'], []].map(firstHeaderValue)).toEqual([undefined, 'a', 'a', undefined]);
  expect(['a', ['a', 'b'], []].map(joinedHeaderValue)).toEqual(['a', 'a, b', '']);
});

test('what belongs to one connection is known by name, in any case, or named by the message itself', () => {
  const isHopByHop = hopByHopTest('close, X-Trace ,keep-alive');
  const names = ['Connection', 'TE', 'Proxy-Authorization', 'Transfer-Encoding', 'Upgrade', 'x-trace', 'Close'];
  expect(names.filter((name) => !isHopByHop(name))).toEqual([]);
  expect(['authorization', 'content-type', 'x-request-id'].filter(isHopByHop)).toEqual([]);
  expect(hopByHopTest()('x-trace')).toBe(false);
});

test('a header is found by its lower-case name', () => {
  const headers = { vary: ['origin', 'accept'], location: '/next' };
  expect(['vary', 'location', 'etag'].map((name) => headerIn(headers, name))).toEqual([
    'origin, accept',
    '/next',
    undefined,
  ]);
});
