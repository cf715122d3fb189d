import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  Agent,
  type ApprovalDecision,
  type ApprovalMode,
  type ApprovalRequest,
  type Approver,
} from '../../packages/agent/src/index.ts';
import { eventsOf, of, shortHistory, testTool } from './helpers.ts';
import { answer, call, calls, ScriptedModel } from './scripted-model.ts';

function setup(options: { approvals?: ApprovalMode; approver?: Approver; ns?: number[] }) {
  const tool = testTool('write', () => 'written', { needsApproval: true });
  const items = (options.ns ?? [1]).map((n, index) => call('write', { n }, `c${index}`));
  const model = new ScriptedModel(calls(...items), answer('done'), calls(...items), answer('done'));
  const agent = new Agent({ ...options, model, tools: [tool] });
  return { tool, agent };
}

function answering(...decisions: (ApprovalDecision | Error)[]): Approver & { asked: ApprovalRequest[] } {
  const asked: ApprovalRequest[] = [];
  const approver: Approver = (request) => {
    asked.push(request);
    const decision = decisions[asked.length - 1];
    if (decision === undefined) throw new Error('asked too often');
    return decision instanceof Error ? Promise.reject(decision) : Promise.resolve(decision);
  };
  return Object.assign(approver, { asked });
}

test.each([
  ['never', undefined],
  ['never', answering()],
  ['ask', undefined],
] as const)('%s with approver %s runs nothing, and says why', async (approvals, approver) => {
  const { agent, tool } = setup({ approvals, ...(approver === undefined ? {} : { approver }) });
  const events = await eventsOf(agent.run('go'));
  expect(tool.runs).toBe(0);
  expect(of(events, 'tool.finished')).toMatchObject([{ status: 'denied' }]);
  expect(shortHistory(agent)[2]).toBe('output c0: not run: it needs approval (test), and nobody can be asked');
  expect(events.at(-1)?.type).toBe('turn.completed');
});

test('always asks nobody', async () => {
  const approver = answering();
  const { agent, tool } = setup({ approvals: 'always', approver });
  expect(of(await eventsOf(agent.run('go')), 'approval.requested')).toEqual([]);
  expect(tool.runs).toBe(1);
});

test('once is once: the same call is asked for again', async () => {
  const approver = answering({ type: 'once' }, { type: 'deny', reason: 'too risky' });
  const { agent, tool } = setup({ approver });
  const events = await eventsOf(agent.run('go'));
  expect(events.map((event) => event.type).filter((type) => /tool|approval/.test(type))).toEqual([
    'tool.started',
    'approval.requested',
    'approval.resolved',
    'tool.finished',
  ]);
  expect(of(events, 'approval.requested')[0]).toEqual({
    type: 'approval.requested',
    approval_id: 'ap_1',
    call_id: 'c0',
    name: 'write',
    title: 'write 1',
    reason: 'test',
    rules: ['write:1'],
  });
  await eventsOf(agent.run('again'));
  expect(tool.runs).toBe(1);
  expect(shortHistory(agent).at(-2)).toBe('output c0: not run: the user said no: too risky');
});

test('"for this session" is the exact rule, and this session only', async () => {
  const approver = answering({ type: 'session' }, { type: 'deny' });
  const { agent, tool } = setup({ approver, ns: [1, 2] });
  await eventsOf(agent.run('go'));
  expect(approver.asked.map((request) => request.rules)).toEqual([['write:1'], ['write:2']]);
  expect(tool.runs).toBe(1);

  const quiet = answering({ type: 'session' });
  const second = setup({ approver: quiet });
  await eventsOf(second.agent.run('go'));
  await eventsOf(second.agent.run('again'));
  expect(quiet.asked).toHaveLength(1);
  expect(second.tool.runs).toBe(2);

  const other = answering({ type: 'deny' });
  const third = setup({ approver: other });
  await eventsOf(third.agent.run('go'));
  expect(other.asked).toHaveLength(1);
  expect(third.tool.runs).toBe(0);
});

test('a no for this session is not asked again, in no mode', async () => {
  const approver = answering({ type: 'deny', forSession: true });
  const { agent, tool } = setup({ approver });
  await eventsOf(agent.run('go'));
  agent.approvals = 'always';
  await eventsOf(agent.run('again'));
  expect(tool.runs).toBe(0);
  expect(shortHistory(agent).at(-2)).toBe('output c0: not run: the user said no to this for the whole session');
});

test('parallel calls are asked for one at a time; a session answer serves the next equal one', async () => {
  let open = 0;
  let most = 0;
  let questions = 0;
  const approver: Approver = async () => {
    questions += 1;
    most = Math.max(most, ++open);
    await tick();
    open -= 1;
    return { type: 'session' };
  };
  const { agent, tool } = setup({ approver, ns: [1, 2, 1] });
  await eventsOf(agent.run('go'));
  expect(most).toBe(1);
  expect(questions).toBe(2);
  expect(tool.runs).toBe(3);
});

test('a front end that fails to ask has not said yes', async () => {
  const { agent, tool } = setup({ approver: answering(new Error('the window is gone')) });
  const events = await eventsOf(agent.run('go'));
  expect(tool.runs).toBe(0);
  expect(events.at(-1)?.type).toBe('turn.completed');
});

test('the mode can be changed between turns', async () => {
  const { agent, tool } = setup({ approvals: 'never' });
  await eventsOf(agent.run('go'));
  agent.approvals = 'always';
  await eventsOf(agent.run('again'));
  expect(tool.runs).toBe(1);
});
