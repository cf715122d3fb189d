import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { ResponseStore } from './store.ts';

/** How long a store may take for one answer. */
const ANSWER_MS = 5000;

/** The backend failed, or does not answer. Its own error is the cause. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/**
 * A store that always answers: what the backend leaves open for `ms` rejects, and from then on everything at once until
 * that one call has settled, so that nobody waits on a backend that hangs and nothing piles up before it. All failures are
 * `StoreError`.
 */
export function watched(store: ResponseStore, ms = ANSWER_MS): ResponseStore {
  let overdue = 0;
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    if (overdue > 0) throw new StoreError('the store does not answer');
    const { promise: late, reject } = Promise.withResolvers<never>();
    const answer = work();
    const giveUp = (): void => {
      overdue++;
      const settle = (): void => {
        overdue--;
      };
      answer.then(settle, settle);
      reject(new Error(`no answer within ${ms} ms`));
    };
    const timer = systemClock.after(ms, giveUp, { keepAlive: true });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw new StoreError(error instanceof Error ? error.message : 'unknown', { cause: error });
    } finally {
      timer.cancel();
    }
  };
  return {
    put: (record) => asked(() => store.put(record)),
    get: (id) => asked(() => store.get(id)),
    delete: (id) => asked(() => store.delete(id)),
    item: (id) => asked(() => store.item(id)),
    close: () => store.close(),
  };
}
