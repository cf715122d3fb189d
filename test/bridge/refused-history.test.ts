import { describe, expect, it } from 'vitest';
import { post, startRig, type Json } from './harness.ts';

const tools = [{ type: 'function', name: 'read_file', parameters: { type: 'object', properties: {} } }];
const question = { role: 'user', content: 'weather?' };

/** What such a server takes, and what it refuses. */
const rows = [
  { fault: 'thought-signature:google', model: 'm', lost: 'carried state' },
  { fault: 'thought-signature:openrouter', model: 'm', lost: 'carried state' },
  { fault: 'call-ids-checked', model: 'magistral-small', lost: 'the model that says so' },
  { fault: 'reasoning-wanted', model: 'kimi-k2-thinking', lost: 'the model that says so' },
] as const;

describe('bridge: a server that refuses a history (docs/contract.md 3.12, 3.13)', () => {
  it.each(rows)('$fault: the output of a call is taken, and not without $lost', async ({ fault, model, lost }) => {
    await using at = await startRig({ wire: 'chat', scenario: 'tool-call', faults: [fault] }, { wire: 'chat' });
    const ask = (input: readonly unknown[], asked: string): Promise<Response> =>
      post(at.bridge, '/v1/responses', { model: asked, input, tools });
    const first = (await (await ask([question], model)).json()) as { output: Json[] };
    const call = first.output.find(({ type }) => type === 'function_call');
    const answer = { type: 'function_call_output', call_id: call?.call_id, output: 'sun' };
    const second = await ask([question, ...first.output, answer], model);
    expect([second.status, ((await second.json()) as Json).status]).toEqual([200, 'completed']);
    const bare =
      lost === 'carried state'
        ? await ask([question, { ...call, carried: undefined }, answer], model)
        : await ask([question, ...first.output, answer], 'm');
    expect(bare.status).toBe(400);
  });
});
