import { performance } from 'node:perf_hooks';
import type { Clock } from '@turnwire/wire/internal/base/clock';

/** Node reads a longer delay as 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * The one real clock of the process. Its timers do not keep the process alive unless `keepAlive` is set, and a delay
 * longer than Node's timers can hold (2^31-1 ms, 24.8 days) is cut to that.
 */
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
