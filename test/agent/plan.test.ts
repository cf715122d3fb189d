import { expect, test } from 'vitest';
import { Agent, createTools, noSandbox, ThreadStore, type PlanStep } from '../../packages/agent/src/index.ts';
import { UpdateMapper } from '../../turnwire/src/acp/updates.ts';
import { ToolIds } from '../../turnwire/src/acp/tool-ids.ts';
import { eventsOf, of, shortHistory, temporaryFolder, typesOf } from './helpers.ts';
import { answer, call, calls, ScriptedModel, type Step } from './scripted-model.ts';

const first: PlanStep[] = [
  { step: 'look', status: 'completed' },
  { step: 'mend', status: 'in_progress' },
  { step: 'test', status: 'pending' },
];
const second: PlanStep[] = first.map(({ step }) => ({ step, status: 'completed' }));
const plan = (steps: readonly unknown[], id = 'p1'): Step[] => calls(call('update_plan', { plan: steps }, id));

async function setUp(scripts: Step[][]) {
  const cwd = await temporaryFolder();
  const threads = new ThreadStore(await temporaryFolder());
  const thread = threads.create(cwd);
  const tools = await createTools({ cwd, sandbox: noSandbox() });
  const agent = new Agent({ model: new ScriptedModel(...scripts), tools, thread });
  const resumed = async (): Promise<Agent> =>
    new Agent({ model: new ScriptedModel(), thread: await threads.resume(thread.id) });
  return { agent, thread, threads, resumed };
}

test('a plan is told when the tool has run, and is the plan until the next one', async () => {
  const { agent, resumed } = await setUp([plan(first), plan(second, 'p2'), answer('done')]);
  expect(agent.plan).toEqual([]);
  const events = await eventsOf(agent.run('go'));
  expect(of(events, 'plan.updated').map(({ steps }) => steps)).toEqual([first, second]);
  expect(of(events, 'tool.started').map(({ title }) => title)).toEqual([
    'plan, 1 of 3 done: mend',
    'plan, 3 of 3 done',
  ]);
  expect(shortHistory(agent)[2]).toBe('output p1: [x] look\n[>] mend\n[ ] test');
  expect(agent.plan).toEqual(second);
  expect((await resumed()).plan).toEqual(second);
  // Who shows the conversation again shows each where it was made.
  const past = (await resumed()).past.map((event) => (event.type === 'plan.updated' ? event.steps : event.type));
  expect(past.filter((one) => one === 'tool.finished' || typeof one === 'object')).toEqual([
    'tool.finished',
    first,
    'tool.finished',
    second,
  ]);
  expect(past.at(-1)).toBe('completed');
});

test('it survives a summary, a new process and a copy', async () => {
  const { agent, thread, threads, resumed } = await setUp([plan(first), answer('done'), answer('summary')]);
  await eventsOf(agent.run('go'));
  await eventsOf(agent.compact());
  expect(agent.plan).toEqual(first);
  const again = await resumed();
  expect(again.plan).toEqual(first);
  expect(again.past.at(-1)).toEqual({ type: 'plan.updated', steps: first });
  const copy = await threads.fork(thread.id);
  expect(new Agent({ model: new ScriptedModel(), thread: copy }).plan).toEqual(first);
});

test('what is no plan is an error for the model, and changes nothing', async () => {
  const two = first.map(({ step }) => ({ step, status: 'in_progress' }));
  const { agent, resumed } = await setUp([
    plan(first),
    plan(two, 'p2'),
    plan([{ step: 'x', status: 'maybe' }], 'p3'),
    answer('done'),
  ]);
  const events = await eventsOf(agent.run('go'));
  expect(of(events, 'tool.finished').map(({ status }) => status)).toEqual(['completed', 'failed', 'failed']);
  expect(of(events, 'tool.finished')[1]?.output).toBe('at most one step of a plan is in_progress');
  expect(typesOf(events).filter((type) => type === 'plan.updated')).toHaveLength(1);
  expect([agent.plan, (await resumed()).plan]).toEqual([first, first]);
});

test('an empty plan takes it away', async () => {
  const { agent, resumed } = await setUp([plan(first), plan([], 'p2'), answer('done')]);
  await eventsOf(agent.run('go'));
  expect([agent.plan, (await resumed()).plan]).toEqual([[], []]);
});

test('an editor gets it as a plan, with nothing hidden in it', () => {
  const mapper = new UpdateMapper(new ToolIds(), { notices: false, compaction: false });
  expect(mapper.take({ type: 'plan.updated', steps: [{ step: 'a\u202eb', status: 'pending' }] })).toEqual([
    { sessionUpdate: 'plan', entries: [{ content: 'a\\u{202e}b', priority: 'medium', status: 'pending' }] },
  ]);
});
