import { loadOptionalPeer } from '@turnwire/client/internal/platform/optional-peer';
import type { RedisClientType } from 'redis';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import {
  defaultLimits,
  itemIdsOf,
  itemOf,
  type ResponseStore,
  type StoredResponse,
  type StoreLimits,
} from './store.ts';

const PREFIX = 'turnwire:';
/** Ids by their last use; with the sizes and their sum it bounds what is kept. */
const USED = `${PREFIX}used`;
const SIZES = `${PREFIX}sizes`;
const BYTES = `${PREFIX}bytes`;
/** A server that takes the connection and says nothing is given up after this time. */
const CONNECT_MS = 5000;
/** Calls under way have this long to end. */
const CLOSE_MS = 1000;
/** What one `put` may drop, so that it ends. */
const MAX_DROPS = 1000;

/**
 * Keeps responses on a Redis server, where several bridges share them.
 *
 * @param url - `redis://` or `rediss://`
 * @param onError - called with connection errors between calls; a call made while the server is away rejects
 */
export async function createRedisStore(
  url: string,
  options: StoreLimits = {},
  onError: (error: Error) => void = () => undefined,
): Promise<ResponseStore> {
  const { createClient } = await loadOptionalPeer(() => import('redis'), 'a redis:// store', 'redis');
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 5000) },
  }) as RedisClientType;
  client.on('error', onError);
  await connectOnce(client);
  return createStore(client, { ...defaultLimits, ...options });
}

/** The first connection fails at once; a lost one is made again in the background. */
async function connectOnce(client: RedisClientType): Promise<void> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  client.once('error', reject);
  const timeout = (): void => reject(new Error('the redis server does not answer'));
  const timer = systemClock.after(CONNECT_MS, timeout, { keepAlive: true });
  try {
    await Promise.race([client.connect(), failed]);
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    timer.cancel();
  }
}

function createStore(client: RedisClientType, limits: Required<StoreLimits>): ResponseStore {
  const get = async (id: string): Promise<StoredResponse | undefined> => {
    const text = await client.get(responseKey(id));
    if (text === null) return undefined;
    // What can be read is read, though the server may be full or take no writes: the order of use is a little older then.
    await client.zAdd(USED, { score: limits.now(), value: id }).catch(() => undefined);
    return JSON.parse(text) as StoredResponse;
  };
  return {
    get,
    put: (record) => put(client, limits, record),
    delete: (id) => remove(client, id),
    item: async (id) => {
      const owner = await client.get(itemKey(id));
      return owner === null ? undefined : itemOf(await get(owner), id);
    },
    close: async () => {
      const timer = systemClock.after(CLOSE_MS, () => client.destroy(), { keepAlive: true }); // it may not answer any more
      if (client.isOpen) await client.close().catch(() => undefined);
      timer.cancel();
    },
  };
}

async function put(client: RedisClientType, limits: Required<StoreLimits>, record: StoredResponse): Promise<boolean> {
  const text = JSON.stringify(record);
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.maxRecordBytes || bytes > limits.maxBytes) return false;
  await forget(client, record.id);
  const expiration = { type: 'PX', value: limits.ttlMs } as const;
  const batch = client.multi();
  batch.set(responseKey(record.id), text, { expiration });
  for (const itemId of itemIdsOf(record)) batch.set(itemKey(itemId), record.id, { expiration });
  batch.zAdd(USED, { score: limits.now(), value: record.id });
  batch.hSet(SIZES, record.id, String(bytes));
  batch.incrBy(BYTES, bytes);
  await batch.exec();
  await shrink(client, limits);
  return true;
}

async function shrink(client: RedisClientType, limits: Required<StoreLimits>): Promise<void> {
  const stale = limits.now() - limits.ttlMs;
  for (const id of await client.zRangeByScore(USED, '-inf', stale, { LIMIT: { offset: 0, count: 100 } })) {
    await remove(client, id);
  }
  for (let drops = 0; drops < MAX_DROPS; drops++) {
    const [count, bytes] = await Promise.all([client.zCard(USED), client.get(BYTES)]);
    if (count <= limits.maxEntries && Number(bytes ?? 0) <= limits.maxBytes) return;
    const [oldest] = await client.zRange(USED, 0, 0);
    if (oldest === undefined) return;
    await remove(client, oldest);
  }
}

async function remove(client: RedisClientType, id: string): Promise<boolean> {
  const text = await client.getDel(responseKey(id));
  await forget(client, id);
  if (text === null) return false;
  const keys = itemIdsOf(JSON.parse(text) as StoredResponse).map(itemKey);
  if (keys.length > 0) await client.del(keys);
  return true;
}

/** Takes a response out of the books; whoever deletes its size first also takes it off the sum. */
async function forget(client: RedisClientType, id: string): Promise<void> {
  const size = await client.hGet(SIZES, id);
  const removed = await client.hDel(SIZES, id);
  await client.zRem(USED, id);
  if (size !== null && removed > 0) await client.decrBy(BYTES, Number(size));
}

function responseKey(id: string): string {
  return `${PREFIX}response:${id}`;
}

function itemKey(id: string): string {
  return `${PREFIX}item:${id}`;
}
