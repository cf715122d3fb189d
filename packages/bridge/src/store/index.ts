import { createMemoryStore } from './memory.ts';
import { createRedisStore } from './redis.ts';
import { createSqliteStore } from './sqlite.ts';
import type { ResponseStore, StoreLimits } from './store.ts';
import { watched } from './watched.ts';

export { LIVE_BYTES, LiveResponses, type LiveElsewhere, type LiveResponse, type LiveState } from './live.ts';
export { createMemoryStore } from './memory.ts';
export { createRedisStore } from './redis.ts';
export { createSqliteStore } from './sqlite.ts';
export {
  continued,
  conversationOf,
  itemIdsOf,
  outputOf,
  type ResponseStore,
  type StoredResponse,
  type StoreLimits,
} from './store.ts';
export { ownedBy } from './owned.ts';
export { StoreError, watched } from './watched.ts';

/** True for a store that several processes can ask, each by itself. */
export function isOfServer(spec: string): boolean {
  return /^rediss?:\/\//.test(spec);
}

/**
 * Opens the store that a specification names: `memory`, `sqlite:PATH`, or a `redis://` address.
 *
 * @throws Error when it is none of these, or cannot be opened; without the address, which may hold a password
 */
export async function openStore(
  spec: string,
  limits: StoreLimits = {},
  onError?: (error: Error) => void,
): Promise<ResponseStore> {
  if (spec === 'memory') return createMemoryStore(limits);
  if (spec.startsWith('sqlite:') && spec.length > 'sqlite:'.length) {
    return watched(await createSqliteStore(spec.slice('sqlite:'.length), limits));
  }
  if (isOfServer(spec)) return watched(await createRedisStore(spec, limits, onError));
  throw new Error('a store is memory, sqlite:PATH or redis://HOST:PORT');
}
