import type { Clock } from '../base/clock.ts';

/** Node, and every browser, reads a longer delay as 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * The one real clock of the process, on any runtime. Its timers do not keep a process alive unless `keepAlive` is set, where the
 * runtime knows of such a thing. A delay longer than timers can hold (2^31-1 ms, 24.8 days) is cut to that.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback, options) {
    const timer: unknown = setTimeout(callback, Math.min(ms, LONGEST_MS));
    if (options?.keepAlive !== true && isNodes(timer)) timer.unref();
    return {
      cancel: () => {
        clearTimeout(timer as number);
      },
    };
  },
};

/** A timer of Node's or of Bun's; elsewhere it is a number. */
function isNodes(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}
