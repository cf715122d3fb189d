import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { protocolIds } from '../../packages/wire/src/protocols.ts';
import { post, startRig, type Json } from './harness.ts';

const question = { role: 'user', content: 'q' };
const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'auto' };

describe('bridge: a request that the server refuses by naming a field (docs/contract.md 3.14)', () => {
  it.each(protocolIds)('is sent again without it, once, and remembered for that model of a %s server', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text', faults: ['param-refused:temperature'] }, { wire });
    const ask = (model: string): Promise<Response> =>
      post(at.bridge, '/v1/responses', { model, input: 'q', temperature: 0.5 });
    const asked: number[] = [];
    for (const model of ['a', 'a', 'b']) {
      const answer = await ask(model);
      expect([answer.status, ((await answer.json()) as Json).status]).toEqual([200, 'completed']);
      expect(answer.headers.get('x-turnwire-not-carried')).toBe('temperature');
      asked.push(at.mock.requests.length);
    }
    expect(asked).toEqual([2, 3, 5]);
    const metrics = await (await fetch(`${at.bridge.url}/metrics`)).text();
    expect(metrics).toContain('turnwire_repairs_total{repair="temperature_refused"} 2');
  });

  const schema = { type: 'object', properties: {} };
  const parts = [
    { type: 'input_text', text: 'a' },
    { type: 'input_text', text: 'b' },
  ];

  it.each([
    ['effort', 'chat', { input: 'q', reasoning: { effort: 'minimal' } }, 'reasoning_effort'],
    ['effort', 'responses', { input: 'q', reasoning: { effort: 'xhigh' } }, 'reasoning_effort'],
    ['developer', 'responses', { input: [{ role: 'developer', content: 'x' }, question] }, 'developer'],
    [
      'json-schema',
      'chat',
      { input: 'q', text: { format: { type: 'json_schema', name: 'n', schema } } },
      'outputSchema',
    ],
    [
      'json-schema',
      'responses',
      { input: 'q', text: { format: { type: 'json_schema', name: 'n', schema } } },
      'outputSchema',
    ],
    ['text-parts', 'responses', { input: [{ role: 'user', content: parts }] }, 'content'],
  ] as const)(
    'a %s that a %s server does not take is sent as the nearest that it takes',
    async (what, wire, body, told) => {
      await using at = await startRig({ wire, scenario: 'text', faults: [`value-refused:${what}`] }, { wire });
      for (const count of [2, 3]) {
        const answer = await post(at.bridge, '/v1/responses', { model: 'm', ...body });
        expect([answer.status, at.mock.requests.length]).toEqual([200, count]);
        expect(answer.headers.get('x-turnwire-not-carried')).toBe(told);
      }
    },
  );

  it('the parts of a chat client become one text for a chat server that takes no parts', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['value-refused:text-parts'] },
      { wire: 'chat' },
    );
    const content = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    const answer = await post(at.bridge, '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] });
    expect([answer.status, at.mock.requests.at(-1)?.body?.['messages']]).toEqual([
      200,
      [{ role: 'user', content: 'a\nb' }],
    ]);
  });

  it('the system speaks as a user between the turns of a chat server that takes it at the beginning alone', async () => {
    await using at = await startRig(
      { wire: 'chat', scenario: 'text', faults: ['system-between-turns'] },
      { wire: 'chat' },
    );
    const messages = [question, { role: 'assistant', content: 'a' }, { role: 'system', content: 's' }, question];
    for (const count of [2, 3]) {
      const answer = await post(at.bridge, '/v1/chat/completions', { model: 'm', messages });
      expect([answer.status, at.mock.requests.length]).toEqual([200, count]);
    }
  });

  it('names one field after the other, and each is healed', async () => {
    const faults = ['param-refused:temperature', 'param-refused:max_tokens'];
    await using at = await startRig({ wire: 'chat', scenario: 'text', faults }, { wire: 'chat' });
    const body = { model: 'm', input: 'q', temperature: 0.5, max_output_tokens: 9 };
    const answer = await post(at.bridge, '/v1/responses', body);
    expect([answer.status, answer.headers.get('x-turnwire-not-carried')]).toEqual([200, 'max_tokens, temperature']);
    expect(at.mock.requests.at(-1)?.body).toMatchObject({ max_completion_tokens: 9 });
  });

  it('is told where nothing that it names can be left out', async () => {
    const faults = ['param-refused:model'];
    await using at = await startRig({ wire: 'chat', scenario: 'text', faults }, { wire: 'chat' });
    const answer = await post(at.bridge, '/v1/responses', { model: 'temperature', input: 'q', temperature: 1 });
    expect([answer.status, at.mock.requests.length]).toEqual([400, 1]);
  });

  it.each(protocolIds)('goes on with a line of text in place of an image that a %s server refuses', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text', faults: ['image-refused'] }, { wire });
    const input: JsonObject[] = [{ role: 'user', content: [{ type: 'input_text', text: 'see' }, image] }];
    for (const count of [2, 3]) {
      const answer = await post(at.bridge, '/v1/responses', { model: 'm', input });
      expect([answer.status, at.mock.requests.length]).toEqual([200, count]);
      expect(answer.headers.get('x-turnwire-not-carried')).toBe('image');
      input.push({ role: 'user', content: 'and now?' });
    }
    expect(JSON.stringify(at.mock.requests.at(-1)?.body)).toContain('an image was here');
  });
});
