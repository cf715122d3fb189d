import { describe, expect, it } from 'vitest';
import { startMock, type Scenario } from '../../packages/testing/src/index.ts';
import { startCommand } from './bridge-process.ts';
import { askJson, askSocket, askSse, post, startRig, type Json } from './harness.ts';

const parts = [
  { type: 'reasoning', text: 'Two and two.' },
  { type: 'text', text: 'Four.' },
] as const;
const thoughtful: Scenario = { turns: [{ replies: [{ parts }] }] };

/** The texts of a response by the type of their item, in order. */
function outputOf(response: Json | undefined): [string, string][] {
  const items = (response?.output ?? []) as Json[];
  return items.map((item) => {
    const texts = (item.content as Json[]).map(({ text }) => String(text));
    return [String(item.type), texts.join('')];
  });
}

const whole = [
  ['reasoning', 'Two and two.'],
  ['message', 'Four.'],
];

describe.each(['chat', 'responses'] as const)('thinkTags in front of a %s server', (wire) => {
  it.each([
    ['think-tags', true],
    ['think-tags:thought', true],
    ['think-tags:opened', 'opened'],
  ] as const)('reads the thought of %s as reasoning, for every client', async (fault, thinkTags) => {
    await using rig = await startRig({ wire, scenario: thoughtful, faults: [fault] }, { wire, thinkTags });
    for (const ask of [askSse, askSocket, askJson]) {
      const { how, violations, body } = await ask(rig.bridge, { input: 'hi' });
      expect([how, violations, outputOf(body)]).toEqual(['completed', [], whole]);
    }
    const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
    const answer = (await (await post(rig.bridge, '/v1/chat/completions', body)).json()) as { choices: Json[] };
    expect(answer.choices[0]?.message).toMatchObject({ content: 'Four.', reasoning_content: 'Two and two.' });
  });

  it('leaves a text as it is where nobody asks', async () => {
    await using rig = await startRig({ wire, scenario: thoughtful, faults: ['think-tags'] }, { wire });
    const { body } = await askJson(rig.bridge, { input: 'hi' });
    expect(outputOf(body)).toEqual([['message', '<think>\nTwo and two.\n</think>\n\nFour.']]);
  });
});

/** It is Codex that is told of a full context: it makes room then. */
const codex = { originator: 'codex_cli_rs' };

it.each([
  [979, 'failed:context_length_exceeded'],
  [900, 'incomplete:max_output_tokens'],
])('contextWindow tells what a length at %i of 1000 tokens means', async (total_tokens, how) => {
  const usage = { input_tokens: total_tokens - 1, output_tokens: 1, total_tokens };
  const details = { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };
  const scenario: Scenario = {
    turns: [
      { replies: [{ parts: [{ type: 'text', text: 'Cut' }], finish: 'length', usage: { ...usage, ...details } }] },
    ],
  };
  await using rig = await startRig({ wire: 'chat', scenario }, { wire: 'chat', contextWindow: 1000 });
  expect((await askSse(rig.bridge, { input: 'hi' }, codex)).how).toBe(how);
});

it('turnwire bridge has the flags', async () => {
  await using mock = await startMock({ wire: 'chat', scenario: thoughtful, faults: ['think-tags', 'length'] });
  const flags = ['--think-tags', '--context-window', '1'];
  const command = await startCommand(['--upstream', mock.url, '--wire', 'chat', ...flags]);
  const response = await fetch(`${command.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...codex },
    body: JSON.stringify({ model: 'm', input: 'hi', stream: true }),
  });
  const text = await response.text();
  expect(text).toContain('"type":"response.reasoning_text.delta"');
  expect(text).toContain('context_length_exceeded');
  expect(await command.end()).toBe(0);
});
