import { describe, expect, it } from 'vitest';
import { post, startRig, type Json } from './harness.ts';

const user = { role: 'user', content: 'q' };
const empty = { type: 'object', properties: {} };
const paths = { chat: '/v1/chat/completions', responses: '/v1/responses' } as const;
const wires = ['chat', 'responses'] as const;

/** The body of a client's request on either wire. */
const bodyOf = {
  chat: (more: Json): Json => ({ model: 'm', messages: [user], ...more }),
  responses: (more: Json): Json => ({ model: 'm', input: [user], ...more }),
};

/** A function tool as each wire writes it. */
const toolOf = {
  chat: (fields: Json): Json => ({ type: 'function', function: { name: 'f', ...fields } }),
  responses: (fields: Json): Json => ({ type: 'function', name: 'f', ...fields }),
};

const both = wires.flatMap((client) => wires.map((server) => ({ client, server })));

async function sent(client: 'chat' | 'responses', server: 'chat' | 'responses', more: Json): Promise<Json> {
  await using at = await startRig({ wire: server, scenario: 'text' }, { wire: server });
  const answer = await post(at.bridge, paths[client], bodyOf[client](more));
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  return at.mock.requests.at(-1)?.body as Json;
}

describe('bridge: what goes up to a server', () => {
  it.each(both)('$client to $server: parameters are an object schema (cc-switch#5490)', async ({ client, server }) => {
    const tools = [{ parameters: null }, {}, { parameters: {} }, { parameters: { type: null } }];
    const body = await sent(client, server, {
      tools: tools.map((fields, at) => toolOf[client]({ ...fields, name: `f${at}` })),
    });
    const told = (body.tools as Json[]).map((tool) => ((tool.function as Json | undefined) ?? tool).parameters);
    expect(told).toEqual([empty, empty, empty, empty]);
  });

  it.each([
    ['chat', {}, false],
    ['chat', { strict: true }, true],
    ['responses', {}, undefined],
  ] as const)('a tool of a %s client, %j, is strict for a Responses server: %s', async (client, fields, strict) => {
    const body = await sent(client, 'responses', { tools: [toolOf[client]({ ...fields, parameters: empty })] });
    expect((body.tools as Json[])[0]?.strict).toBe(strict);
  });

  it.each(both)('$client to $server: "any" is "required"', async ({ client, server }) => {
    const body = await sent(client, server, { tools: [toolOf[client]({ parameters: empty })], tool_choice: 'any' });
    expect(body.tool_choice).toBe('required');
  });

  it.each(both)('$client to $server: text parts do not run together, and empty ones are left out', async (row) => {
    const type = row.client === 'chat' ? 'text' : 'input_text';
    const content = ['Hello', '', 'there'].map((text) => ({ type, text }));
    const messages = [{ role: 'user', content }];
    const body = await sent(row.client, row.server, row.client === 'chat' ? { messages } : { input: messages });
    const said = JSON.stringify(body.messages ?? body.input);
    expect(said).not.toContain('Hellothere');
    expect(said).toMatch(/Hello.*there/);
  });

  it.each([
    { type: 'input_image', image_url: { url: 'data:,x', detail: 'low' } },
    { type: 'image_url', image_url: { url: 'data:,x', detail: 'low' } },
    { type: 'image_url', image_url: 'data:,x', detail: 'low' },
  ])('an image of a Responses client in the form of the chat wire is read: %j', async (image) => {
    const input = [{ role: 'user', content: [image] }];
    const [message] = (await sent('responses', 'chat', { input })).messages as Json[];
    expect(message?.content).toEqual([{ type: 'image_url', image_url: { url: 'data:,x', detail: 'low' } }]);
    const [item] = (await sent('responses', 'responses', { input })).input as Json[];
    expect(item?.content).toEqual([{ type: 'input_image', image_url: 'data:,x', detail: 'low' }]);
  });

  it('max_tokens -1 is no limit', async () => {
    const body = await sent('chat', 'chat', { max_tokens: -1 });
    expect([body.max_tokens, body.max_completion_tokens]).toEqual([undefined, undefined]);
  });

  it.each([
    ['chat', { messages: [] }, 'messages'],
    ['responses', { input: [] }, 'input'],
    ['chat', { messages: [user, { role: 'tool', tool_call_id: 'lost', content: 'x' }] }, 'messages[1].tool_call_id'],
    [
      'responses',
      { input: [user, { type: 'function_call_output', call_id: 'lost', output: 'x' }] },
      'input[1].call_id',
    ],
  ] as const)('%s: %j is a 400 that names %s', async (client, more, param) => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const answer = await post(at.bridge, paths[client], bodyOf[client](more));
    const { error } = (await answer.json()) as { error: Json };
    expect([answer.status, error.param, at.mock.requests.length]).toEqual([400, param, 0]);
    expect(error.message).toMatch(param.includes('call_id') ? /"lost"/ : /is empty/);
  });

  it('an output without its call is a message of the user for Codex', async () => {
    await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
    const input = [user, { type: 'function_call_output', call_id: 'lost', output: 'sunny' }];
    const answer = await post(at.bridge, '/v1/responses', { model: 'm', input }, { headers: { originator: 'codex' } });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(at.mock.requests[0]?.body?.messages)).toMatch(/tool call lost.*sunny/);
  });

  it('reasoning of another server does not go to OpenAI, and neither do ids that the bridge made', async () => {
    await using at = await startRig(
      { wire: 'responses', scenario: 'tool-call' },
      { wire: 'responses', tools: 'native' },
    );
    const first = await post(at.bridge, '/v1/responses', bodyOf.responses({}));
    const { id } = (await first.json()) as { id: string };
    const output = { type: 'shell_call_output', call_id: 'call_1', output: [] };
    const call = { type: 'shell_call', call_id: 'call_1', action: { commands: ['ls'] } };
    const second = await post(at.bridge, '/v1/responses', { previous_response_id: id, input: [call, output] });
    const { id: next } = (await second.json()) as { id: string };
    await post(at.bridge, '/v1/responses', { previous_response_id: next, input: [user] });
    expect(at.mock.requests).toHaveLength(3);
    expect(JSON.stringify(at.mock.requests[2]?.body?.input)).not.toMatch(/"id":"\w+_tw/);
  });
});
