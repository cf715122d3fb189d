import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../packages/testing/src/index.ts';
import { askChat, askJson, askSocket, askSse, post, startRig, type Json } from './harness.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';

const scenario: Scenario = {
  turns: [{ replies: [{ parts: [{ type: 'tool_call', name: 'now', arguments: '' }] }] }],
};
const tools = [{ type: 'function', name: 'now' }];

describe.each(['chat', 'responses'] as const)('a call without arguments of a %s server', (wire) => {
  it('has an empty object for a Responses client', async () => {
    await using at = await startRig({ wire, scenario }, { wire });
    for (const ask of [askSse, askJson, askSocket]) {
      const { how, text, violations } = await ask(at.bridge, { input: 'hi', tools });
      expect([how, text, violations]).toEqual(['completed', 'now({})', []]);
    }
    const { events } = await askSse(at.bridge, { input: 'hi', tools });
    const deltas = events.filter(({ type }) => type === 'response.function_call_arguments.delta');
    expect(deltas.map(({ delta }) => delta)).toEqual(['{}']);
  });

  it.each([true, false])('has an empty object for a chat client (stream: %s)', async (stream) => {
    await using at = await startRig({ wire, scenario }, { wire });
    expect(await askChat(at.bridge, { tools: [{ type: 'function', function: { name: 'now' } }] }, stream)).toEqual({
      how: 'tool_calls',
      text: 'now({})',
    });
  });
});

it.each(['chat', 'responses'] as const)('goes up to a %s server with an empty object', async (wire) => {
  await using upstream = await startRawUpstream();
  await using bridge = await startBridge([upstream], { wire });
  const call = { type: 'function_call', call_id: 'c1', name: 'now', arguments: '' };
  const input = [call, { type: 'function_call_output', call_id: 'c1', output: 'noon' }];
  const answer = post(bridge, '/v1/responses', { model: 'm', input });
  const { res, body } = await upstream.next();
  res.writeHead(400).end('{}');
  await (await answer).text();
  const [sent] = (body.input ?? body.messages) as Json[];
  const named = (sent?.tool_calls as { function: Json }[] | undefined)?.[0]?.function ?? sent;
  expect(named?.arguments).toBe('{}');
});
