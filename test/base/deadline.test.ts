import { describe, expect, test } from 'vitest';
import { Deadline } from '../../packages/wire/src/base/deadline.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

function watched(ms: number) {
  const clock = manualClock();
  const state = { expired: 0 };
  const deadline = new Deadline(clock, ms, () => {
    state.expired++;
  });
  return { clock, state, deadline };
}

describe('Deadline', () => {
  test('expires once, when the time is over', () => {
    const { clock, state, deadline } = watched(100);
    deadline.start();
    clock.advance(99);
    expect(state.expired).toBe(0);
    clock.advance(1);
    expect(state.expired).toBe(1);
    clock.advance(1000);
    expect([state.expired, clock.pending]).toEqual([1, 0]);
  });

  test('touch makes the whole time count again, without a timer per touch', () => {
    const { clock, state, deadline } = watched(100);
    deadline.start();
    for (let n = 0; n < 50; n++) {
      clock.advance(30);
      deadline.touch();
      expect(clock.pending).toBe(1);
    }
    expect(state.expired).toBe(0);
    expect(clock.asked.length).toBeLessThan(25);
    clock.advance(99);
    expect(state.expired).toBe(0);
    clock.advance(1);
    expect(state.expired).toBe(1);
  });

  test('excuse gives the time back', () => {
    const { clock, state, deadline } = watched(100);
    deadline.start();
    clock.advance(80);
    deadline.excuse(50);
    clock.advance(69);
    expect(state.expired).toBe(0);
    clock.advance(1);
    expect(state.expired).toBe(1);
  });

  test('stop ends it, and touch does not bring it back; start does', () => {
    const { clock, state, deadline } = watched(100);
    deadline.start();
    deadline.stop();
    deadline.touch();
    clock.advance(500);
    expect([state.expired, clock.pending]).toEqual([0, 0]);
    deadline.start();
    clock.advance(100);
    expect(state.expired).toBe(1);
  });

  test('start over counts from then, with one timer', () => {
    const { clock, state, deadline } = watched(100);
    deadline.start();
    clock.advance(90);
    deadline.start();
    expect(clock.pending).toBe(1);
    clock.advance(99);
    expect(state.expired).toBe(0);
    clock.advance(1);
    expect(state.expired).toBe(1);
  });

  test.each([0, -1, Infinity, NaN])('%d is a deadline that never comes, and asks for no timer', (ms) => {
    const { clock, state, deadline } = watched(ms);
    deadline.start();
    deadline.touch();
    clock.advance(1_000_000);
    expect([state.expired, clock.asked]).toEqual([0, []]);
  });
});
