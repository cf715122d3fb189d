import { describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { post, startRig, type Json } from './harness.ts';

const tools = { wire: 'chat', scenario: 'tool-call', faults: ['thought-signature'] } as const;
const codex = { originator: 'codex_exec' };
const functions = [{ type: 'function', name: 'read_file', parameters: { type: 'object', properties: {} } }];
const chatTools = functions.map(({ type, ...fields }) => ({ type, function: fields }));

describe('bridge: what a server wants back (docs/contract.md 3.12)', () => {
  it('comes back through Codex, which knows no such member, after a restart of the bridge', async () => {
    await using at = await startRig(tools, { wire: 'chat' });
    const question = { role: 'user', content: 'weather?' };
    const ask = async (bridge: typeof at.bridge, input: readonly unknown[]): Promise<Response> =>
      post(bridge, '/v1/responses', { model: 'm', input, tools: functions }, { headers: codex });
    const first = (await (await ask(at.bridge, [question])).json()) as { output: Json[] };
    expect(first.output.map(({ type }) => type)).toEqual(['function_call', 'reasoning']);
    expect(JSON.stringify(first.output[0])).not.toContain('signature');
    const known = first.output.map(({ type, call_id, name, arguments: args, summary, encrypted_content }) => ({
      ...{ type, call_id, name, arguments: args, summary, encrypted_content },
    }));
    const input = [question, ...known, { type: 'function_call_output', call_id: known[0]?.call_id, output: 'sun' }];
    await using another = createBridge({ upstreams: [at.mock.baseUrl], wire: 'chat', port: 0, requestMaxRetries: 0 });
    await another.listen();
    const second = await ask(another, input);
    expect([second.status, second.headers.get('x-turnwire-not-carried')]).toEqual([200, null]);
    const lost = await ask(
      another,
      input.filter((item) => (item as Json).type !== 'reasoning'),
    );
    expect(lost.status).toBe(400);
  });

  it('comes back with a response that is only named', async () => {
    await using at = await startRig(tools, { wire: 'chat' });
    const first = await post(at.bridge, '/v1/responses', { model: 'm', input: 'weather?', tools: functions });
    const { id, output } = (await first.json()) as { id: string; output: Json[] };
    const answer = { type: 'function_call_output', call_id: output[0]?.call_id, output: 'sun' };
    const next = { model: 'm', previous_response_id: id, input: [answer], tools: functions };
    expect((await post(at.bridge, '/v1/responses', next)).status).toBe(200);
  });

  it.each([true, false])('stands where it stood for a chat client (stream: %s), and comes back', async (stream) => {
    await using at = await startRig(tools, { wire: 'chat' });
    const question = { role: 'user', content: 'weather?' };
    const body = { model: 'm', stream, messages: [question], tools: chatTools };
    const text = await (await post(at.bridge, '/v1/chat/completions', body)).text();
    const extra_content = {
      google: { thought_signature: Buffer.from('thought behind read_file').toString('base64') },
    };
    expect(text.split(JSON.stringify(extra_content))).toHaveLength(2);
    const call = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{}' } };
    const messages = (one: Json): unknown[] => [
      question,
      { role: 'assistant', content: null, tool_calls: [one] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ];
    const again = { ...body, messages: messages({ ...call, extra_content }) };
    expect((await post(at.bridge, '/v1/chat/completions', again)).status).toBe(200);
    expect((await post(at.bridge, '/v1/chat/completions', { ...body, messages: messages(call) })).status).toBe(400);
  });
});
