import { describe, expect, it } from 'vitest';
import { LogCursor, RecordLog, RecordMemory } from '../../packages/bridge/src/inspect/record-log.ts';
import { ExchangeRing } from '../../packages/bridge/src/inspect/ring.ts';
import type { ExchangeObserver, ExchangeStart, ExchangeSummary } from '../../packages/bridge/src/observe/observer.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** With what stands before them, 32 to a block. */
const bytes = Buffer.alloc(1000, 'x');
const KIB = 1024;

/** The times of what is there, and how many are not between them. */
function shown(log: RecordLog): (number | string)[] {
  const all: (number | string)[] = [];
  const cursor = new LogCursor(log);
  for (let entry = cursor.next(); entry !== undefined; entry = cursor.next()) {
    all.push(typeof entry === 'number' ? `${entry} gone` : entry.t);
  }
  return all;
}

function counted(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

describe('the records of an exchange', () => {
  it('are read as they were written, and go on where a reader was', () => {
    const log = new RecordLog(new RecordMemory({ each: 9e6, all: 9e6 }));
    const cursor = new LogCursor(log);
    const text = 'data: "für 10 € \u{1F600}"\n\n';
    const usage = { t: 4, kind: 'repair', repair: 'retry' } as const;
    log.addBytes('chunk', 1.25, Buffer.from('one'));
    log.addText(2, text);
    expect([cursor.next(), cursor.next(), cursor.next()]).toEqual([
      { t: 1.25, kind: 'chunk', bytes: Buffer.from('one') },
      { t: 2, kind: 'sent', text },
      undefined,
    ]);
    log.addBytes('passed', 3, Buffer.alloc(200_000, 'y'));
    log.addObject(usage);
    expect(cursor.atEnd).toBe(false);
    expect([cursor.next(), cursor.next(), cursor.next()]).toEqual([
      { t: 3, kind: 'passed', bytes: Buffer.alloc(200_000, 'y') },
      usage,
      undefined,
    ]);
    expect(cursor.atEnd).toBe(true);
  });

  it('keep their beginning and their end', () => {
    const log = new RecordLog(new RecordMemory({ each: 128 * KIB, all: 9e6 }));
    for (let t = 0; t < 5000; t++) log.addBytes('chunk', t, bytes);
    const from = 5000 - (5000 % 32) - 32; // the end is at most two blocks, of which the last one is being filled
    expect(shown(log)).toEqual([...counted(0, 64), `${from - 64} gone`, ...counted(from, 5000)]);
  });

  it('are told of texts as they were sent, in whatever order with the rest', () => {
    const log = new RecordLog(new RecordMemory({ each: 9e6, all: 9e6 }));
    const texts = Array.from({ length: 3000 }, (_, n) => `${n} €\u{1F600}`.repeat(1 + (n % 7)));
    const cursor = new LogCursor(log);
    const read: string[] = [];
    texts.forEach((text, t) => {
      log.addText(t, text);
      if (t % 5 === 0) log.addBytes('chunk', t, Buffer.from(`chunk ${t}`));
      if (t % 1000 !== 999) return;
      for (let entry = cursor.next(); typeof entry === 'object'; entry = cursor.next()) {
        read.push(entry.kind === 'sent' ? entry.text : `${entry.kind} ${entry.t}`);
      }
    });
    expect(read).toEqual(texts.flatMap((text, t) => (t % 5 === 0 ? [text, `chunk ${t}`] : [text])));
  });

  it('that go while they are read are missed, and nothing else is read in their place', () => {
    const memory = new RecordMemory({ each: 128 * KIB, all: 9e6 });
    const log = new RecordLog(memory);
    const cursor = new LogCursor(log);
    for (let t = 0; t < 100; t++) log.addBytes('chunk', t, bytes);
    for (let t = 0; t < 70; t++) expect(cursor.next()).toMatchObject({ t });
    for (let t = 100; t < 5000; t++) log.addBytes('chunk', t, bytes);
    expect(cursor.next()).toBe(4960 - 70);
    expect(cursor.next()).toMatchObject({ t: 4960 });
    memory.forget(log);
    expect([cursor.next(), cursor.next()]).toEqual([39, undefined]);
  });

  it('do without what is larger than half of what may be kept', () => {
    const log = new RecordLog(new RecordMemory({ each: 100 * KIB, all: 9e6 }));
    const request = { route: 'chat_sse', wire: 'chat', size: 40 * KIB, body: () => undefined } as const;
    log.addObject({ t: 0, kind: 'request', request });
    log.addBytes('chunk', 1, bytes);
    expect(shown(log)).toEqual(['1 gone', 1]);
  });

  it('make room for those of others: the oldest that are over go first', () => {
    const memory = new RecordMemory({ each: 900 * KIB, all: 96 * KIB });
    const [old, open, fresh] = [new RecordLog(memory), new RecordLog(memory), new RecordLog(memory)];
    for (let t = 0; t < 4; t++) for (const log of [old, open, fresh]) log.addBytes('chunk', t, bytes); // a block each
    old.ended = true;
    expect([old, open, fresh].map(shown)).toEqual([counted(0, 4), counted(0, 4), counted(0, 4)]);
    new RecordLog(memory).addBytes('chunk', 0, bytes);
    expect([old, open, fresh].map(shown)).toEqual([['4 gone'], counted(0, 4), counted(0, 4)]);
  });

  it('of many that run take no more than two blocks each beside what may be kept', () => {
    const memory = new RecordMemory({ each: 900 * KIB, all: 300 * KIB });
    const logs = Array.from({ length: 4 }, () => new RecordLog(memory));
    for (let t = 0; t < 1000; t++) for (const log of logs) log.addBytes('chunk', t, bytes);
    const kept = logs.map((log) => shown(log).filter((one) => typeof one === 'number').length);
    expect(kept.reduce((sum, one) => sum + one)).toBeLessThan(300 + 4 * 2 * 32);
    expect(logs.map((log) => shown(log).at(-1))).toEqual([999, 999, 999, 999]);
  });

  it('take nothing more when they are kept no more', () => {
    const memory = new RecordMemory({ each: 64 * KIB, all: 64 * KIB });
    const log = new RecordLog(memory);
    log.addBytes('chunk', 0, bytes);
    memory.forget(log);
    for (let t = 1; t < 100; t++) log.addBytes('chunk', t, bytes);
    expect([shown(log), memory.isFull]).toEqual([['1 gone'], false]);
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
