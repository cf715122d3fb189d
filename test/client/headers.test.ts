import { describe, expect, test } from 'vitest';
import { retryAfterOf } from '../../packages/wire/src/read/retry-headers.ts';
import { headerEvents, turnStateOf } from '../../packages/wire/src/responses/headers.ts';

describe('header events', () => {
  test('none for no headers, and none for empty ones', () => {
    expect(headerEvents({})).toEqual([]);
    expect(headerEvents({ 'openai-model': '', 'x-models-etag': '' })).toEqual([]);
  });

  test('families: codex first, the others by name; a window that says nothing is none', () => {
    const events = headerEvents({
      'x-zeta-primary-used-percent': '1',
      'x-alpha-limit-secondary-used-percent': '50.5',
      'x-alpha-limit-limit-name': 'Alpha',
      'x-codex-primary-used-percent': '0',
      'x-codex-secondary-used-percent': '0',
      'x-codex-secondary-reset-at': '1800000000',
      'x-empty-primary-used-percent': '0',
      'x-bad-primary-used-percent': 'NaN',
    });
    expect(events).toEqual([
      {
        type: 'rate_limits',
        snapshot: { limit_id: 'codex', secondary: { used_percent: 0, reset_at: 1_800_000_000 } },
      },
      {
        type: 'rate_limits',
        snapshot: { limit_id: 'alpha_limit', limit_name: 'Alpha', secondary: { used_percent: 50.5 } },
      },
      { type: 'rate_limits', snapshot: { limit_id: 'zeta', primary: { used_percent: 1 } } },
    ]);
  });

  test('credits need both flags; a blank balance is none', () => {
    const credits = (headers: Record<string, string>) =>
      headerEvents(headers).map((event) => (event.type === 'rate_limits' ? event.snapshot.credits : undefined));
    expect(credits({ 'x-codex-credits-has-credits': 'true' })).toEqual([]);
    expect(
      credits({
        'x-codex-credits-has-credits': '1',
        'x-codex-credits-unlimited': 'false',
        'x-codex-credits-balance': ' ',
      }),
    ).toEqual([{ has_credits: true, unlimited: false }]);
    expect(
      credits({
        'x-codex-credits-has-credits': 'true',
        'x-codex-credits-unlimited': '0',
        'x-codex-credits-balance': '12.5',
      }),
    ).toEqual([{ has_credits: true, unlimited: false, balance: '12.5' }]);
  });
});

test('a turn state is visible ASCII or nothing', () => {
  expect(turnStateOf('abc-123 {}')).toBe('abc-123 {}');
  expect(turnStateOf('')).toBeUndefined();
  expect(turnStateOf('a\u00e9')).toBeUndefined();
  expect(turnStateOf('a\tb')).toBeUndefined();
  expect(turnStateOf(undefined)).toBeUndefined();
});

test.each([
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '11.054' }, 11_054],
  [{ 'retry-after-ms': '28' }, 28],
  [{ 'retry-after-ms': '28', 'retry-after': '3' }, 28],
  [{ 'retry-after-ms': 'soon', 'retry-after': '3' }, 3000],
  [{ 'retry-after': '-1' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': 'Wed, 01 Jan 2025 00:00:10 GMT' }, 10_000],
  [{ 'retry-after': 'Tue, 31 Dec 2024 23:00:00 GMT' }, 0],
  [{}, undefined],
])('retry-after: %j', (headers: Record<string, string>, ms) => {
  const wallNow = () => Date.parse('2025-01-01T00:00:00Z');
  expect(retryAfterOf((name) => headers[name], wallNow)).toBe(ms);
});
