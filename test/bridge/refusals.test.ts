import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { deadUrl } from '../free-port.ts';
import { post, type Json } from './harness.ts';
import { startBridge } from './raw-upstream.ts';

let bridge: Bridge;
beforeAll(async () => {
  const callers = [{ name: 'ann', token: 'anns' }];
  bridge = await startBridge([{ url: await deadUrl() }], { authToken: 'sesame', callers, bodyLimit: 100 });
});
afterAll(() => bridge.close());

const known = { authorization: 'Bearer sesame' };

async function refusal(response: Response): Promise<readonly [number, string]> {
  const { error } = (await response.json()) as { error: Json };
  return [response.status, String(error.message)];
}

describe('a path that is not there', () => {
  it.each([
    ['/v1/v1/responses', '/v1/responses, with one /v1 in the base URL'],
    ['/v1//v1/responses', '/v1/responses, with one /v1 in the base URL'],
    ['/openai/v1/chat/completions', '/v1/chat/completions'],
    ['/anthropic/v1/messages?beta=true', '/v1/messages'],
    ['/proxy/v1/responses/Resp_A/input_items', '/v1/responses/Resp_A/input_items'],
    ['/api/chat/completions', '/v1/chat/completions'],
    ['/api/v0/models', '/v1/models'],
    ['/api/chat', '/v1/chat/completions'],
    ['/api/generate', '/v1/chat/completions'],
    ['/api/tags', '/v1/models'],
    ['/v1/completions', '/v1/chat/completions'],
    ['/v1/response', '/v1/responses'],
    ['/V1/Models', '/v1/models'],
    ['/v1/models/', '/v1/models'],
    ['//v1/messages', '/v1/messages'],
  ])('%s is told with what was probably meant', async (path, meant) => {
    const response = await fetch(bridge.url + path, { method: 'PUT', headers: known });
    const [told] = path.split('?');
    expect(await refusal(response)).toEqual([404, `there is no PUT ${told} here: did you mean ${meant}?`]);
  });

  it.each(['/v1/embeddings', '/wp-login.php', '/', '/v1', '/v1/responses/a/b', '/api/show'])(
    '%s is told as it is',
    async (path) => {
      const [status, message] = await refusal(await fetch(bridge.url + path, { method: 'PATCH', headers: known }));
      if (status === 404) expect(message).toBe(`there is no PATCH ${path} here`);
      else expect([path, status]).toEqual(['/', 405]);
    },
  );

  it('is told without a key in it, and not at any length', async () => {
    const key = `sk-proj-${'a1B2'.repeat(10)}`;
    const [, message] = await refusal(await fetch(`${bridge.url}/${key}/${'x'.repeat(5000)}`, { headers: known }));
    expect(message).not.toContain(key);
    expect(message.length).toBeLessThan(250);
  });
});

describe('a request that is not let in', () => {
  const which =
    'callers send the one that --auth-token-env or [callers.NAME] of the bridge names, as Authorization: Bearer or x-api-key';

  it.each([
    [{}, 401, `the token is missing: ${which}`],
    [{ authorization: 'Bearer guess' }, 401, `the token is wrong: ${which}`],
    [{ 'x-api-key': 'guess' }, 401, `the token is wrong: ${which}`],
    [
      { ...known, 'content-type': 'text/plain' },
      415,
      'the content type has to be application/json: send it as the header content-type',
    ],
    [
      { ...known, origin: 'http://page.example' },
      403,
      'this Origin is not allowed: requests of web pages are refused, but of those that --allow-origin ORIGIN names',
    ],
  ])('is told what would change that: %j', async (headers, status, message) => {
    expect(await refusal(await post(bridge, '/v1/responses', {}, { headers }))).toEqual([status, message]);
  });

  it('is told which flag is the limit of its body, and whose the metrics are', async () => {
    expect(await refusal(await post(bridge, '/v1/responses', 'x'.repeat(101), { headers: known }))).toEqual([
      413,
      'the body is over 100 bytes (--body-limit of the bridge)',
    ]);
    expect(await refusal(await fetch(`${bridge.url}/metrics`, { headers: { authorization: 'Bearer anns' } }))).toEqual([
      403,
      'the metrics are for the token of --auth-token-env, not for that of a caller',
    ]);
  });
});
