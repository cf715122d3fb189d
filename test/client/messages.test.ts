import { afterEach, describe, expect, test } from 'vitest';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import { limitResetOf } from '../../packages/wire/src/read/retry-headers.ts';
import type { ProviderOptions } from '../../packages/client/src/provider/provider.ts';
import { begin, body, finish, last, texts } from '../wire/messages-support.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { sealThinking } from '../../packages/wire/src/sealed-thinking.ts';
import { message, usage } from '../wire/rules.ts';
import { hello, modelServer, outcomeOf, providerFor, status, stream } from './support.ts';

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
});

function open(url: string, options: Partial<ProviderOptions> = {}): ModelSession {
  session = createModelSession({
    provider: providerFor(url, 'messages', { envKey: 'KEY', requestMaxRetries: 1, streamMaxRetries: 0, ...options }),
    getEnv: (name) => (name === 'KEY' ? 'sk-ant-1' : undefined),
    random: () => 0,
  });
  return session;
}

const answer = body(begin(), ...texts(0, 'hel', 'lo'), finish(), last);

describe('a server of the Messages wire', () => {
  test('is asked at /messages, with its version and the key in its own header', async () => {
    await using server = await modelServer(stream(answer));
    const { events, error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ type: 'completed', finish_reason: 'end_turn', usage: usage(5, 7) });
    expect(events.filter(({ type }) => type === 'output_item.done')).toMatchObject([
      { item: { ...message('hello'), id: expect.stringMatching(/^msg_/) as string } },
    ]);
    const [request] = server.requests;
    expect(request?.url).toMatch(/\/messages$/);
    expect(request?.headers).toMatchObject({ 'x-api-key': 'sk-ant-1', 'anthropic-version': '2023-06-01' });
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(request?.body).toMatchObject({ model: 'm', stream: true, max_tokens: expect.any(Number) as number });
  });

  test('may want a bearer token, another version and betas', async () => {
    await using server = await modelServer(stream(answer));
    const httpHeaders = { 'Anthropic-Version': '2026-10-21', 'anthropic-beta': 'effort-2025-11-24' };
    await outcomeOf(open(server.url, { bearerKey: true, httpHeaders }).turn().stream(hello));
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-ant-1',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'effort-2025-11-24',
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('x-api-key');
  });
});

const refusal = (type: string): object => ({ type: 'error', error: { type, message: 'm' }, request_id: 'req_body' });

describe('8.17 refusals', () => {
  test('the type is the code, and the id of the request is told', async () => {
    await using server = await modelServer(status(404, refusal('not_found_error'), { 'request-id': 'req_head' }));
    const { error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error?.toJSON()).toEqual({
      kind: 'invalid_request',
      message: 'm',
      status: 404,
      code: 'not_found_error',
      type: 'not_found_error',
      request_id: 'req_head',
      retry: { class: 'never', replay_safe: true },
    });
  });

  test('x-should-retry: false ends what its kind would ask again', async () => {
    await using server = await modelServer(status(529, refusal('overloaded_error'), { 'x-should-retry': 'false' }));
    const { error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error?.toJSON()).toMatchObject({
      kind: 'server_overloaded',
      retry: { class: 'never' },
      request_id: 'req_body',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('x-should-retry: true asks again whatever the kind', async () => {
    const again = status(400, refusal('invalid_request_error'), { 'x-should-retry': 'true', 'retry-after-ms': '1' });
    await using server = await modelServer(again, stream(answer));
    const { error } = await outcomeOf(open(server.url).turn().stream(hello));
    expect(error).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  test('a limit of which nothing remains says how long to wait', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const header = (headers: Record<string, string>) => (name: string) =>
      headers[`anthropic-ratelimit-${name.slice(20)}`];
    const limits = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:40Z',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:09.5Z',
      'anthropic-ratelimit-input-tokens-remaining': '7',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:01Z',
    };
    expect(limitResetOf(header(limits), () => now)).toBe(9500);
    expect(limitResetOf(header({}), () => now)).toBeUndefined();
    expect(limitResetOf(header({ ...limits, 'anthropic-ratelimit-tokens-reset': 'soon' }), () => now)).toBe(40_000);
  });
});

describe('U5 thinking that the server refuses', () => {
  const sealed = sealThinking({ type: 'thinking', thinking: 'hm', signature: 'of another model' });
  const input = [
    { type: 'message', role: 'user', content: 'a' },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: sealed },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b', annotations: [] }] },
    { type: 'message', role: 'user', content: 'c' },
  ] as const;
  const invalid = {
    type: 'invalid_request_error',
    message: 'messages.1.content.0: Invalid `signature` in `thinking` block',
  };

  test('is left out of that request, and of no other one', async () => {
    const refuse = status(400, { type: 'error', error: invalid });
    await using server = await modelServer(refuse, stream(answer), stream(answer));
    const turn = open(server.url).turn();
    const request = { input: input as unknown as readonly Item[] };
    for (let n = 0; n < 2; n++) expect((await outcomeOf(turn.stream(request))).error).toBeUndefined();
    expect(server.requests.map(({ body: sent }) => JSON.stringify(sent).includes('of another model'))).toEqual([
      true,
      false,
      true,
    ]);
  });
});
