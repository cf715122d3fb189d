import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  defineTool,
  ThreadStore,
  type AgentEvent,
  type AgentTool,
  type FileChange,
} from '../../packages/agent/src/index.ts';
import { eventsOf, temporaryFolder, testTool } from './helpers.ts';
import { answer, call, calls, ScriptedModel, usage } from './scripted-model.ts';

const change: FileChange = {
  kind: 'update',
  path: '/p/a.txt',
  old_text: 'zero\none\ntwo',
  new_text: 'zero\nONE\ntwo',
  diff: '--- a.txt\n+++ a.txt\n@@ -2,2 +2,2 @@\n-one\n+ONE\n two\n\\ No newline at end of file\n',
};

const patch: AgentTool = defineTool({
  name: 'patch',
  description: 'patch',
  kind: 'edit',
  schema: z.strictObject({}),
  plan: () =>
    Promise.resolve({
      title: 'patch a.txt',
      locations: [{ path: '/p/a.txt', line: 2 }],
      changes: [change],
      run: () => Promise.resolve({ output: 'applied', ok: false, exitCode: 3 }),
    }),
});

const tools = [testTool('add', () => 'ran'), testTool('ask', () => 'never', { needsApproval: true }), patch];

/** What people saw of calls. */
function told(events: readonly AgentEvent[]): unknown[] {
  return events.filter((event) => event.type === 'tool.started' || event.type === 'tool.finished');
}

async function talk(): Promise<{ store: ThreadStore; folder: string; id: string; agent: Agent; live: AgentEvent[] }> {
  const folder = join(await temporaryFolder(), 'threads');
  const store = new ThreadStore(folder);
  const thread = store.create('/p');
  const model = new ScriptedModel(
    // One call after the other, so that they end in their order.
    calls(call('add', { n: 1 }, 'a')),
    calls(call('ask', { n: 2 }, 'b')),
    calls(call('patch', {}, 'c')),
    // The id comes again, as that of servers that count.
    calls(call('nope', {}, 'a')),
    answer('Done.', { usage }),
  );
  const approver = () => Promise.resolve({ type: 'deny', reason: 'not now' } as const);
  const agent = new Agent({ model, tools, thread, approver });
  const live = await eventsOf(agent.run('go'));
  return { store, folder, id: thread.id, agent, live };
}

/** An event as a past one is: without the texts of files, of which the diff has what differs, and no time is told twice. */
const asPast = (event: unknown): unknown => {
  const one = event as AgentEvent;
  if (one.type !== 'tool.started' || one.changes === undefined) return event;
  return { ...one, changes: [{ ...change, old_text: 'one\ntwo', new_text: 'ONE\ntwo' }] };
};

test('every call of the past is told as it was: in the conversation, after a resume, in a fork', async () => {
  const { store, id, agent, live } = await talk();
  const expected = told(live).map(asPast);
  expect(expected).toMatchObject([
    { call_id: 'a', kind: 'other', title: 'add 1' },
    { call_id: 'a', status: 'completed', output: 'ran' },
    { call_id: 'b', title: 'ask 2' },
    { call_id: 'b', status: 'denied' },
    { call_id: 'c', kind: 'edit', title: 'patch a.txt', locations: [{ path: '/p/a.txt', line: 2 }] },
    { call_id: 'c', status: 'failed', exit_code: 3, output: 'applied' },
    { call_id: 'a', name: 'nope', title: 'nope' },
    { call_id: 'a', status: 'failed' },
  ]);
  expect(told(agent.past)).toEqual(expected);
  const resumed = await store.resume(id);
  expect(told(new Agent({ model: new ScriptedModel(), thread: resumed }).past)).toEqual(expected);
  expect(resumed.usage).toEqual(usage);
  const fork = await store.fork(id);
  const again = await store.resume(fork.id);
  expect(told(new Agent({ model: new ScriptedModel(), thread: again }).past)).toEqual(expected);
});

test('what was said comes in between, each response with its end', async () => {
  const { agent } = await talk();
  expect(agent.past.map((event) => event.type)).toEqual([
    'input.accepted',
    ...Array.from({ length: 4 }, () => ['output_item.done', 'tool.started', 'tool.finished']).flat(),
    'output_item.done',
    'completed',
  ]);
});

test('a thread that tells nothing of its calls, or something strange, is shown by names', async () => {
  const { store, folder, id } = await talk();
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
  const lines = (await readFile(join(folder, file), 'utf8')).trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const strange = { title: 7, status: 'perfect', changes: 'none' };
  const old = records
    .filter(({ type, output }) => type !== 'tool.finished' || (output as { call_id: string }).call_id !== 'c')
    .map((record, at) => ({ ...record, ...(at % 2 === 0 ? { told: undefined } : { told: strange, usage: strange }) }));
  await writeFile(join(folder, file), old.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const thread = await store.resume(id);
  expect(thread.usage).toBeUndefined();
  expect(told(new Agent({ model: new ScriptedModel(), thread }).past)).toMatchObject([
    { title: 'add' },
    { status: 'completed', duration_ms: 0 },
    { title: 'ask' },
    { status: 'failed' },
    { title: 'patch' },
    { status: 'unknown', output: expect.stringMatching(/^unknown: the process ended/) as string },
    { title: 'nope' },
    { status: 'failed' },
  ]);
});

test('the time of a call is that of its tool, not of the person who was asked', async () => {
  let now = 0;
  const clock = { now: () => now, after: () => ({ cancel: () => undefined }) };
  const slow = testTool('slow', () => ((now += 250), 'ran'), { needsApproval: true });
  const approver = () => ((now += 7000), Promise.resolve({ type: 'once' } as const));
  const model = new ScriptedModel(calls(call('slow', {})), answer('Done.'));
  const events = await eventsOf(new Agent({ model, tools: [slow], clock, approver }).run('go'));
  expect(events).toContainEqual(expect.objectContaining({ type: 'tool.finished', duration_ms: 250 }));
});
