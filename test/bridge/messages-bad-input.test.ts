import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridge, type Bridge } from '../../packages/bridge/src/index.ts';
import { createDecoder, protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import { modelServer, stream, type ModelServer } from '../client/support.ts';
import { oddStreams } from '../wire/messages-odd-streams.ts';
import {
  begin,
  body,
  calls,
  finish,
  last,
  signatureDelta,
  start,
  stop,
  texts,
  thinkingBlock,
  thinkingDelta,
} from '../wire/messages-support.ts';
import { createTranscriptText } from '../wire/summaries.ts';
import { post, readBody, startRig, type Json } from './harness.ts';

/** What servers and clients of the Messages wire do wrong, or too large, through the bridge over real sockets. */
const hello = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] };
const parameters = { type: 'object', properties: {} };

/** A question of each client that offers the tool `f`. */
const asks: Readonly<Record<ProtocolId, { readonly path: string; readonly body: object }>> = {
  chat: {
    path: '/v1/chat/completions',
    body: { messages: hello.messages, tools: [{ type: 'function', function: { name: 'f', parameters } }] },
  },
  responses: { path: '/v1/responses', body: { input: 'hi', tools: [{ type: 'function', name: 'f', parameters }] } },
  messages: { path: '/v1/messages', body: { ...hello, tools: [{ name: 'f', input_schema: parameters }] } },
};

async function bridgeTo(server: ModelServer, wire: ProtocolId): Promise<Bridge> {
  const bridge = createBridge({ upstreams: [server.url], port: 0, requestMaxRetries: 0, drainTimeoutMs: 0, wire });
  await bridge.listen();
  return bridge;
}

/** The items that a client got, in one, and how the answer ended. */
function told(wire: ProtocolId, text: string) {
  const decoder = createDecoder(wire, { tokenLimit: true });
  const events = [...decoder.push(new TextEncoder().encode(text)), ...decoder.end({ type: 'close' })];
  const items = events.flatMap((event): OutputItem[] => (event.type === 'output_item.done' ? [event.item] : []));
  const { kind } = decoder.failure ?? {};
  const end = kind === undefined ? 'completed' : kind === 'incomplete' ? 'incomplete' : 'failed';
  const { text: said, calls: called } = createTranscriptText(items);
  return { items, said, called, end };
}

const failures = ['stream_truncated', 'server_overloaded', 'server_error'];
const overloaded = { chat: 503, responses: 503, messages: 529 } as const;

/** What becomes of an odd stream at a client, where it is not what the server said. */
function expected(wire: ProtocolId, name: string, streamed: boolean) {
  const [, { items, end }] = oddStreams[name] ?? ['', { items: [], end: '' }];
  const { text: said, calls: called } = createTranscriptText(items);
  const failed = { said, called: [], end: 'failed' };
  // Arguments that are no JSON are never closed for a Messages client, and no stop reason follows them (N6, N12).
  if (wire === 'messages' && name === 'a call whose JSON is cut short') return failed;
  if (wire === 'messages' && name.startsWith('a call that a limit cut') && streamed) return failed;
  // The chat wire tells at the end alone that a call is whole.
  if (failures.includes(end)) return wire === 'chat' ? failed : { ...failed, called };
  return { said, called, end: end === 'incomplete' ? end : 'completed' };
}

describe.each(protocolIds)('M N a %s client is told of an odd Messages stream', (wire) => {
  let odd = '';
  let server: ModelServer;
  let bridge: Bridge;

  beforeAll(async () => {
    server = await modelServer((response) => stream(odd)(response));
    bridge = await bridgeTo(server, 'messages');
  });

  afterAll(async () => {
    await bridge.close();
    await server[Symbol.asyncDispose]();
  });

  const rows = Object.keys(oddStreams).flatMap((name) => [true, false].map((streamed) => ({ name, streamed })));

  it.each(rows)('$name (stream: $streamed)', async ({ name, streamed }) => {
    [odd] = oddStreams[name] ?? [''];
    const { path, body: asked } = asks[wire];
    const response = await post(bridge, path, { model: 'm', stream: streamed, ...asked });
    const { text } = await readBody(response);
    const wanted = expected(wire, name, streamed);
    if (response.status !== 200) {
      // Nothing had gone out: the failure is a status, and a client that was sent one body has nothing else.
      expect([wanted.end, response.status]).toEqual([
        'failed',
        name === 'an error event, then held open' ? overloaded[wire] : expect.any(Number),
      ]);
      expect(Object.keys(JSON.parse(text) as Json)).toContain('error');
      return;
    }
    const { said, called, end } = told(wire, text);
    expect({ said, called, end }).toEqual(wanted);
  });
});

describe('bad input of a Messages client', () => {
  it.each(protocolIds)(
    '10,000 blocks of an answer come to a %s client',
    async (wire) => {
      const many = Array.from({ length: 10_000 }, (_, n) => calls(n, `c${n}`, `{"n":${n}}`)).flat();
      await using server = await modelServer(stream(body(begin(), ...many, finish('tool_use'), last)));
      await using bridge = await bridgeTo(server, 'messages');
      const response = await post(bridge, asks[wire].path, { model: 'm', stream: true, ...asks[wire].body });
      const { called, end } = told(wire, await response.text());
      expect(end).toBe('completed');
      expect(called).toEqual(Array.from({ length: 10_000 }, (_, n) => `f({"n":${n}})`));
    },
    60_000,
  );

  it.each(protocolIds)('10,000 blocks of a question come to a %s server', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text' }, { wire });
    const content = Array.from({ length: 10_000 }, (_, n) => ({ type: 'text', text: `<${n}>` }));
    const response = await post(at.bridge, '/v1/messages', { ...hello, messages: [{ role: 'user', content }] });
    expect(response.status).toBe(200);
    const asked = JSON.stringify(at.mock.requests.at(-1)?.body);
    expect(asked.match(/<\d+>/g)).toEqual(content.map(({ text }) => text));
  });

  it.each(['messages', 'responses'] as const)(
    'a signature of 10 MB goes through a %s client and comes back byte for byte',
    async (wire) => {
      const signature = 'Sig+/='.repeat(1_750_000);
      const block = [start(0, thinkingBlock), thinkingDelta(0, 'hm'), signatureDelta(0, signature), stop(0)];
      const answer = stream(body(begin(), ...block, ...texts(1, 'yes'), finish(), last));
      await using server = await modelServer(answer);
      await using bridge = await bridgeTo(server, 'messages');
      const { path, body: asked } = asks[wire];
      const first = (await (await post(bridge, path, { model: 'm', ...asked })).json()) as Json;
      const history = {
        messages: { messages: [...hello.messages, { role: 'assistant', content: first.content }, ...hello.messages] },
        responses: {
          input: [
            { role: 'user', content: 'hi' },
            ...((first.output ?? []) as Json[]),
            { role: 'user', content: 'hi' },
          ],
        },
      }[wire];
      const second = await post(bridge, path, { model: 'm', ...asked, ...history });
      expect(second.status).toBe(200);
      const [, said] = server.requests.at(-1)?.body.messages as { content: Json[] }[];
      expect(said?.content[0]?.signature === signature).toBe(true);
      expect(said?.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    },
    60_000,
  );

  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
  const refusals = {
    chat: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
    responses: 'this is not a multimodal model: images are not supported',
    messages: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
  } as const;

  it.each(protocolIds)('an image for a %s server of texts becomes a line of text, and that is told', async (wire) => {
    const bodies: string[] = [];
    await using server = await modelServer((response, received) => {
      const asked = JSON.stringify(received.body);
      bodies.push(asked);
      const isRefused = asked.includes('AA==');
      response.writeHead(isRefused ? 500 : 200, { 'content-type': 'application/json' });
      response.end(isRefused ? JSON.stringify({ error: { code: 500, message: refusals[wire] } }) : WHOLE[wire]);
    });
    await using bridge = await bridgeTo(server, wire);
    const content = [{ type: 'text', text: 'see' }, picture];
    const response = await post(bridge, '/v1/messages', { ...hello, messages: [{ role: 'user', content }] });
    expect([response.status, response.headers.get('x-turnwire-not-carried')]).toEqual([200, 'image']);
    expect(bodies).toHaveLength(2);
    expect(bodies.at(-1)).toContain('an image was here');
  });

  it.each(protocolIds)('a request without max_tokens is answered by a %s server', async (wire) => {
    await using at = await startRig({ wire, scenario: 'text' }, { wire });
    const response = await post(at.bridge, '/v1/messages', { model: 'm', messages: hello.messages });
    expect([response.status, ((await response.json()) as Json).stop_reason]).toEqual([200, 'end_turn']);
    expect(at.mock.requests.at(-1)?.body).toEqual(
      wire === 'messages'
        ? expect.objectContaining({ max_tokens: 32_000 })
        : expect.not.objectContaining({ max_tokens: expect.anything() as number }),
    );
  });

  it('names and ids that the wire has no letters for come back as they were', async () => {
    const odd = 'fs.read file/ü';
    const id = 'call:1/ü';
    const call = { index: 0, id, type: 'function', function: { name: '', arguments: '{}' } };
    const asked: Json[] = [];
    await using server = await modelServer((response, { body: sent }) => {
      asked.push(sent);
      const [tool] = sent.tools as { function: { name: string } }[];
      const calling = { ...call, function: { ...call.function, name: tool?.function.name } };
      const choice = { index: 0, delta: { tool_calls: [calling] }, finish_reason: 'tool_calls' };
      stream(`data: ${JSON.stringify({ choices: [choice] })}\n\ndata: [DONE]\n\n`)(response);
    });
    await using bridge = await bridgeTo(server, 'chat');
    const tools = [{ name: odd, input_schema: parameters }];
    const first = (await (await post(bridge, '/v1/messages', { ...hello, tools })).json()) as { content: Json[] };
    const [use] = first.content;
    expect(use).toEqual({
      type: 'tool_use',
      id: expect.stringMatching(/^[a-zA-Z0-9_-]+$/) as string,
      name: odd,
      input: {},
    });
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id, content: 'done' }] };
    const messages = [...hello.messages, { role: 'assistant', content: first.content }, result];
    await post(bridge, '/v1/messages', { ...hello, tools, messages });
    const [, called, output] = asked.at(-1)?.messages as [Json, { tool_calls: Json[] }, Json];
    expect(called.tool_calls).toMatchObject([
      { id, function: { name: expect.stringMatching(/^[\w-]{1,64}$/) as string } },
    ]);
    expect(output).toMatchObject({ role: 'tool', tool_call_id: id, content: 'done' });
  });
});

const WHOLE: Readonly<Record<ProtocolId, string>> = {
  messages: '{"id":"msg_1","type":"message","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn"}',
  chat: '{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}',
  responses:
    '{"id":"resp_1","object":"response","status":"completed","output":[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ok","annotations":[]}]}]}',
};
