import type { Item } from '@turnwire/wire/internal/model/items';
import {
  defaultLimits,
  itemIdsOf,
  itemOf,
  type ResponseStore,
  type StoredResponse,
  type StoreLimits,
} from './store.ts';

interface Entry {
  /** JSON: it tells its own size, and nobody can change it from outside. */
  readonly text: string;
  readonly bytes: number;
  readonly expiresAt: number;
  readonly itemIds: readonly string[];
}

/** Keeps responses in this process. The Map's order is the order of use, the oldest first. */
export function createMemoryStore(options: StoreLimits = {}): ResponseStore {
  const limits = { ...defaultLimits, ...options };
  const entries = new Map<string, Entry>();
  const owners = new Map<string, string>();
  let bytes = 0;

  const remove = (id: string): boolean => {
    const entry = entries.get(id);
    if (entry === undefined) return false;
    entries.delete(id);
    bytes -= entry.bytes;
    for (const itemId of entry.itemIds) if (owners.get(itemId) === id) owners.delete(itemId);
    return true;
  };
  const find = (id: string): Entry | undefined => {
    const entry = entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.expiresAt <= limits.now()) {
      remove(id);
      return undefined;
    }
    entries.delete(id);
    entries.set(id, entry);
    return entry;
  };
  const shrink = (): void => {
    for (const id of entries.keys()) {
      if (entries.size <= limits.maxEntries && bytes <= limits.maxBytes) return;
      remove(id);
    }
  };
  const get = (id: string): StoredResponse | undefined => {
    const entry = find(id);
    return entry === undefined ? undefined : (JSON.parse(entry.text) as StoredResponse);
  };
  /** The record that an item was last taken from: references come in a row, and it is not parsed anew for each. */
  let latest: { readonly entry: Entry; readonly record: WeakRef<StoredResponse> } | undefined;
  const item = (id: string): Item | undefined => {
    const owner = owners.get(id);
    const entry = owner === undefined ? undefined : find(owner);
    if (entry === undefined) return undefined;
    const known = latest?.entry === entry ? latest.record.deref() : undefined;
    const record = known ?? (JSON.parse(entry.text) as StoredResponse);
    if (known === undefined) latest = { entry, record: new WeakRef(record) };
    return structuredClone(itemOf(record, id));
  };
  const put = (record: StoredResponse): boolean => {
    const text = JSON.stringify(record);
    const size = Buffer.byteLength(text);
    if (size > limits.maxRecordBytes || size > limits.maxBytes) return false;
    remove(record.id);
    const itemIds = itemIdsOf(record);
    entries.set(record.id, { text, bytes: size, expiresAt: limits.now() + limits.ttlMs, itemIds });
    for (const itemId of itemIds) owners.set(itemId, record.id);
    bytes += size;
    shrink();
    return true;
  };
  return {
    put: (record) => Promise.resolve(put(record)),
    get: (id) => Promise.resolve(get(id)),
    delete: (id) => Promise.resolve(remove(id)),
    item: (id) => Promise.resolve(item(id)),
    close: () => {
      entries.clear();
      owners.clear();
      return Promise.resolve();
    },
  };
}
