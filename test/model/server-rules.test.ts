import { expect, test } from 'vitest';
import { errorFromWire } from '../../packages/wire/src/model/classify.ts';
import { ModelError, type ErrorKind } from '../../packages/wire/src/model/errors.ts';
import { moreTelling, serverRuleOf } from '../../packages/wire/src/model/server-rules.ts';

const ofStatus = (status: number, code?: string): ModelError => errorFromWire({ code }, { status });
const ofKind = (kind: ErrorKind, afterMs?: number): ModelError => new ModelError({ kind, message: 'x', afterMs });

/** Whether another server is asked, whom it counts against, and the shortest rest in seconds. */
function ruleOf(error: ModelError): [boolean, string, number] {
  const { elsewhere, verdict, restMs } = serverRuleOf(error);
  return [elsewhere, verdict, restMs / 1000];
}

test.each([
  [400, false, 'none', 0],
  [401, true, 'bad', 60],
  [402, true, 'bad', 60],
  [403, true, 'bad', 60],
  [404, true, 'lacks_model', 60],
  [405, true, 'lacks_model', 60],
  [408, true, 'bad', 0],
  [413, false, 'none', 0],
  [422, false, 'none', 0],
  [429, true, 'bad', 0],
  [500, true, 'bad', 0],
  [503, true, 'bad', 0],
  [508, true, 'bad', 60],
  [529, true, 'bad', 0],
] as const)('status %i: elsewhere %s, %s, rest %i s', (status, ...rule) => {
  expect(ruleOf(ofStatus(status))).toEqual(rule);
});

test('a code says more than the status', () => {
  expect(ruleOf(ofStatus(404, 'previous_response_not_found'))).toEqual([true, 'none', 0]);
  expect(ruleOf(ofStatus(429, 'insufficient_quota'))).toEqual([true, 'bad', 60]);
  expect(ruleOf(ofStatus(500, 'context_length_exceeded'))).toEqual([false, 'none', 0]);
});

test.each(['connection_failed', 'timeout', 'stream_idle', 'stream_truncated', 'protocol'] as const)(
  '%s goes elsewhere and counts',
  (kind) => expect(ruleOf(ofKind(kind))).toEqual([true, 'bad', 0]),
);

test.each(['incomplete', 'content_filter'] as const)('%s is the work of a good server', (kind) => {
  expect(ruleOf(ofKind(kind))).toEqual([false, 'good', 0]);
});

test('the caller is told what helps most', () => {
  const dead = ofKind('connection_failed');
  const refused = ofKind('unauthorized');
  const busy = ofKind('rate_limited', 7000);
  const sooner = ofKind('rate_limited', 2000);
  expect(moreTelling(dead, refused)).toBe(refused);
  expect(moreTelling(busy, refused)).toBe(busy);
  expect(moreTelling(busy, sooner)).toBe(sooner);
  expect(moreTelling(ofKind('server_error'), busy)).toBe(busy);
});
