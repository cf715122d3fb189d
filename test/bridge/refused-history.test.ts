import { describe, expect, it } from 'vitest';
import { startMock } from '../../packages/testing/src/index.ts';
import { omit } from '../../packages/wire/src/base/json.ts';
import { protocols } from '../../packages/wire/src/protocols.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';
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

  it.each(['codex_exec', 'another'])(
    'thought-signature:google-text: a text of the model is taken back from %s',
    async (originator) => {
      const faults = ['thought-signature:google-text'];
      await using at = await startRig({ wire: 'chat', scenario: 'text', faults }, { wire: 'chat' });
      const ask = (input: readonly unknown[]): Promise<Response> =>
        post(at.bridge, '/v1/responses', { model: 'm', input }, { headers: { originator } });
      const first = (await (await ask([question])).json()) as { output: Json[] };
      const known = first.output.map((item) => (originator === 'codex_exec' ? omit(item, 'carried') : item));
      expect((await ask([question, ...known, question])).status).toBe(200);
      const bare = first.output.filter(({ type }) => type === 'message').map((item) => omit(item, 'carried'));
      expect((await ask([question, ...bare, question])).status).toBe(400);
    },
  );

  it.each(['chat', 'responses'] as const)('tools without an object schema get one for a %s server', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text', faults: ['value-refused:tool-parameters'] }, { wire });
    const bare = [{ parameters: null }, { parameters: {} }, {}, { parameters: { properties: {} } }];
    const body = { model: 'm', input: 'q', tools: bare.map((one, n) => ({ type: 'function', name: `f${n}`, ...one })) };
    expect([(await post(at.bridge, '/v1/responses', body)).status, at.mock.requests.length]).toEqual([200, 1]);
    for (const tool of body.tools) {
      const { type, ...fields } = tool;
      const own = { ...body, messages: [question], tools: [wire === 'chat' ? { type, function: fields } : tool] };
      expect((await post(at.mock, `/v1/${protocols[wire].path}`, own)).status).toBe(400);
    }
  });

  it('no id goes up that begins otherwise than those of its type', async () => {
    await using at = await startRig(
      { wire: 'responses', scenario: 'text', faults: ['value-refused:item-ids'] },
      { wire: 'responses' },
    );
    const input = [
      { type: 'message', id: 'chatcmpl-1', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
      { type: 'message', id: 'item_2', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
      { type: 'function_call', id: 'call_3', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'd' },
      { type: 'message', id: 'msg_4', role: 'user', content: 'q' },
    ];
    expect((await post(at.bridge, '/v1/responses', { model: 'm', input })).status).toBe(200);
    const sent = at.mock.requests[0]?.body?.['input'] as Json[];
    expect(sent.map(({ id }) => id)).toEqual([undefined, undefined, undefined, undefined, 'msg_4']);
    for (const item of input.slice(0, 3)) {
      expect((await post(at.mock, '/v1/responses', { model: 'm', input: [item] })).status).toBe(400);
    }
  });

  it('raw reasoning goes to no server of OpenAI', async () => {
    await using mock = await startMock({
      wire: 'responses',
      scenario: 'text',
      faults: ['value-refused:raw-reasoning'],
    });
    const thought = { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 't' }] } as const;
    const input = [{ type: 'message', role: 'user', content: 'q' }, thought] as const;
    const statusAt = async (host: string): Promise<number> => {
      const body = toResponsesBody({ model: 'm', input }, { quirks: chatQuirksOf(host, 'm') });
      return (await post(mock, '/v1/responses', body)).status;
    };
    expect([await statusAt('https://api.openai.com/v1'), await statusAt('http://127.0.0.1/v1')]).toEqual([200, 400]);
  });
});
