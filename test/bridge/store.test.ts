import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  conversationOf,
  createRedisStore,
  openStore,
  StoreError,
  watched,
  type ResponseStore,
  type StoredResponse,
  type StoreLimits,
} from '../../packages/bridge/src/store/index.ts';
import { startRedis, whyNoRedis, type RedisServer } from './redis-server.ts';

function record(id: string, previousId?: string, text = id): StoredResponse {
  return {
    id,
    response: {
      id,
      output: [
        {
          type: 'message',
          id: `msg_${id}`,
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text, annotations: [] }],
        },
      ],
    },
    input: [{ type: 'message', id: `in_${id}`, role: 'user', content: text }],
    ...(previousId === undefined ? {} : { previousId }),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'turnwire-store-'));
const noRedis = whyNoRedis();
if (noRedis !== undefined) console.log(`the redis store is not tested: ${noRedis}`);
let redis: RedisServer | undefined;

beforeAll(async () => {
  if (noRedis === undefined) redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const backends = ['memory', 'sqlite', ...(noRedis === undefined ? ['redis'] : [])];
let opened = 0;

/** A place of its own for every test; the same place again by the same number. */
function placeOf(backend: string, number: number): string {
  if (backend === 'sqlite') return `sqlite:${join(folder, `${number}.db`)}`;
  return backend === 'redis' ? `${redis?.url ?? ''}/${number}` : 'memory';
}

async function open(backend: string, limits: StoreLimits = {}, number = opened++): Promise<ResponseStore> {
  return openStore(placeOf(backend, number), limits);
}

describe.each(backends)('store: %s', (backend) => {
  it('keeps, finds and deletes responses and their items', async () => {
    const store = await open(backend);
    expect(await store.put(record('a'))).toBe(true);
    expect(await store.get('a')).toEqual(record('a'));
    expect(await store.item('msg_a')).toMatchObject({ role: 'assistant' });
    expect(await store.item('in_a')).toMatchObject({ content: 'a' });
    expect(await store.delete('a')).toBe(true);
    expect([await store.delete('a'), await store.get('a'), await store.item('msg_a')]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    await store.close();
  });

  it('puts a conversation together, oldest first, and none with a hole', async () => {
    const store = await open(backend);
    for (const [id, previous] of [['a'], ['b', 'a'], ['c', 'b']]) await store.put(record(id!, previous));
    const ids = (await conversationOf(store, 'c'))?.map((item) => (item as { id?: string }).id);
    expect(ids).toEqual(['in_a', 'msg_a', 'in_b', 'msg_b', 'in_c', 'msg_c']);
    await store.delete('a');
    expect(await conversationOf(store, 'c')).toBeUndefined();
    await store.put(record('a', 'c'));
    expect(await conversationOf(store, 'c')).toBeUndefined();
    await store.close();
  });

  it('drops what was not used for longest, by number', async () => {
    let now = 1_000_000;
    const store = await open(backend, { maxEntries: 2, now: () => now++ });
    await store.put(record('a'));
    await store.put(record('b'));
    await store.get('a');
    await store.put(record('c'));
    expect([await store.get('b'), (await store.get('a'))?.id, (await store.get('c'))?.id]).toEqual([
      undefined,
      'a',
      'c',
    ]);
    await store.close();
  });

  it('is bounded in bytes, and refuses a record over its size', async () => {
    let now = 1_000_000;
    const store = await open(backend, { maxBytes: 10_000, maxRecordBytes: 5_000, now: () => now++ });
    for (const id of ['a', 'b', 'c']) await store.put(record(id, undefined, id.repeat(2000)));
    expect([await store.get('a'), (await store.get('c'))?.id]).toEqual([undefined, 'c']);
    expect(await store.put(record('d', undefined, 'd'.repeat(6000)))).toBe(false);
    await store.put(record('b', undefined, 'small'));
    await store.put(record('e', undefined, 'e'.repeat(2000)));
    expect((await store.get('c'))?.id).toBe('c');
    await store.close();
  });

  it('forgets after its time', async () => {
    let now = Date.now();
    const store = await open(backend, { ttlMs: backend === 'redis' ? 400 : 1000, now: () => now });
    const began = performance.now();
    await store.put(record('a'));
    // On a busy machine it may be gone by then.
    expect((await store.get('a')) !== undefined || (backend === 'redis' && performance.now() - began > 400)).toBe(true);
    now += 1001;
    // Redis has its own clock: it is asked until it says so.
    while (backend === 'redis' && (await store.get('a')) !== undefined);
    expect([await store.get('a'), await store.item('msg_a')]).toEqual([undefined, undefined]);
    await store.close();
  });

  // What lives in the memory of one process has nobody to share it with.
  if (backend === 'memory') return;
  it('is shared, and survives a restart', async () => {
    const number = opened++;
    const first = await open(backend, {}, number);
    const second = await open(backend, {}, number);
    await first.put(record('a'));
    expect((await second.get('a'))?.id).toBe('a');
    await first.close();
    await second.put(record('b', 'a'));
    await second.close();
    const third = await open(backend, {}, number);
    expect(await conversationOf(third, 'b')).toHaveLength(4);
    await third.close();
  });
});

/** Another process that holds the file's one lock for writers until it is ended. */
async function lockFile(path: string): Promise<ChildProcess> {
  const code = `
    const database = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)});
    database.exec('BEGIN IMMEDIATE');
    process.on('disconnect', () => process.exit(0));
    process.send('locked');`;
  const child = fork('-e', [code], { execArgv: [], execPath: process.execPath, stdio: 'inherit' });
  await once(child, 'message');
  return child;
}

describe('store: a file that another process locks', () => {
  it('is read meanwhile, and written afterwards; nobody else waits', async () => {
    const number = opened++;
    const store = await open('sqlite', {}, number);
    await store.put(record('a'));
    const other = await lockFile(placeOf('sqlite', number).slice('sqlite:'.length));
    let settled = false;
    const writing = store.put(record('b', 'a')).finally(() => (settled = true));
    expect(await conversationOf(store, 'a')).toHaveLength(2);
    expect(settled).toBe(false);
    other.kill('SIGKILL');
    expect(await writing).toBe(true);
    expect(await conversationOf(store, 'b')).toHaveLength(4);
    await store.close();
  });

  it('is given up in the end', async () => {
    const number = opened++;
    const store = await open('sqlite', {}, number);
    const other = await lockFile(placeOf('sqlite', number).slice('sqlite:'.length));
    await expect(store.put(record('a'))).rejects.toThrow(/locked/);
    other.kill('SIGKILL');
    await store.close();
  });
});

describe.runIf(noRedis === undefined)('store: a redis server that hangs', () => {
  it('is not waited for, by one call longer than by the others, and used again when it answers', async () => {
    const server = await startRedis();
    const patient = await createRedisStore(server.url);
    await patient.put(record('a'));
    const store = watched(patient, 100);
    server.freeze();
    await expect(store.get('a')).rejects.toThrow(new StoreError('no answer within 100 ms'));
    const refused = store.put(record('b')).catch((error: unknown) => error);
    expect(await Promise.race([refused, turn('it waits')])).toEqual(new StoreError('the store does not answer'));
    server.thaw();
    await expect.poll(() => store.get('a').then(({ id } = record('none')) => id, String)).toBe('a');
    server.freeze();
    await store.close();
    await server.stop();
  });
});

describe('store: opening', () => {
  it('keeps the files of SQLite to their owner, also those that were there', async () => {
    const path = join(folder, 'private.db');
    const modes = (): number[] => ['', '-wal', '-shm'].map((end) => statSync(path + end).mode & 0o777);
    const umask = process.umask(0o022);
    try {
      const first = await openStore(`sqlite:${path}`);
      await first.put(record('a'));
      expect(modes()).toEqual([0o600, 0o600, 0o600]);
      for (const end of ['', '-wal', '-shm']) chmodSync(path + end, 0o644);
      const second = await openStore(`sqlite:${path}`);
      expect(modes()).toEqual([0o600, 0o600, 0o600]);
      await Promise.all([first.close(), second.close()]);
    } finally {
      process.umask(umask);
    }
  });

  it('refuses what is no store, and a server that is not there, without showing the address', async () => {
    await expect(openStore('postgres://user:sesame@host')).rejects.toThrow(
      'a store is memory, sqlite:PATH or redis://',
    );
    await expect(openStore('redis://user:sesame@127.0.0.1:1')).rejects.toThrow(/^(?!.*sesame)/);
  });
});
