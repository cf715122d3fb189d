import type { Clock, TimerOptions } from '@turnwire/wire/internal/base/clock';

/** Waits `ms` as part of the work: the process stays alive. Ends early, without an error, when the signal fires. */
export function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
  return timerOrAbort(clock, ms, signal, { keepAlive: true });
}

/** Waits `ms`, at least one turn of the event loop; the signal ends the wait early, without an error. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return ms <= 0 ? nextTurn() : timerOrAbort(clock, ms, signal, {});
}

function timerOrAbort(clock: Clock, ms: number, signal: AbortSignal | undefined, options: TimerOptions): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(ms, finish, options);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Ends in the next turn of the event loop, when what had arrived has been read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    onNextTurn(resolve);
  });
}

/** Calls back in the next turn of the event loop; this cannot be cancelled. */
export function onNextTurn(callback: () => void): void {
  setImmediate(callback);
}

/** Ends when the signal does. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** What `promise` gives, or nothing as soon as the signal fires; a rejection after that is ignored. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    promise.catch(() => undefined);
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
