import { chmodSync, closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import {
  defaultLimits,
  itemIdsOf,
  itemOf,
  type ResponseStore,
  type StoredResponse,
  type StoreLimits,
} from './store.ts';

/** Another process may be writing: it is waited for, but not by the whole bridge, as SQLite's own timeout would. */
const BUSY_EVERY_MS = 20;
const BUSY_TRIES = 100;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS responses (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, bytes INTEGER NOT NULL, used_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS responses_used_at ON responses (used_at);
  CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, response_id TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX IF NOT EXISTS items_response_id ON items (response_id);
`;

/**
 * Keeps responses in a file that survives a restart; several bridges on one machine may share it.
 *
 * @param path - the file; it is made when it is not there, and only its owner may read it
 */
export async function createSqliteStore(path: string, options: StoreLimits = {}): Promise<ResponseStore> {
  // Loaded on demand: a bridge without it should not pay for it.
  const { DatabaseSync: Database } = await import('node:sqlite');
  keepPrivate(path);
  const database = new Database(path, { timeout: 5000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  database.exec(SCHEMA);
  database.exec('PRAGMA busy_timeout = 0;');
  return createStore(database, { ...defaultLimits, ...options });
}

/** Conversations are in it: SQLite would make the file, and those beside it, as readable as the umask lets it. */
function keepPrivate(path: string): void {
  if (path === ':memory:') return;
  attempt(() => closeSync(openSync(path, 'a', 0o600)));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) attempt(() => chmodSync(file, 0o600));
}

/** A file that is not there or another user's: SQLite says what is wrong with it. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // told by SQLite
  }
}

function createStore(database: DatabaseSync, limits: Required<StoreLimits>): ResponseStore {
  const select = database.prepare('SELECT body FROM responses WHERE id = ? AND expires_at > ?');
  const touch = database.prepare('UPDATE responses SET used_at = ? WHERE id = ?');
  const owner = database.prepare('SELECT response_id AS id FROM items WHERE id = ?');
  const remove = database.prepare('DELETE FROM responses WHERE id = ?');
  const noteUse = (id: string): void => {
    try {
      touch.run(limits.now(), id);
    } catch {
      // What can be read is read, though the file is locked or the disk is full: the order of use is a little older then.
    }
  };
  const get = (id: string): StoredResponse | undefined => {
    const row = select.get(id, limits.now());
    if (row === undefined) return undefined;
    noteUse(id);
    return JSON.parse(String(row.body)) as StoredResponse;
  };
  const put = createPut(database, limits);
  return {
    put: (record) => settle(() => put(record)),
    get: (id) => settle(() => get(id)),
    delete: (id) => settle(() => Number(remove.run(id).changes) > 0),
    item: (id) =>
      settle(() => {
        const row = owner.get(id);
        return row === undefined ? undefined : itemOf(get(String(row.id)), id);
      }),
    close: () => settle(() => database.close()),
  };
}

function createPut(database: DatabaseSync, limits: Required<StoreLimits>): (record: StoredResponse) => boolean {
  const insert = database.prepare('INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?)');
  const insertItem = database.prepare('INSERT OR REPLACE INTO items VALUES (?, ?)');
  const expire = database.prepare('DELETE FROM responses WHERE expires_at <= ?');
  const totals = database.prepare('SELECT COUNT(*) AS count, COALESCE(SUM(bytes), 0) AS bytes FROM responses');
  const dropOldest = database.prepare(
    'DELETE FROM responses WHERE id = (SELECT id FROM responses ORDER BY used_at, rowid LIMIT 1)',
  );
  const shrink = (): void => {
    for (;;) {
      const row = totals.get();
      const fits = Number(row?.count) <= limits.maxEntries && Number(row?.bytes) <= limits.maxBytes;
      if (fits || Number(dropOldest.run().changes) === 0) return;
    }
  };
  return (record) => {
    const body = JSON.stringify(record);
    const bytes = Buffer.byteLength(body);
    if (bytes > limits.maxRecordBytes || bytes > limits.maxBytes) return false;
    const now = limits.now();
    database.exec('BEGIN IMMEDIATE');
    try {
      expire.run(now);
      insert.run(record.id, body, bytes, now, now + limits.ttlMs);
      for (const itemId of itemIdsOf(record)) insertItem.run(itemId, record.id);
      shrink();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK'); // a full disk has rolled it back already
      throw error;
    }
    return true;
  };
}

/** This backend answers at once, unless its file is locked. */
async function settle<T>(work: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || tries === BUSY_TRIES) throw error;
    }
    await wait(systemClock, BUSY_EVERY_MS);
  }
}

/** `SQLITE_BUSY`, the low byte of each of its kinds. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}
