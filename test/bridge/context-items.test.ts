import { expect, it } from 'vitest';
import { askSse, startRig, type Json } from './harness.ts';

/** As Codex 0.169 sends it after its own `create_goal`. */
const goal = {
  type: 'function_call_output',
  id: 'fco_1',
  name: 'goal_objective',
  namespace: 'agent',
  output: 'Find the bug',
};
const input = [
  { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
  { type: 'function_call', call_id: 'call_1', name: 'create_goal', arguments: '{}' },
  { type: 'function_call_output', call_id: 'call_1', output: 'created' },
  goal,
];

it.each(['chat', 'responses'] as const)('tells the goal of Codex on a %s upstream as a message', async (wire) => {
  await using at = await startRig({ wire, scenario: 'text' }, { wire });
  const end = await askSse(at.bridge, { input });
  expect([end.how, end.violations]).toEqual(['completed', []]);
  const body = at.mock.requests[0]?.view?.body as Json;
  const items = (wire === 'chat' ? body.messages : body.input) as Json[];
  expect(items).toHaveLength(input.length);
  expect(items.at(-1)).toMatchObject({ role: 'user' });
  expect(JSON.stringify(items.at(-1)?.content)).toMatch(/agent\.goal_objective:\\n.*Find the bug/);
});

it('still refuses an output that names neither its call nor itself', async () => {
  await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
  const end = await askSse(at.bridge, { input: [{ ...goal, name: undefined }] });
  expect([end.how, end.body?.param]).toEqual(['http:400', 'input[0].call_id']);
});
