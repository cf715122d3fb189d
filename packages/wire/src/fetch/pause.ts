import type { Clock } from '../base/clock.ts';

/** Waits so long, or until the signal is aborted. A process stays for it. */
export function pause(clock: Clock, ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise<void>((resolve) => {
    const go = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', go);
      resolve();
    };
    const timer = clock.after(ms, go, { keepAlive: true });
    signal?.addEventListener('abort', go, { once: true });
    if (signal?.aborted === true) go();
  });
}
