import { describe, expect, it } from 'vitest';
import { post, startRig, type Json } from './harness.ts';

const headers = { 'anthropic-version': '2023-06-01' };
const question = { role: 'user', content: 'weather?' };
const tools = [{ name: 'read_file', input_schema: { type: 'object', properties: {} } }];

/** The conversation with an answer in it, and the result of its call. */
function after(content: readonly Json[]): Json[] {
  const call = content.find(({ type }) => type === 'tool_use');
  const result = { type: 'tool_result', tool_use_id: call?.id, content: 'sun' };
  return [question, { role: 'assistant', content }, { role: 'user', content: [result] }];
}

describe('state of other servers through a Messages client (docs/contract.md 3.12, 8.20)', () => {
  it("Gemini's signature comes back to it in the signature of a thinking block", async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'tool-call', faults: ['thought-signature'] },
      { wire: 'chat' },
    );
    const ask = (messages: readonly Json[]): Promise<Response> =>
      post(at.bridge, '/v1/messages', { model: 'm', max_tokens: 99, messages, tools }, { headers });
    const { content } = (await (await ask([question])).json()) as { content: Json[] };
    expect(content.map(({ type }) => type).sort()).toEqual(['thinking', 'tool_use']);
    expect((await ask(after(content))).status).toBe(200);
    expect((await ask(after(content.filter(({ type }) => type !== 'thinking')))).status).toBe(400);
  });
});
