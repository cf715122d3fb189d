import { expect, test } from 'vitest';
import { Agent, ThreadStore } from '../../packages/agent/src/index.ts';
import { compact } from '../../packages/agent/src/turn/compaction.ts';
import { userMessage } from '../../packages/agent/src/thread/history.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { eventsOf, of, shortHistory, temporaryFolder, testTool, typesOf } from './helpers.ts';
import { answer, call, calls, ScriptedModel, usage } from './scripted-model.ts';

const large = { ...usage, input_tokens: 900, total_tokens: 950 };
const tooLong = new ModelError({ kind: 'context_window_exceeded', message: 'too long', status: 400 });

test("before the next request, when the window is nearly full by the server's count", async () => {
  const model = new ScriptedModel(
    calls(call('add', { n: 1 })).map((step) =>
      'type' in step && step.type === 'completed' ? { ...step, usage: large } : step,
    ),
    answer('They want a sum; it is 1 so far.'),
    answer('done'),
  );
  const agent = new Agent({ model, tools: [testTool('add', () => '1')], contextWindow: 1000, instructions: 'sys' });
  const events = await eventsOf(agent.run('Add up'));
  expect(of(events, 'history.compacting')).toEqual([{ type: 'history.compacting', reason: 'window' }]);
  expect(of(events, 'history.compacted')).toEqual([{ type: 'history.compacted', items_before: 3, items_after: 2 }]);
  expect(model.requests[1]).toMatchObject({ instructions: 'sys' });
  expect(model.requests[1]!.tools).toBeUndefined();
  expect(shortHistory(model.requests[1]!.input).slice(0, -1)).toEqual([
    'user: Add up',
    'call add call_1',
    'output call_1: 1',
  ]);
  expect(shortHistory(model.requests[2]!.input)).toEqual([
    'user: Add up',
    expect.stringMatching(/^user: Summary of the conversation so far .*:\n\nThey want a sum; it is 1 so far\.$/s),
  ]);
  expect(typesOf(events).filter((type) => type === 'output_item.done')).toHaveLength(2);
  expect(events.at(-1)).toMatchObject({ type: 'turn.completed', requests: 2 });
});

test('by our own estimate, where the server tells no usage; not while there is room', async () => {
  const model = new ScriptedModel(answer('a'), answer('sum'), answer('b'));
  const agent = new Agent({ model, contextWindow: 1000 });
  await eventsOf(agent.run('short'));
  expect(model.requests).toHaveLength(1);
  await eventsOf(agent.run('x'.repeat(4000)));
  expect(model.requests).toHaveLength(3);
  // The long message is more than may be kept word for word.
  expect(shortHistory(agent)).toEqual([expect.stringContaining('sum'), 'assistant: b']);
});

test('when a server refuses the request for its size; once', async () => {
  const model = new ScriptedModel(answer('a'), answer('b'), [tooLong], answer('sum'), answer('c'));
  const agent = new Agent({ model });
  await eventsOf(agent.run('1'));
  await eventsOf(agent.run('2'));
  const events = await eventsOf(agent.run('3'));
  expect(of(events, 'history.compacting')).toMatchObject([{ reason: 'exceeded' }]);
  expect(events.at(-1)?.type).toBe('turn.completed');
  expect(shortHistory(agent)).toEqual([
    'user: 1',
    'user: 2',
    'user: 3',
    expect.stringContaining('sum'),
    'assistant: c',
  ]);

  const hopeless = new Agent({ model: new ScriptedModel([tooLong]) });
  expect((await eventsOf(hopeless.run('1'))).at(-1)).toMatchObject({
    type: 'turn.failed',
    error: { kind: 'context_window_exceeded' },
  });
});

test('when even the summary is too long to ask for, the older half is left out; every output keeps its call', async () => {
  const model = new ScriptedModel([tooLong], answer('sum'));
  const items = [
    userMessage('one'),
    call('add', {}, 'a'),
    call('add', {}, 'b'),
    { type: 'function_call_output' as const, call_id: 'a', output: '1' },
    { type: 'function_call_output' as const, call_id: 'b', output: '2' },
    userMessage('two'),
  ];
  const after = await compact(items, {
    model: model.openTurn(),
    instructions: undefined,
    contextWindow: undefined,
    signal: new AbortController().signal,
  });
  expect(shortHistory(model.requests[1]!.input).slice(0, -1)).toEqual(['user: two']);
  expect(shortHistory(after)).toEqual(['user: one', 'user: two', expect.stringContaining('sum')]);
});

test('on demand; kept on disk; a failure leaves the history as it was', async () => {
  const store = new ThreadStore(await temporaryFolder());
  const thread = store.create('/x');
  const broken = new ModelError({ kind: 'server_error', message: 'no' });
  const agent = new Agent({ model: new ScriptedModel(answer('a'), [broken], answer(' '), answer('sum')), thread });
  await eventsOf(agent.run('1'));
  for (const why of ['no', 'the model gave no summary']) {
    expect(of(await eventsOf(agent.compact()), 'warning')[0]?.message).toContain(why);
    expect(shortHistory(agent)).toEqual(['user: 1', 'assistant: a']);
  }
  expect(typesOf(await eventsOf(agent.compact()))).toEqual(['history.compacting', 'history.compacted']);
  expect((await store.resume(thread.id)).items).toEqual(agent.items);
  expect(shortHistory(agent)).toHaveLength(2);
});
