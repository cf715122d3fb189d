import type { Clock } from '../base/clock.ts';

/** Node reads a longer delay as 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** The real clock of the agent's own waits (tools). Its timers do not keep the process alive. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_MS)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
