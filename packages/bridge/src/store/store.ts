import { unixMs } from '@turnwire/client/internal/platform/wall-time';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';

/** One answered request, as later requests may refer to it. */
export interface StoredResponse {
  readonly id: string;
  /** The response object as the client got it, `output` included. */
  readonly response: JsonObject;
  /** What this request added to the conversation; each item with an id. */
  readonly input: readonly Item[];
  /** The response that this one continues. */
  readonly previousId?: string;
  /** The caller who made it, where callers have names. */
  readonly owner?: string;
}

/**
 * Keeps responses, bounded in time, number and bytes: past a bound the one that was not used for longest goes.
 * Whatever fails below rejects with the backend's error.
 */
export interface ResponseStore {
  /** Keeps a response; one that is over the size of a record is not kept, and answers false. */
  put(record: StoredResponse): Promise<boolean>;
  get(id: string): Promise<StoredResponse | undefined>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
  /** An input or output item, by the id under which it is kept. */
  item(id: string): Promise<Item | undefined>;
  close(): Promise<void>;
}

/** Bounds of a store of responses. */
export interface StoreLimits {
  /** Number of responses that are kept. Default 10,000. */
  readonly maxEntries?: number;
  /** Bytes of all of them together, as JSON. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Bytes of one of them; a larger one is not kept. Default 64 MiB. */
  readonly maxRecordBytes?: number;
  /** How long one is kept, in milliseconds. Default 30 days. */
  readonly ttlMs?: number;
  /** The time of day in milliseconds since 1970. Default: that of the system. */
  readonly now?: () => number;
}

export const defaultLimits: Required<StoreLimits> = {
  maxEntries: 10_000,
  maxBytes: 256 * 1024 * 1024,
  maxRecordBytes: 64 * 1024 * 1024,
  ttlMs: 30 * 24 * 3600 * 1000,
  now: unixMs,
};

/** Longest conversation that is put together again, in responses. */
const MAX_CHAIN = 10_000;

/**
 * The whole conversation up to and including a response: input and output items, oldest first. Undefined when
 * any part of it is gone: a conversation with a hole must not be sent.
 */
export async function conversationOf(store: ResponseStore, id: string): Promise<Item[] | undefined> {
  const turns: (readonly Item[])[] = [];
  const seen = new Set<string>(); // a chain that bites its tail has no beginning
  let next: string | undefined = id;
  while (next !== undefined) {
    const known: boolean = seen.has(next) || seen.size >= MAX_CHAIN;
    const record: StoredResponse | undefined = known ? undefined : await store.get(next);
    if (record === undefined) return undefined;
    seen.add(next);
    const output = outputOf(record);
    turns.push(continued(record.input, output));
    next = output.some(isCompaction) ? undefined : record.previousId;
  }
  return turns.reverse().flat();
}

/** What goes on after an answer: a compaction takes the place of everything before it. */
export function continued(input: readonly Item[], output: readonly Item[]): readonly Item[] {
  const place = output.findLastIndex(isCompaction);
  return place < 0 ? [...input, ...output] : output.slice(place);
}

function isCompaction({ type }: Item): boolean {
  return type === 'compaction';
}

/** The items that a response gave. */
export function outputOf(record: StoredResponse): readonly Item[] {
  return Array.isArray(record.response.output) ? (record.response.output as Item[]) : [];
}

/** Between the name of a caller and the id of an item: neither has it. */
const MARK = '\0';

/** The id under which a caller's item is kept, so that nobody else finds it; undefined for what is no item's id. */
export function ownItemId(owner: string | undefined, id: string): string | undefined {
  if (id.includes(MARK)) return undefined;
  return owner === undefined ? id : `${owner}${MARK}${id}`;
}

/** The ids under which all items of a record are kept. */
export function itemIdsOf(record: StoredResponse): string[] {
  return itemsOf(record).flatMap((item) => keptIdOf(record, item) ?? []);
}

/** One item of a record, by the id under which it is kept. */
export function itemOf(record: StoredResponse | undefined, id: string): Item | undefined {
  if (record === undefined) return undefined;
  return itemsOf(record).find((item) => keptIdOf(record, item) === id);
}

function itemsOf(record: StoredResponse): readonly Item[] {
  return [...record.input, ...outputOf(record)];
}

function keptIdOf({ owner }: StoredResponse, item: Item): string | undefined {
  const { id } = item as JsonObject;
  return typeof id === 'string' ? ownItemId(owner, id) : undefined;
}
