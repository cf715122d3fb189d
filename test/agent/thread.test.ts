import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, open, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { Agent, ThreadStore, type AgentEvent } from '../../packages/agent/src/index.ts';
import { commandLines, eventsOf, of, shortHistory, temporaryFolder, testTool } from './helpers.ts';
import { needSandbox } from './sandbox-support.ts';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import { addUsage } from '@turnwire/wire/internal/model/usage';
import { answer, call, calls, completed, done, ScriptedModel, usage } from './scripted-model.ts';

async function someThread(): Promise<{ folder: string; store: ThreadStore; id: string; agent: Agent }> {
  const folder = join(await temporaryFolder(), 'threads');
  const store = new ThreadStore(folder);
  const thread = store.create('/projects/one');
  const tools = [testTool('add', (args) => `ran ${args.n ?? ''}`)];
  const model = new ScriptedModel(
    calls(call('add', { n: 1 }, 'a'), call('nope', {}, 'b')),
    answer('done', { usage }),
    answer('more'),
  );
  const agent = new Agent({ model, tools, thread });
  await eventsOf(agent.run('Do\n  it'));
  return { folder, store, id: thread.id, agent };
}

describe('a thread', () => {
  test('comes back as it was', async () => {
    const { store, id, agent } = await someThread();
    const again = await store.resume(id);
    expect(again.items).toEqual(agent.items);
    expect(again).toMatchObject({ id, cwd: '/projects/one', turns: 1, notes: [] });
    const model = new ScriptedModel(answer('two'));
    const resumed = new Agent({ model, thread: again });
    const events = await eventsOf(resumed.run('go on'));
    expect(of(events, 'turn.started')).toEqual([{ type: 'turn.started', thread_id: id, turn: 2 }]);
    expect(model.requests[0]!.input.slice(0, -1)).toEqual(agent.items);
    expect((await store.resume(id)).items).toEqual(resumed.items);
    expect((await store.resume(id)).turns).toBe(2);
  });

  test('is private, and is written only when there is something to keep', async () => {
    const folder = join(await temporaryFolder(), 'threads');
    const store = new ThreadStore(folder);
    const thread = store.create('/x');
    expect(await store.list()).toEqual([]);
    await thread.append({ type: 'input', item: { type: 'message', role: 'user', content: 'hi' } });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, `${thread.id}.jsonl`))).mode & 0o777).toBe(0o600);
  });

  test('the file is only appended to', async () => {
    const { folder, store, id } = await someThread();
    const path = join(folder, `${id}.jsonl`);
    const before = await readFile(path, 'utf8');
    const types = before
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual([
      'thread',
      'turn.started',
      'input',
      'tool.started',
      'tool.finished',
      'tool.finished',
      'response',
      'response',
      'turn.ended',
    ]);
    await eventsOf(new Agent({ model: new ScriptedModel(answer('x')), thread: await store.resume(id) }).run('y'));
    expect((await readFile(path, 'utf8')).startsWith(before)).toBe(true);
  });

  test('a torn last line is told, and what comes after it is not harmed; nor by any other cut', async () => {
    const { folder, store, id, agent } = await someThread();
    const path = join(folder, `${id}.jsonl`);
    const { size } = await stat(path);
    await appendFile(path, '{"type":"input","item":{"ty');
    const torn = await store.resume(id);
    expect(torn.notes).toEqual(['the last line was not written to its end; it is left out']);
    expect(torn.items).toEqual(agent.items);
    await eventsOf(new Agent({ model: new ScriptedModel(answer('x')), thread: torn }).run('y'));
    const after = await store.resume(id);
    expect(after.notes).toEqual([expect.stringMatching(/^the line at byte \d+ cannot be read/)]);
    expect(shortHistory(after.items).slice(-2)).toEqual(['user: y', 'assistant: x']);

    for (let cut = size; cut > 150; cut -= 37) {
      await truncate(path, cut);
      const { items } = await store.resume(id);
      const callIds = shortHistory(items).filter((line) => line.startsWith('call')).length;
      expect(shortHistory(items).filter((line) => line.startsWith('output')).length).toBe(callIds);
    }
  });

  test('forks go their own way', async () => {
    const { store, id, agent } = await someThread();
    const fork = await store.fork(id);
    expect(fork.id).not.toBe(id);
    await eventsOf(new Agent({ model: new ScriptedModel(answer('other')), thread: fork }).run('else'));
    expect((await store.resume(id)).items).toEqual(agent.items);
    const again = await store.resume(fork.id);
    expect(again.turns).toBe(2);
    expect(shortHistory(again.items)).toEqual([...shortHistory(agent), 'user: else', 'assistant: other']);
  });

  test('the list, and the last one: of the folder, else of all', async () => {
    const { folder, store, id } = await someThread();
    const other = store.create('/elsewhere');
    await other.append({ type: 'input', item: { type: 'message', role: 'user', content: 'x'.repeat(200) } });
    await utimes(join(folder, `${id}.jsonl`), new Date(), new Date(Date.now() - 5000));
    await writeFile(join(folder, 'junk.jsonl'), 'junk');
    await writeFile(join(folder, 'note.txt'), 'junk');
    expect(await store.list()).toMatchObject([
      { id: other.id, cwd: '/elsewhere', preview: 'x'.repeat(80) },
      { id, cwd: '/projects/one', preview: 'Do it' },
    ]);
    expect(await store.last('/projects/one')).toBe(id);
    expect(await store.last('/third')).toBe(other.id);
  });

  test('what is not there is said in one line', async () => {
    const store = new ThreadStore(join(await temporaryFolder(), 'none'));
    await expect(store.last()).rejects.toThrow('there is no thread to resume yet');
    await expect(store.resume('20260101-000000-abcdef')).rejects.toThrow('there is no thread 20260101-000000-abcdef');
    await expect(store.resume('../../etc/passwd')).rejects.toThrow('is no thread id');
  });

  test('a folder that cannot be written to fails the turn before anything runs', async () => {
    const folder = await temporaryFolder();
    if (process.getuid?.() === 0) {
      // Root may write everywhere: a file in the folder's place does the same.
      await writeFile(join(folder, 'threads'), '');
    } else await chmod(folder, 0o500);
    const model = new ScriptedModel(answer('x'));
    const agent = new Agent({ model, thread: new ThreadStore(join(folder, 'threads')).create('/x') });
    const events = await eventsOf(agent.run('go'));
    expect(events.at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'invalid_request' } });
    expect(of(events, 'turn.failed')[0]?.error.message).toContain('the conversation cannot be written down: E');
    expect(model.requests).toHaveLength(0);
  });
});

test('a disk that fills up while a tool runs: the model still gets the output, and the person is told', async () => {
  const thread = new ThreadStore(await temporaryFolder()).create('/x');
  const append: typeof thread.append = (record, options) =>
    record.type === 'tool.finished' ? Promise.reject(new Error('ENOSPC')) : thread.append(record, options);
  const hold = Promise.withResolvers<undefined>();
  const model = new ScriptedModel([done(call('add', {})), () => hold.promise, completed()], answer('done'));
  const agent = new Agent({ model, tools: [testTool('add', () => 'ran')], thread: { ...thread, append } });
  const events: AgentEvent[] = [];
  for await (const batch of agent.run('go')) {
    events.push(...batch);
    // The stream goes on long after the failure: nothing may be left unhandled meanwhile.
    if (batch.some((event) => event.type === 'tool.finished')) setTimeout(() => hold.resolve(undefined), 20);
  }
  expect(of(events, 'warning').map((event) => event.message)).toEqual([
    'the output of a tool could not be written down: ENOSPC',
  ]);
  expect(shortHistory(agent)).toContain('output call_1: ran');
  expect(events.at(-1)?.type).toBe('turn.completed');
});

test('a disk that fills up during the answer: the answer is not lost, and the person is told once', async () => {
  const thread = new ThreadStore(await temporaryFolder()).create('/x');
  const append: typeof thread.append = (record, options) =>
    record.type === 'turn.started' ? thread.append(record, options) : Promise.reject(new Error('ENOSPC'));
  const agent = new Agent({ model: new ScriptedModel(answer('done')), thread: { ...thread, append } });
  const events = await eventsOf(agent.run('go'));
  expect(of(events, 'warning').map((event) => event.message)).toEqual([
    'the conversation is not kept as a whole: ENOSPC',
  ]);
  expect(events.at(-1)?.type).toBe('turn.completed');
  expect(shortHistory(agent)).toEqual(['user: go', 'assistant: done']);
});

describe('a thread that is larger than memory', () => {
  const message = (text: string): InputMessage => ({ type: 'message', role: 'user', content: text });
  const MIB = 1024 ** 2;

  /** Its first record, and then a hole, which takes no room on the disk. Answers where it is, too. */
  async function threadWithHole(): Promise<{ store: ThreadStore; id: string; path: string }> {
    const folder = await temporaryFolder();
    const store = new ThreadStore(folder);
    const thread = store.create('/x');
    await thread.append({ type: 'input', item: message('long ago') });
    const path = join(folder, `${thread.id}.jsonl`);
    await truncate(path, 3072 * MIB);
    return { store, id: thread.id, path };
  }

  /** Bytes that are read of files while `work` runs. */
  async function bytesRead<T>(path: string, work: () => Promise<T>): Promise<{ result: T; bytes: number }> {
    const file = await open(path);
    await file.close();
    const read = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'read');
    try {
      const result = await work();
      const answers = await Promise.all(read.mock.results.map(({ value }) => value as Promise<{ bytesRead: number }>));
      return { result, bytes: answers.reduce((sum, answer) => sum + answer.bytesRead, 0) };
    } finally {
      read.mockRestore();
    }
  }

  const linesOf = (...records: readonly object[]): string =>
    `\n${records.map((record) => `${JSON.stringify(record)}\n`).join('')}`;
  const totals = { turns: 7, usage, server: { name: 's', base_url: 'http://s/v1', wire_api: 'chat' } };

  test('is read back to its last summary alone, which has what stood before; so is its server, and a list reads its beginning', async () => {
    const { store, id, path } = await threadWithHole();
    const summary = { type: 'compacted', items: [message('summary')], changed: ['/x/a'], totals };
    await appendFile(path, linesOf(summary, { type: 'input', item: message('and now') }));
    const { result, bytes } = await bytesRead(path, () => store.resume(id));
    expect(result).toMatchObject({ ...totals, cwd: '/x', changed: ['/x/a'], notes: [] });
    expect(shortHistory(result.items)).toEqual(['user: summary', 'user: and now']);
    expect(bytes).toBeLessThan(MIB);
    expect((await bytesRead(path, () => store.serverOf(id))).bytes).toBeLessThan(MIB);
    expect(await store.serverOf(id)).toEqual(totals.server);
    const listed = await bytesRead(path, () => store.list());
    expect(listed.result).toMatchObject([{ id, preview: 'long ago' }]);
    expect(listed.bytes).toBeLessThan(MIB);
  });

  test('without a summary is read as far back as a model can take it, and that is told', async () => {
    const { store, id, path } = await threadWithHole();
    const turn = { type: 'turn.started', turn: 9, at: '' };
    const torn = { type: 'tool.finished', output: { type: 'function_call_output', call_id: 'gone', output: 'x' } };
    const cut = { type: 'input', item: message('said in a turn whose beginning is left out') };
    await appendFile(path, linesOf(torn, cut, turn, { type: 'input', item: message('and now') }));
    const { result, bytes } = await bytesRead(path, () => store.resume(id));
    expect(result).toMatchObject({ turns: 9, usage: undefined });
    expect(result.notes).toEqual([
      'the thread has more than 32 MiB since its last summary: what stands before these is left out',
    ]);
    expect(shortHistory(result.items)).toEqual(['user: and now']);
    expect(bytes).toBeLessThan(34 * MIB);
  });

  test('is written with the totals of all turns, also of those before it was opened', async () => {
    const store = new ThreadStore(await temporaryFolder());
    const first = store.create('/x');
    for (const turn of [1, 2]) {
      const thread = turn === 1 ? first : await store.resume(first.id);
      await thread.append({ type: 'turn.started', turn, at: '', server: totals.server });
      await thread.append({ type: 'turn.ended', status: 'completed', at: '', usage });
      await thread.append({ type: 'compacted', items: [message(`summary ${turn}`)] });
      await thread.release();
    }
    const { items, ...again } = await store.resume(first.id);
    expect(again).toMatchObject({ turns: 2, usage: addUsage(usage, usage), server: totals.server });
    expect(shortHistory(items)).toEqual(['user: summary 2']);
  });

  test('of an older version, whose summaries have no totals, is counted from its beginning', async () => {
    const folder = await temporaryFolder();
    const store = new ThreadStore(folder);
    const old = store.create('/x');
    await old.append({ type: 'turn.started', turn: 1, at: '' });
    await old.append({ type: 'turn.ended', status: 'completed', at: '', usage });
    await appendFile(join(folder, `${old.id}.jsonl`), linesOf({ type: 'compacted', items: [message('summary')] }));
    await old.release();
    const thread = await store.resume(old.id);
    expect(thread).toMatchObject({ turns: 1, usage, notes: [] });
    expect(shortHistory(thread.items)).toEqual(['user: summary']);
  });
});

describe('kill -9 in mid-turn', () => {
  test.for(['off', 'on'])('no tool runs twice, none outlives us, sandbox %s', async (sandbox, { skip }) => {
    if (sandbox === 'on') await needSandbox(skip);
    const folder = await temporaryFolder();
    const seconds = `1000.${process.pid}${sandbox === 'on' ? 1 : 2}`; // Its command line is known by it.
    const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-process.ts'), folder, sandbox, seconds], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data'); // The second tool runs now, the first is done.
    expect(commandLines().some((line) => line.includes(seconds))).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The tool does not outlive us, although nobody could end it.
    await expect.poll(() => commandLines().filter((line) => line.includes(seconds))).toEqual([]);

    const store = new ThreadStore(join(folder, 'threads'));
    const thread = await store.resume(await store.last());
    expect(thread.notes).toEqual(['1 tool call(s) were running when the process ended; they are not run again']);
    // Its response was never written down: the calls are told in the order in which they began, and they began together.
    const [asked, ...calls] = shortHistory(thread.items);
    expect(asked).toBe('user: go');
    expect(calls.slice(0, 2).sort()).toEqual(['call shell first', 'call shell second']);
    expect(calls.slice(2).sort()).toEqual([
      'output first: exit code 0\n(no output)',
      expect.stringMatching(/^output second: unknown: the process ended while this tool ran/),
    ]);
    const model = new ScriptedModel(answer('I see'));
    await eventsOf(new Agent({ model, thread }).run('on'));
    expect(shortHistory(model.requests[0]!.input)).toHaveLength(6);
    expect((await readdir(folder)).sort()).toEqual(['ran-1', 'ran-2', 'started-2', 'threads']);
    expect(await readFile(join(folder, 'ran-1'), 'utf8')).toBe('x\n');
    expect(await readFile(join(folder, 'ran-2'), 'utf8')).toBe('x\n');
  });
});
