import { describe, expect, it } from 'vitest';
import { aborted, nextTurn, pause, unlessAborted, wait } from '../../packages/client/src/platform/wait.ts';
import { timestamp, unixMs, unixSeconds } from '../../packages/client/src/platform/wall-time.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** Settled before the next turn of the event loop? */
async function settlesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await Promise.resolve();
  await Promise.resolve();
  return settled;
}

describe.each([
  { name: 'wait', waits: wait },
  { name: 'pause', waits: pause },
])('$name', ({ waits }) => {
  it('ends when the time has come', async () => {
    const clock = manualClock();
    const ends = waits(clock, 50, new AbortController().signal);
    clock.advance(49);
    expect(await settlesAtOnce(ends)).toBe(false);
    clock.advance(1);
    await ends;
    expect(clock.pending).toBe(0);
  });

  it('ends early, without an error and without a timer left, when the signal fires', async () => {
    const clock = manualClock();
    const stop = new AbortController();
    const ends = waits(clock, 50, stop.signal);
    stop.abort();
    await ends;
    expect(clock.pending).toBe(0);
    await waits(clock, 50, stop.signal);
    expect(clock.asked).toEqual([50]);
  });
});

it('a wait of nothing is over at once, a pause of nothing lets the event loop turn', async () => {
  const { signal } = new AbortController();
  expect(await settlesAtOnce(wait(manualClock(), 0, signal))).toBe(true);
  const paused = pause(manualClock(), 0, signal);
  expect(await settlesAtOnce(paused)).toBe(false);
  await paused;
});

it('only a wait keeps the process alive', () => {
  const kept: unknown[] = [];
  const clock = {
    now: () => 0,
    after: (_ms: number, _callback: () => void, options?: { readonly keepAlive?: boolean }) => {
      kept.push(options?.keepAlive ?? false);
      return { cancel: () => undefined };
    },
  };
  void wait(clock, 1);
  void pause(clock, 1, new AbortController().signal);
  expect(kept).toEqual([true, false]);
});

it('a promise that comes too late gives nothing, and its rejection is ignored', async () => {
  const stop = new AbortController();
  const late = Promise.withResolvers<string>();
  const given = unlessAborted(late.promise, stop.signal);
  stop.abort();
  expect(await given).toBeUndefined();
  late.reject(new Error('too late'));
  await nextTurn();
  expect(await unlessAborted(Promise.resolve('in time'), new AbortController().signal)).toBe('in time');
  await aborted(stop.signal);
});

it('the time of day is that of the system, in three forms', () => {
  const before = Date.now();
  const [ms, seconds, text] = [unixMs(), unixSeconds(), timestamp()];
  const after = Date.now();
  expect(ms).toBeGreaterThanOrEqual(before);
  expect(ms).toBeLessThanOrEqual(after);
  expect(seconds).toBeGreaterThanOrEqual(Math.floor(before / 1000));
  expect(seconds).toBeLessThanOrEqual(Math.floor(after / 1000));
  expect(text).toBe(new Date(Date.parse(text)).toISOString());
  expect(Date.parse(text)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(text)).toBeLessThanOrEqual(after);
});
