import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Agent, ThreadStore } from '../../packages/agent/src/index.ts';
import { eventsOf, shortHistory, temporaryFolder } from './helpers.ts';
import { answer, ScriptedModel } from './scripted-model.ts';

async function someThread(): Promise<{ folder: string; locks: string; store: ThreadStore; id: string }> {
  const folder = await temporaryFolder();
  const store = new ThreadStore(folder);
  const thread = store.create('/x');
  await eventsOf(new Agent({ model: new ScriptedModel(answer('one')), thread }).run('first'));
  await thread.release();
  return { folder, locks: join(folder, 'locks'), store, id: thread.id };
}

/** Another process that has the thread open. */
async function holder(folder: string, id: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'thread-holder.ts'), folder, id], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('a thread that another process has open is not gone on with; the error says who and what to do', async () => {
  const { folder, locks, store, id } = await someThread();
  const child = await holder(folder, id);
  const thread = await store.resume(id);
  await expect(thread.claim()).rejects.toMatchObject({ name: 'ThreadError', problem: 'in_use' });
  await expect(thread.claim()).rejects.toThrow(`(process ${child.pid}): end that one first, or start a new thread`);
  // Without asking first: the turn fails before anything is sent, and nothing is written.
  const model = new ScriptedModel(answer('no'));
  const events = await eventsOf(new Agent({ model, thread }).run('second'));
  expect(events.at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'invalid_request' } });
  expect(model.requests).toHaveLength(0);
  child.stdin?.end();
  await once(child, 'exit');
  expect(await readdir(locks)).toEqual([]);
  await thread.claim();
  await eventsOf(new Agent({ model, thread }).run('second'));
  expect(shortHistory((await store.resume(id)).items).slice(-2)).toEqual(['user: second', 'assistant: no']);
});

test('a process that was killed holds nothing', async () => {
  const { folder, locks, store, id } = await someThread();
  const child = await holder(folder, id);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readdir(locks)).toHaveLength(1);
  const thread = await store.resume(id);
  await thread.claim();
  expect(await readdir(locks)).toEqual([expect.stringContaining(`${id}.${process.pid}.`)]);
  await thread.release();
  expect(await readdir(locks)).toEqual([]);
});

test.runIf(existsSync('/proc/self/stat'))('nor does one whose number another process has got', async () => {
  const { folder, locks, store, id } = await someThread();
  const child = await holder(folder, id);
  const [name = ''] = await readdir(locks);
  await rename(join(locks, name), join(locks, name.replace(/^([^.]+\.\d+)\.\d+/, '$1.1')));
  const thread = await store.resume(id);
  await thread.claim();
  await thread.release();
  child.stdin?.end();
  await once(child, 'exit');
});

test('of a process on another machine nothing is known: the error names the file to delete', async () => {
  const { locks, store, id } = await someThread();
  const path = join(locks, `${id}.1.2.elsewhere%2Eexample`);
  await writeFile(path, '');
  const thread = await store.resume(id);
  await expect(thread.claim()).rejects.toThrow(`(process 1 on elsewhere.example)`);
  await expect(thread.claim()).rejects.toThrow(`delete ${path}`);
  expect(hostname()).not.toBe('elsewhere.example');
});

test('what went on since it was read is not gone on with from the old state', async () => {
  const { folder, store, id } = await someThread();
  const [one, other] = [await store.resume(id), await store.resume(id)];
  await eventsOf(new Agent({ model: new ScriptedModel(answer('a')), thread: one }).run('x'));
  const before = await readFile(join(folder, `${id}.jsonl`), 'utf8');
  await expect(other.claim()).rejects.toThrow('went on elsewhere in the meantime: resume it again');
  expect(await readFile(join(folder, `${id}.jsonl`), 'utf8')).toBe(before);
  await (await store.resume(id)).claim();
});

test('a thread of a newer version is told as such', async () => {
  const { folder, store, id } = await someThread();
  const path = join(folder, `${id}.jsonl`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"version":1', '"version":2'));
  await expect(store.resume(id)).rejects.toThrow('another version of turnwire (format 2, this one reads 1)');
});
