import { describe, expect, test } from 'vitest';
import { ModelError, type ErrorKind } from '../../packages/wire/src/model/errors.ts';
import { backoffMs, decideRetry, retryPolicies, withBudgets } from '../../packages/wire/src/model/retry-policy.ts';

const middle = () => 0.5;

function errorOf(kind: ErrorKind, afterMs?: number): ModelError {
  return new ModelError({ kind, message: 'x', afterMs });
}

describe('default', () => {
  test('request level: 4 retries, 200 ms doubling', () => {
    const plans = [0, 1, 2, 3, 4].map((used) =>
      decideRetry(retryPolicies.default, 'request', errorOf('server_error'), used, middle),
    );
    expect(plans).toEqual([
      { attempt: 1, max: 4, delayMs: 200 },
      { attempt: 2, max: 4, delayMs: 400 },
      { attempt: 3, max: 4, delayMs: 800 },
      { attempt: 4, max: 4, delayMs: 1600 },
      undefined,
    ]);
  });

  test('stream level: 5 retries', () => {
    const error = errorOf('stream_truncated');
    expect(decideRetry(retryPolicies.default, 'stream', error, 4, middle)).toEqual({
      attempt: 5,
      max: 5,
      delayMs: 3200,
    });
    expect(decideRetry(retryPolicies.default, 'stream', error, 5, middle)).toBeUndefined();
  });

  test('jitter is 10 % to both sides', () => {
    const level = retryPolicies.default.request;
    expect(backoffMs(level, 1, () => 0)).toBe(180);
    expect(backoffMs(level, 1, () => 0.999_999)).toBe(220);
    expect(backoffMs(level, 3, () => 0)).toBe(720);
  });

  test.each([
    ['invalid_request', false],
    ['context_window_exceeded', false],
    ['quota_exceeded', false],
    ['usage_not_included', false],
    ['policy', false],
    ['content_filter', false],
    ['unauthorized', false],
    ['rate_limited', true],
    ['server_overloaded', true],
    ['server_error', true],
    ['connection_failed', true],
    ['timeout', true],
    ['stream_idle', true],
    ['stream_truncated', true],
    ['incomplete', false],
    ['protocol', false],
    ['aborted', false],
  ] as const)('%s: retried %s', (kind, retried) => {
    for (const level of ['request', 'stream'] as const) {
      expect(decideRetry(retryPolicies.default, level, errorOf(kind), 0, middle) !== undefined).toBe(retried);
    }
  });

  test("the server's delay is taken as it is, up to a minute", () => {
    const plan = (ms: number) => decideRetry(retryPolicies.default, 'request', errorOf('rate_limited', ms), 0, middle);
    expect(plan(0)?.delayMs).toBe(0);
    expect(plan(11_054)?.delayMs).toBe(11_054);
    expect(plan(60_000)?.delayMs).toBe(60_000);
    expect(plan(60_001)).toBeUndefined();
  });

  test('a delay of an overloaded server counts too', () => {
    const error = errorOf('server_overloaded', 3000);
    expect(decideRetry(retryPolicies.default, 'request', error, 0, middle)?.delayMs).toBe(3000);
  });
});

test('codex: a full server and a 429 are final before the stream, incomplete is retried within it', () => {
  const { codex } = retryPolicies;
  expect(decideRetry(codex, 'request', errorOf('server_overloaded'), 0, middle)).toBeUndefined();
  expect(decideRetry(codex, 'stream', errorOf('server_overloaded'), 0, middle)).toBeUndefined();
  expect(decideRetry(codex, 'request', errorOf('rate_limited', 5), 0, middle)).toBeUndefined();
  expect(decideRetry(codex, 'stream', errorOf('rate_limited', 5), 0, middle)?.delayMs).toBe(5);
  expect(decideRetry(codex, 'stream', errorOf('incomplete'), 0, middle)?.delayMs).toBe(200);
});

test('budgets can be changed one by one', () => {
  const policy = withBudgets(retryPolicies.default, { request: 0 });
  expect(policy.request.maxRetries).toBe(0);
  expect(policy.stream.maxRetries).toBe(5);
  expect(decideRetry(policy, 'request', errorOf('timeout'), 0, middle)).toBeUndefined();
});

test('bridge: waits for no delay over 10 s, and not once more for what was silent', () => {
  const { bridge } = retryPolicies;
  expect(decideRetry(bridge, 'request', errorOf('rate_limited', 10_000), 0, middle)?.delayMs).toBe(10_000);
  expect(decideRetry(bridge, 'request', errorOf('rate_limited', 10_001), 0, middle)).toBeUndefined();
  expect(decideRetry(bridge, 'request', errorOf('stream_idle'), 0, middle)).toBeUndefined();
  expect(decideRetry(bridge, 'request', errorOf('server_error'), 0, middle)?.delayMs).toBe(200);
});
