import { expect, test } from 'vitest';
import { UsageGrace } from '../../packages/wire/src/read/usage-grace.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import type { DecoderPhase } from '../../packages/wire/src/decoder.ts';

/** A grace whose timers are run by hand; how often it was over. */
function graceOf(): { grace: UsageGrace; timers: { ms: number; run: () => void; cancelled: boolean }[]; over: number } {
  const timers: { ms: number; run: () => void; cancelled: boolean }[] = [];
  const clock: Clock = {
    now: () => 0,
    after: (ms, run) => {
      const timer = { ms, run, cancelled: false };
      timers.push(timer);
      return { cancel: () => void (timer.cancelled = true) };
    },
  };
  const state = { timers, over: 0, grace: new UsageGrace({ clock, ms: 2000, onOver: () => void (state.over += 1) }) };
  return state;
}

const phases = (grace: UsageGrace, ...all: DecoderPhase[]): void => {
  for (const phase of all) grace.watch({ phase });
};

test('the time runs once, from when only usage is missing', () => {
  const state = graceOf();
  phases(state.grace, 'streaming');
  expect(state.timers).toEqual([]);
  phases(state.grace, 'awaiting_usage', 'awaiting_usage');
  expect(state.timers).toMatchObject([{ ms: 2000, cancelled: false }]);
  expect([state.grace.isOver, state.over]).toEqual([false, 0]);
  state.timers[0]?.run();
  phases(state.grace, 'awaiting_usage');
  expect([state.grace.isOver, state.over, state.timers.length]).toEqual([true, 1, 1]);
});

test('the end of the answer ends the wait', () => {
  const state = graceOf();
  state.grace.cancel();
  phases(state.grace, 'awaiting_usage');
  state.grace.cancel();
  expect(state.timers).toMatchObject([{ cancelled: true }]);
});
