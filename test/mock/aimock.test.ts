import { describe, expect, it } from 'vitest';
import { fromAimockFixtures, startMock } from '../../packages/testing/src/index.ts';
import { parseScenario } from '../../packages/testing/src/load/scenario-file.ts';

async function ask(baseUrl: string, messages: object[], more: object = {}): Promise<Record<string, never>> {
  const body = JSON.stringify({ model: 'm', messages, ...more });
  return (await (await fetch(`${baseUrl}/chat/completions`, { method: 'POST', body })).json()) as Record<string, never>;
}

const user = (content: string) => ({ role: 'user', content });

describe('aimock fixtures', () => {
  it('answer as they do there', async () => {
    const file = JSON.stringify({
      fixtures: [
        { match: { toolCallId: 'call_b' }, response: { content: 'Blue it is.' } },
        {
          match: { userMessage: 'blue' },
          response: { toolCalls: [{ id: 'call_b', name: 'paint', arguments: { c: 'blue' } }] },
        },
        {
          match: { userMessage: 'again', turnIndex: 1 },
          response: { content: 'second', usage: { prompt_tokens: 2, completion_tokens: 3 } },
        },
        { match: { systemMessage: ['a', 'b'] }, response: { blocks: [{ type: 'text', text: 'gated' }] } },
        {
          match: { userMessage: 'limit' },
          response: { error: { message: 'slow', type: 'rate_limit_error' }, status: 429 },
        },
        { match: {}, response: { content: 'Hello!' }, chunkSize: 2 },
      ],
    });
    await using server = await startMock({ scenario: parseScenario(file) });
    const called = await ask(server.baseUrl, [user('make it blue')]);
    expect(called).toMatchObject({
      choices: [{ message: { tool_calls: [{ id: 'call_b', function: { arguments: '{"c":"blue"}' } }] } }],
    });
    const history = [
      user('make it blue'),
      { role: 'assistant', tool_calls: [] },
      { role: 'tool', tool_call_id: 'call_b', content: 'ok' },
    ];
    expect(await ask(server.baseUrl, history)).toMatchObject({ choices: [{ message: { content: 'Blue it is.' } }] });
    const second = [user('x'), { role: 'assistant', content: 'y' }, user('again')];
    expect(await ask(server.baseUrl, second)).toMatchObject({
      choices: [{ message: { content: 'second' } }],
      usage: { total_tokens: 5 },
    });
    const gated = [{ role: 'system', content: 'a and b' }, user('x')];
    expect(await ask(server.baseUrl, gated)).toMatchObject({ choices: [{ message: { content: 'gated' } }] });
    expect(await ask(server.baseUrl, [user('limit')])).toMatchObject({ error: { message: 'slow' } });
    expect(await ask(server.baseUrl, [user('hello')])).toMatchObject({ choices: [{ message: { content: 'Hello!' } }] });
  });

  it('turn certain chaos into faults', () => {
    const one = (more: object): unknown =>
      fromAimockFixtures([{ match: {}, response: { content: 'x' }, ...more }]).turns[0]!.replies[0]!.faults;
    expect(one({ chaos: { disconnectRate: 1 } })).toEqual(['cut-after:1']);
    expect(one({ truncateAfterChunks: 3 })).toEqual(['cut-after:3']);
    expect(one({ openRouterProcessing: true })).toEqual(['comments']);
  });

  it.each([
    [
      { match: {}, response: { content: 'x' }, chaos: { dropRate: 0.5 } },
      'a rate between 0 and 1 cannot be carried over; use status:500@N',
    ],
    [
      { match: { sequenceIndex: 1 }, response: { content: 'x' } },
      'fixtures[0].match.sequenceIndex cannot be carried over',
    ],
    [{ match: {}, response: { embedding: [1] } }, 'only text, tool calls and errors'],
    [{ match: { endpoint: 'image' }, response: { content: 'x' } }, 'only chat can'],
    [{ match: {} }, 'needs "match" and "response"'],
  ])('say what cannot be carried over: %j', (fixture, message) => {
    expect(() => fromAimockFixtures([fixture])).toThrow(message);
  });
});
