import { performance } from 'node:perf_hooks';
import type { Clock } from '../base/clock.ts';

/** Node reads a longer delay as 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** The real clock. Its timers do not keep the process alive, unless they are asked to. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback, options) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_MS));
    if (options?.keepAlive !== true) timer.unref();
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
};
