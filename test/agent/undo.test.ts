import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Agent, createTools, noSandbox, ThreadStore, type AgentThread } from '../../packages/agent/src/index.ts';
import { eventsOf, of, shortHistory, temporaryFolder } from './helpers.ts';
import { answer, call, calls, ScriptedModel, type Step } from './scripted-model.ts';

const patch = (...lines: string[]): Step[] =>
  calls(call('apply_patch', { input: ['*** Begin Patch', ...lines, '*** End Patch'].join('\n') }));

async function agentIn(cwd: string, scripts: Step[][], thread?: AgentThread): Promise<Agent> {
  const tools = await createTools({ cwd, sandbox: noSandbox() });
  const model = new ScriptedModel(...scripts.flatMap((script) => [script, answer('done')]));
  return new Agent({ model, tools, approvals: 'always', ...(thread === undefined ? {} : { thread }) });
}

/** Each name with its mode and content. */
async function tree(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await lstat(path);
    if (info.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else if (info.isFile()) found[name] = `${(info.mode & 0o777).toString(8)} ${await readFile(path, 'utf8')}`;
  }
  return found;
}

test('content, names, modes and links come back, patch by patch', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'a'), '\ufeffone\r\n');
  await chmod(join(cwd, 'a'), 0o750);
  await writeFile(join(cwd, 'gone'), 'all of it');
  await chmod(join(cwd, 'gone'), 0o600);
  await writeFile(join(cwd, 'old'), 'moved\n');
  await symlink('a', join(cwd, 'link'));
  const before = await tree(cwd);
  const agent = await agentIn(cwd, [
    patch(
      '*** Update File: a',
      '@@',
      '-one',
      '+two',
      '*** Delete File: gone',
      '*** Update File: old',
      '*** Move to: new',
      '@@',
      '-moved',
      '+changed',
      '*** Delete File: link',
      '*** Add File: made',
      '+by the model',
    ),
    patch('*** Update File: a', '@@', '-two', '+three'),
  ]);
  await eventsOf(agent.run('first'));
  const between = await tree(cwd);
  await eventsOf(agent.run('second'));
  expect(between).not.toEqual(before);
  expect(await agent.undo()).toBe('patch a');
  expect(await tree(cwd)).toEqual(between);
  expect(await agent.undo()).toMatch(/^patch .*a.*gone/);
  expect(await tree(cwd)).toEqual(before);
  expect(await agent.undo()).toBeUndefined();
  expect(shortHistory(agent).at(-2)).toBe(
    `user: [I took your last patch back: ${join(cwd, 'a')} is as it was before.]`,
  );
});

test.each([
  ['changed since', (path: string) => writeFile(path, 'by the person'), /was changed by somebody else/],
  ['deleted since', (path: string) => rm(path), /was changed by somebody else/],
  ['read-only since', (path: string) => chmod(path, 0o444), /is read-only/],
])('a file that was %s is not touched, nor the others of its patch', async (_, change, why) => {
  const cwd = await temporaryFolder();
  const agent = await agentIn(cwd, [patch('*** Add File: a', '+one', '*** Add File: b', '+two')]);
  await eventsOf(agent.run('go'));
  await change(join(cwd, 'b'));
  const left = await tree(cwd);
  await expect(agent.undo()).rejects.toThrow(why);
  expect(await tree(cwd)).toEqual(left);
  // It can be tried again.
  await rm(join(cwd, 'b'), { force: true });
  await writeFile(join(cwd, 'b'), 'two\n');
  expect(await agent.undo()).toBe('patch a, b');
  expect(await tree(cwd)).toEqual({});
});

test('what was refused or does not fit is not taken back', async () => {
  const cwd = await temporaryFolder();
  const agent = await agentIn(cwd, [
    patch('*** Add File: a', '+one'),
    patch('*** Update File: none', '@@', '-x', '+y'),
    patch('*** Add File: c', '+two'),
  ]);
  await eventsOf(agent.run('1'));
  await eventsOf(agent.run('2'));
  agent.approvals = 'never';
  expect(of(await eventsOf(agent.run('3')), 'tool.finished')[0]?.status).toBe('denied');
  expect(await agent.undo()).toBe('patch a');
  expect(await tree(cwd)).toEqual({});
});

test('another process takes it back, too; nobody else may read it, and it goes with its thread', async () => {
  const cwd = await temporaryFolder();
  const folder = await temporaryFolder();
  const threads = new ThreadStore(folder);
  const thread = threads.create(cwd);
  const first = await agentIn(cwd, [patch('*** Add File: a', '+one')], thread);
  await eventsOf(first.run('go'));
  await thread.release();
  const kept = join(folder, 'patches', thread.id, '000001.json');
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
  expect((await stat(join(kept, '..'))).mode & 0o777).toBe(0o700);
  const resumed = await threads.resume(thread.id);
  const second = await agentIn(cwd, [], resumed);
  expect(await second.undo()).toBe('patch a');
  expect(await tree(cwd)).toEqual({});
  expect(await second.undo()).toBeUndefined();
  expect(shortHistory(await agentIn(cwd, [], await threads.resume(thread.id))).at(-1)).toMatch(/^user: \[I took your/);
  await resumed.release();
  await threads.delete(thread.id);
  expect(await readdir(join(folder, 'patches'))).toEqual([]);
});

describe('a fork', () => {
  async function forked(): Promise<{ cwd: string; folder: string; parent: Agent; fork: Agent; id: string }> {
    const [cwd, folder] = [await temporaryFolder(), await temporaryFolder()];
    const threads = new ThreadStore(folder);
    const thread = threads.create(cwd);
    const parent = await agentIn(
      cwd,
      [patch('*** Add File: a', '+one'), patch('*** Update File: a', '@@', '-one', '+two')],
      thread,
    );
    await eventsOf(parent.run('1'));
    await eventsOf(parent.run('2'));
    const copy = await threads.fork(thread.id);
    expect(copy.notes).toEqual([]);
    const fork = await agentIn(cwd, [patch('*** Add File: b', '+three')], copy);
    return { cwd, folder, parent, fork, id: copy.id };
  }

  test('takes back its own patches, then those that it began with', async () => {
    const { cwd, folder, fork, id } = await forked();
    await eventsOf(fork.run('3'));
    expect(await tree(cwd)).toEqual({ a: '644 two\n', b: '644 three\n' });
    expect([await fork.undo(), await fork.undo()]).toEqual(['patch b', 'patch a']);
    expect(await tree(cwd)).toEqual({ a: '644 one\n' });
    expect(shortHistory(fork).at(-1)).toBe(
      `user: [I took your last patch back: ${join(cwd, 'a')} is as it was before.]`,
    );
    const kept = join(folder, 'patches', id);
    expect(await readdir(kept)).toEqual(['000001.json']);
    expect([(await stat(kept)).mode & 0o777, (await stat(join(kept, '000001.json'))).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    expect([await fork.undo(), await fork.undo()]).toEqual(['patch a', undefined]);
    expect(await tree(cwd)).toEqual({});
  });

  test('does not take back what the other conversation took back, and says so', async () => {
    const { cwd, parent, fork } = await forked();
    expect(await parent.undo()).toBe('patch a');
    await expect(fork.undo()).rejects.toThrow('was changed by somebody else');
    expect(await tree(cwd)).toEqual({ a: '644 one\n' });
  });
});

test('a fork whose patches cannot be copied has none of them, says so, and works', async () => {
  const [cwd, folder] = [await temporaryFolder(), await temporaryFolder()];
  const threads = new ThreadStore(folder);
  const thread = threads.create(cwd);
  const parent = await agentIn(cwd, [patch('*** Add File: a', '+one')], thread);
  await eventsOf(parent.run('1'));
  await mkdir(join(folder, 'patches', thread.id, '000002.json'));
  const copy = await threads.fork(thread.id);
  expect(copy.notes).toEqual([
    expect.stringMatching(new RegExp(`^the patches of ${thread.id} cannot be taken back here: E`)),
  ]);
  const fork = await agentIn(cwd, [patch('*** Add File: b', '+two')], copy);
  expect(await fork.undo()).toBeUndefined();
  await eventsOf(fork.run('2'));
  expect([await fork.undo(), await fork.undo()]).toEqual(['patch b', undefined]);
});

test('the oldest are forgotten, and not while a turn runs', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'in'));
  const threads = new ThreadStore(await temporaryFolder());
  const { patches } = threads.create(cwd);
  for (let n = 0; n < 53; n++) await patches?.push({ title: `patch ${n}`, writes: [] });
  const titles: (string | undefined)[] = [];
  for (let left = await patches?.last(); left !== undefined; left = await patches?.last()) {
    titles.push(left.title);
    await patches?.drop();
  }
  expect([titles.length, titles[0], titles.at(-1)]).toEqual([50, 'patch 52', 'patch 3']);
  const agent = await agentIn(cwd, [patch('*** Add File: a', '+one')]);
  const run = agent.run('go');
  await run.next();
  await expect(agent.undo()).rejects.toThrow('a turn is running');
  await run.return();
});
