import { describe, expect, it } from 'vitest';
import type { Entry } from '../../packages/bridge/src/inspect/entries.ts';
import { RecordLog, RecordMemory } from '../../packages/bridge/src/inspect/record-log.ts';
import { ExchangeRing } from '../../packages/bridge/src/inspect/ring.ts';
import type { ExchangeObserver, ExchangeStart, ExchangeSummary } from '../../packages/bridge/src/observe/observer.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** 1,000 bytes of memory, the cost of an entry included. */
function chunk(t: number): Entry {
  return { t, kind: 'chunk', bytes: Buffer.alloc(900, String(t)) };
}

/** The times of what is there, and how many are not between them. */
function shown(log: RecordLog): (number | string)[] {
  const all: (number | string)[] = [];
  for (let number = 0; number < log.end;) {
    const entry = log.at(number);
    all.push(typeof entry === 'number' ? `${entry} gone` : entry.t);
    number += typeof entry === 'number' ? entry : 1;
  }
  return all;
}

describe('the records of an exchange', () => {
  it('keep their beginning and their end', () => {
    const log = new RecordLog(new RecordMemory({ each: 6000, all: 100_000 }));
    for (let t = 0; t < 6; t++) log.add(chunk(t));
    expect(shown(log)).toEqual([0, 1, 2, 3, 4, 5]);
    for (let t = 6; t < 5000; t++) log.add(chunk(t));
    expect(shown(log)).toEqual([0, 1, 2, '4994 gone', 4997, 4998, 4999]);
    expect(log.at(1000)).toBe(3997);
  });

  it('make room for those of others: the oldest that are over go first', () => {
    const memory = new RecordMemory({ each: 100_000, all: 5000 });
    const [old, open, fresh] = [new RecordLog(memory), new RecordLog(memory), new RecordLog(memory)];
    for (let t = 0; t < 2; t++) for (const log of [old, open]) log.add(chunk(t));
    old.ended = true;
    for (let t = 0; t < 2; t++) fresh.add(chunk(t));
    expect([old, open, fresh].map(shown)).toEqual([['2 gone'], [0, 1], [0, 1]]);
  });
});

const start: ExchangeStart = { id: 'req_1', route: 'chat', method: 'POST', url: '/v1/chat/completions', headers: {} };
const summary: ExchangeSummary = {
  route: 'chat_sse',
  outcome: 'completed',
  end: { how: 'completed' },
  upstream: 'a:1',
  status: 200,
  attempts: 1,
  firstMs: 1,
  ms: 2,
  batches: 1,
  bytes: 0,
  usage: undefined,
  repairs: new Map(),
  answer: undefined,
};

function ringOf(keep: number): { ring: ExchangeRing; begin: (id: string, asks?: boolean) => ExchangeObserver } {
  const ring = new ExchangeRing({ clock: manualClock(), unixMs: () => 1000, keep, records: { each: 9000, all: 9000 } });
  const begin = (id: string, asks = true): ExchangeObserver => {
    const one = ring.observe({ ...start, id });
    if (one === undefined) throw new Error('it is not watched');
    if (asks) one.onAttempt?.({ number: 1, upstream: 'a:1', conceal: (text) => text });
    return one;
  };
  return { ring, begin };
}

describe('the ring of exchanges', () => {
  it('keeps all that run, and the last of those that are over', () => {
    const { ring, begin } = ringOf(2);
    const all = ['a', 'b', 'c', 'd', 'e'].map((id) => begin(id));
    expect([...ring.ids()]).toEqual(['a', 'b', 'c', 'd', 'e']);
    for (const at of [3, 0, 2]) all[at]?.onEnd?.(summary);
    expect([...ring.ids()]).toEqual(['a', 'b', 'c', 'e']);
    expect(ring.row('d')).toBeUndefined();
  });

  it('does not lose answers to a flood of refused requests', () => {
    const { ring, begin } = ringOf(4);
    begin('answer').onEnd?.(summary);
    const refusal = { status: 401, code: null, message: 'no' };
    for (let n = 0; n < 100; n++) begin(`no_${n}`, false).onEnd?.({ ...summary, end: { how: 'refused', refusal } });
    expect([...ring.ids()]).toEqual(['answer', 'no_99']);
  });

  it('holds nothing of what asks about the bridge itself', () => {
    const { ring } = ringOf(4);
    for (let n = 0; n < 100; n++) ring.observe({ ...start, id: `get_${n}`, method: 'GET' })?.onCaller?.('ann');
    expect([...ring.ids()]).toEqual([]);
  });
});
