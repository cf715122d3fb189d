import { afterEach, describe, expect, it, vi } from 'vitest';
import { protocolIds } from '../../packages/wire/src/protocols.ts';
import { KnownShapes } from '../../packages/wire/src/sse/known-shapes.ts';
import { post, startRig } from './harness.ts';

afterEach(() => vi.restoreAllMocks());

describe('bridge: what a server’s events look like (decision 0031)', () => {
  it.each(protocolIds)('is known from one answer of a %s server to the next, for each model', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text' }, { wire });
    const onUse = vi.spyOn(KnownShapes.prototype, 'onUse');
    const uses: boolean[] = [];
    const told: string[] = [];
    for (const model of ['a', 'a', 'b']) {
      onUse.mockClear();
      const answer = await post(at.bridge, '/v1/chat/completions', {
        model,
        messages: [{ role: 'user', content: 'q' }],
      });
      const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
      told.push(choices[0]?.message.content ?? '');
      uses.push(onUse.mock.calls.length > 0);
    }
    expect(uses).toEqual([false, true, false]);
    expect(told[0]).not.toBe('');
    expect(new Set(told).size).toBe(1);
  });
});
