import { describe, expect, test } from 'vitest';
import { ModelError, retryClassOf, type ErrorKind } from '../../packages/wire/src/model/errors.ts';

describe('6 retry classes', () => {
  const table: Readonly<Record<ErrorKind, 'never' | 'backoff'>> = {
    invalid_request: 'never',
    context_window_exceeded: 'never',
    quota_exceeded: 'never',
    usage_not_included: 'never',
    policy: 'never',
    content_filter: 'never',
    unauthorized: 'never',
    rate_limited: 'backoff',
    server_overloaded: 'backoff',
    server_error: 'backoff',
    connection_failed: 'backoff',
    timeout: 'backoff',
    stream_idle: 'backoff',
    stream_truncated: 'backoff',
    incomplete: 'never',
    protocol: 'never',
    aborted: 'never',
  };

  test.each(Object.entries(table) as [ErrorKind, 'never' | 'backoff'][])('6 %s: %s', (kind, retry) => {
    expect(new ModelError({ kind, message: 'x' }).retry).toEqual({ class: retry, replaySafe: true });
  });

  test('6 the table has every kind, and no other', () => {
    expect(retryClassOf).toEqual(table);
  });

  test('6 rate_limited with a delay is class after, over 60 s all the same, and carries it', () => {
    for (const afterMs of [0, 28, 60_000, 3_600_000]) {
      expect(new ModelError({ kind: 'rate_limited', message: 'x', afterMs }).retry).toEqual({
        class: 'after',
        afterMs,
        replaySafe: true,
      });
    }
  });

  test('6 a delay makes nothing retryable that is not', () => {
    expect(new ModelError({ kind: 'quota_exceeded', message: 'x', afterMs: 5 }).retry).toEqual({
      class: 'never',
      replaySafe: true,
    });
  });
});

describe('6 in JSON', () => {
  test('6 only what is known is there', () => {
    expect(new ModelError({ kind: 'server_error', message: 'boom' }).toJSON()).toEqual({
      kind: 'server_error',
      message: 'boom',
      retry: { class: 'backoff', replay_safe: true },
    });
    expect(Object.keys(new ModelError({ kind: 'server_error', message: 'boom', status: undefined }).toJSON())).toEqual([
      'kind',
      'message',
      'retry',
    ]);
  });

  test('6 everything, spelled as on the wire, and nothing of the cause', () => {
    const error = new ModelError({
      kind: 'rate_limited',
      message: 'slow',
      status: 429,
      code: 'rate_limit_exceeded',
      requestId: 'req_1',
      afterMs: 1500,
      replaySafe: false,
      cause: new Error('secret'),
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      kind: 'rate_limited',
      message: 'slow',
      status: 429,
      code: 'rate_limit_exceeded',
      request_id: 'req_1',
      retry: { class: 'after', after_ms: 1500, replay_safe: false },
    });
  });
});

describe('ModelError', () => {
  test('is an Error with a name, a message and its cause', () => {
    const cause = new Error('reset');
    const error = new ModelError({ kind: 'connection_failed', message: 'no way', cause });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.message, error.cause]).toEqual(['ModelError', 'no way', cause]);
    expect('cause' in new ModelError({ kind: 'aborted', message: 'x' })).toBe(false);
  });

  test('with() changes what it is told and keeps the rest', () => {
    const cause = new Error('x');
    const error = new ModelError({
      kind: 'rate_limited',
      message: 'slow',
      status: 429,
      code: 'c',
      requestId: 'r',
      afterMs: 7,
      cause,
    });
    const later = error.with({ replaySafe: false });
    expect(later.toJSON()).toEqual({ ...error.toJSON(), retry: { class: 'after', after_ms: 7, replay_safe: false } });
    expect(later.cause).toBe(cause);
    expect(error.retry.replaySafe).toBe(true);
    expect(error.with({ requestId: 's' }).requestId).toBe('s');
    expect(later.with({}).retry.replaySafe).toBe(false);
  });
});
