import { describe, expect, it } from 'vitest';
import { whyText, type ExchangeRow } from '../../packages/bridge/src/inspect/api.ts';

const START = 1_700_000_000_000;
const NOW = START + 20_000;

function why(row: Partial<ExchangeRow>, now = NOW): string {
  const all: ExchangeRow = {
    id: 'req_1',
    startedAt: START,
    route: 'chat_sse',
    upstream: 'a:8080',
    attempts: 1,
    state: 'waiting',
    deltas: 0,
    bytes: 0,
    repairs: {},
    ...row,
  };
  return whyText(all, now);
}

const asked = { askedAt: START + 500 };
const head = { ...asked, headAt: START + 1000, status: 200 };
const begun = { ...head, state: 'streaming', firstEventAt: START + 2000 } as const;

describe('why an exchange waits', () => {
  it.each<[expected: string, row: Partial<ExchangeRow>]>([
    ['the request is read, for 20 s', { state: 'reading', attempts: 0 }],
    ['a server is looked for', { attempts: 0 }],
    ['no answer from a:8080 for 20 s', asked],
    ['a:8080 took the request (200), no byte from it for 19 s', head],
    ['a:8080 took the request (200), no byte from it for 5 s', { ...head, lastByteAt: NOW - 5000 }],
    ['a:8080 sends bytes, but no event for 19 s', { ...head, lastByteAt: NOW - 400 }],
    ['events come from a:8080', { ...begun, lastByteAt: NOW - 100, lastEventAt: NOW - 100 }],
    ['no byte from a:8080 for 12 s', { ...begun, lastByteAt: NOW - 12_000, lastEventAt: NOW - 12_000 }],
    ['a:8080 sends bytes, but no event for 9 s', { ...begun, lastByteAt: NOW - 100, lastEventAt: NOW - 9000 }],
  ])('%s', (expected, row) => {
    expect(why(row)).toBe(expected);
  });

  it('names what a finished answer still waits for', () => {
    const finished = { ...begun, state: 'finishing', finishedAt: NOW - 3000, lastByteAt: NOW - 3000 } as const;
    expect(why({ ...finished, awaits: 'usage' })).toBe('answer finished 3 s ago, waiting for usage from a:8080');
    expect(why({ ...finished, awaits: 'end' })).toBe('answer finished 3 s ago, but a:8080 keeps the body open');
  });

  it('names the failure behind another attempt, and when that is', () => {
    const error = { kind: 'rate_limited', message: 'slow down' };
    const limited = { state: 'retrying', status: 429, error, retryAt: NOW + 4000 } as const;
    expect(why(limited)).toBe('429 from a:8080, retry in 4 s');
    expect(why(limited, NOW + 4000)).toBe('429 from a:8080, it is asked again now');
    const dead = { state: 'retrying', error: { kind: 'connection_failed', message: 'refused' } } as const;
    expect(why({ ...dead, retryAt: NOW + 150 })).toBe('connection_failed from a:8080, retry in 0.2 s');
    expect(why(dead)).toBe('connection_failed from a:8080, another server is asked');
  });
});

describe('how an exchange ended', () => {
  const error = { kind: 'stream_truncated', message: 'the body ended before the answer did' };
  it.each<[expected: string, row: Partial<ExchangeRow>]>([
    ['completed in 30 ms', { state: 'completed', endedAt: START + 30.2 }],
    ['completed in 3.2 s', { state: 'completed', endedAt: START + 3200 }],
    [
      'completed in 9.2 s, after 429 from b:1 and a wait of 9 s',
      {
        state: 'completed',
        endedAt: START + 9200,
        setback: { failures: 1, waitedMs: 9010, upstream: 'b:1', failure: '429' },
      },
    ],
    [
      'completed in 3 s, after connection_failed from b:1',
      {
        state: 'completed',
        endedAt: START + 3000,
        setback: { failures: 1, waitedMs: 2, upstream: 'b:1', failure: 'connection_failed' },
      },
    ],
    [
      'completed in 9 s, after 3 failures (the last: 503 from b:1) and waits of 7 s',
      {
        state: 'completed',
        endedAt: START + 9000,
        setback: { failures: 3, waitedMs: 7000, upstream: 'b:1', failure: '503' },
      },
    ],
    ['completed in 2 min 5 s', { state: 'completed', endedAt: START + 125_000 }],
    ['completed in 1 h 1 min', { state: 'completed', endedAt: START + 3_660_000 }],
    [
      'failed after 5 s: a:8080: the body ended before the answer did',
      { state: 'failed', endedAt: START + 5000, error },
    ],
    [
      'failed after 5 s: 429 from a:8080: slow down',
      { state: 'failed', status: 429, endedAt: START + 5000, error: { kind: 'rate_limited', message: 'slow down' } },
    ],
    [
      'failed after 5 s: POST a:8080 failed',
      { state: 'failed', endedAt: START + 5000, error: { kind: 'connection_failed', message: 'POST a:8080 failed' } },
    ],
    [
      'refused with 413: the body is too long',
      {
        state: 'refused',
        status: 413,
        error: { kind: 'invalid_request_error', message: 'the body is too long' },
        attempts: 0,
      },
    ],
    [
      'the client left after 30 s: no byte from a:8080 for 28 s',
      { ...begun, state: 'aborted', lastByteAt: START + 2000, lastEventAt: START + 2000, endedAt: START + 30_000 },
    ],
    ['the client left after 1 s', { state: 'aborted', attempts: 0, endedAt: START + 1000 }],
  ])('%s', (expected, row) => {
    expect(why(row)).toBe(expected);
  });
});
