import { once } from 'node:events';
import OpenAI from 'openai';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bridge, BridgeOptions } from '../../packages/bridge/src/index.ts';
import { LiveResponses } from '../../packages/bridge/src/store/index.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import { validateOrder } from '../../packages/wire/src/responses/validate.ts';
import { askJson, askSocket, post, sseEvents, startRig, type Json } from './harness.ts';
import { startRedis, whyNoRedis } from './redis-server.ts';
import { eventShape, responseShape } from './open-responses-shape.ts';
import {
  chatChunk,
  chatEnd,
  startBridge,
  startRawUpstream,
  type RawExchange,
  type RawUpstream,
} from './raw-upstream.ts';

const noRedis = whyNoRedis();
const STREAM = { 'content-type': 'text/event-stream' };

let upstream: RawUpstream;
let bridge: Bridge;
beforeEach(async () => {
  upstream = await startRawUpstream();
  bridge = await startBridge([upstream]);
});
afterEach(async () => {
  await bridge.close();
  await upstream.close();
});

const begin = async (): Promise<RawExchange['res']> => {
  const { res } = await upstream.next();
  res.writeHead(200, STREAM);
  return res;
};

const get = (path: string): Promise<Response> => fetch(`${bridge.url}/v1/responses/${path}`);
const object = async (id: unknown): Promise<Json> => (await (await get(String(id))).json()) as Json;
const events = async (response: Response): Promise<Json[]> => sseEvents(await response.text());

/** The events of a stream up to one of a type; then the client leaves. */
async function readUntil(response: Response, type: string): Promise<Json[]> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.includes(`"type":"${type}"`) && text.endsWith('\n\n')) break; // leaves the stream
  }
  return sseEvents(text);
}

/** Settles when the response has ended, in whatever way. */
async function ended(id: unknown): Promise<Json> {
  await events(await get(`${String(id)}?stream=true`));
  return object(id);
}

describe('a response in the background', () => {
  it('is told at once, goes on alone, and is there when it has ended', async () => {
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', background: true });
    const told = (await response.json()) as Json;
    expect(responseShape(told, '$')).toEqual([]);
    expect(told).toMatchObject({ status: 'in_progress', background: true, output: [] });
    const res = await begin();
    expect(await object(told.id)).toMatchObject({ id: told.id, status: 'in_progress' });
    const next = await post(bridge, '/v1/responses', { model: 'm', input: 'x', previous_response_id: told.id });
    expect(((await next.json()) as { error: Json }).error.code).toBe('response_in_progress');
    res.end(chatChunk('Hello.') + chatEnd);
    const whole = await ended(told.id);
    expect(whole).toMatchObject({ status: 'completed', background: true, output: [{ content: [{ text: 'Hello.' }] }] });
    const items = await get(`${String(told.id)}/input_items`);
    expect(((await items.json()) as { data: Json[] }).data).toMatchObject([{ role: 'user' }]);
    const follow = askJson(bridge, { input: 'And?', previous_response_id: told.id });
    const second = await upstream.next();
    expect((second.body.messages as Json[]).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    second.res.writeHead(200, STREAM).end(chatChunk('x') + chatEnd);
    expect((await follow).how).toBe('completed');
  });

  it('loses nothing for a client that lost its connection: what it saw and what it missed are the stream', async () => {
    const body = { model: 'm', input: 'hi', background: true, stream: true };
    const first = post(bridge, '/v1/responses', body);
    const res = await begin();
    res.write(chatChunk('One '));
    const seen = await readUntil(await first, 'response.output_text.delta');
    const { id } = (seen[0] as { response: Json }).response;
    const last = Number(seen.at(-1)?.sequence_number);
    const resumed = get(`${String(id)}?stream=true&starting_after=${last}`);
    res.write(chatChunk('two '));
    res.end(chatChunk('three.') + chatEnd);
    const missed = await events(await resumed);
    const all = [...seen, ...missed];
    expect(validateOrder(all)).toEqual([]);
    expect(all.flatMap((event) => eventShape(event, '$'))).toEqual([]);
    const deltas = all.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
    expect(deltas.join('')).toBe('One two three.');
    // And again, all of it, and only its end.
    expect(await events(await get(`${String(id)}?stream=true`))).toEqual(all);
    expect(await events(await get(`${String(id)}?stream=true&starting_after=${all.length - 2}`))).toEqual(
      all.slice(-1),
    );
  });

  it('is cancelled by its id, and stays so', async () => {
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', background: true });
    const { id } = (await response.json()) as Json;
    const exchange = await upstream.next();
    exchange.res.writeHead(200, STREAM).write(chatChunk('Hel'));
    const stream = get(`${String(id)}?stream=true`);
    const client = new OpenAI({ baseURL: `${bridge.url}/v1`, apiKey: 'none' });
    const cancelled = await client.responses.cancel(String(id));
    expect(cancelled.status).toBe('cancelled');
    await exchange.left; // the server is not kept at work
    expect((await events(await stream)).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'cancelled', error: null },
    });
    expect((await client.responses.cancel(String(id))).status).toBe('cancelled');
    expect(await object(id)).toMatchObject({ id, status: 'cancelled' });
  });

  it('says in its object and its stream that it failed', async () => {
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', background: true });
    const { id } = (await response.json()) as Json;
    const { res } = await upstream.next();
    res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no such thing"}}');
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { message: 'no such thing' } });
  });

  it('ends and is forgotten when it is deleted', async () => {
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', background: true });
    const { id } = (await response.json()) as Json;
    const exchange = await upstream.next();
    const deleted = await fetch(`${bridge.url}/v1/responses/${String(id)}`, { method: 'DELETE' });
    expect(await deleted.json()).toEqual({ id, object: 'response', deleted: true });
    await exchange.left;
    expect((await get(String(id))).status).toBe(404);
  });

  it('is told that the bridge shuts down, and followers with it', async () => {
    const body = { model: 'm', input: 'hi', background: true, stream: true };
    const stream = await post(bridge, '/v1/responses', body);
    await begin();
    const told = events(stream);
    await bridge.close();
    expect((await told).at(-1)).toMatchObject({ type: 'response.failed' });
  });

  it.each([
    ['store: false', { store: false }, 'background'],
    ['a background that is no boolean', { background: 'yes' }, 'background'],
  ])('is refused with %s', async (_, more, param) => {
    const response = await post(bridge, '/v1/responses', { model: 'm', input: 'hi', background: true, ...more });
    expect([response.status, ((await response.json()) as { error: Json }).error.param]).toEqual([400, param]);
  });

  it('is refused over a WebSocket, as the specification has it', async () => {
    const { how, body } = await askSocket(bridge, { input: 'hi', background: true });
    expect([how, body?.param]).toEqual(['http:400', 'background']);
  });
});

describe('a stored response', () => {
  it('is streamed again: its items whole, or only its end to who has seen some of it', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: {
        turns: [
          {
            replies: [
              {
                parts: [
                  { type: 'reasoning', text: 'Hm.' },
                  { type: 'text', text: 'Hello.' },
                ],
              },
            ],
          },
        ],
      },
    });
    const { body } = await askJson(rig.bridge, { input: 'hi', metadata: { a: 'b' } });
    const path = `${rig.bridge.url}/v1/responses/${String(body?.id)}?stream=true`;
    const all = await events(await fetch(path));
    expect(validateOrder(all)).toEqual([]);
    expect(all.flatMap((event) => eventShape(event, '$'))).toEqual([]);
    expect(all.at(-1)).toMatchObject({ type: 'response.completed', response: body });
    expect(all[0]).toMatchObject({
      response: { id: body?.id, status: 'in_progress', metadata: { a: 'b' }, output: [] },
    });
    const end = await events(await fetch(`${path}&starting_after=99`));
    expect(end).toEqual([{ type: 'response.completed', response: body, sequence_number: 100 }]);
  });

  it('is not cancelled where it did not run in the background', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x' }] }] }] },
    });
    const { body } = await askJson(rig.bridge, { input: 'hi' });
    const cancel = (id: string): Promise<Response> => post(rig.bridge, `/v1/responses/${id}/cancel`, {});
    expect((await cancel(String(body?.id))).status).toBe(400);
    expect((await cancel('resp_none')).status).toBe(404);
  });

  it.each(['x', '-1', '1.5', ''])('is not streamed from %j on', async (after) => {
    const response = await get(`resp_none?stream=true&starting_after=${after}`);
    expect(response.status).toBe(400);
    expect((await get('resp_none?stream=true')).status).toBe(404);
  });
});

describe('what is kept of responses in the background', () => {
  const event = (n: number) => ({ type: 'x', data: `{"type":"x","pad":"${'.'.repeat(50)}","sequence_number":${n}}` });
  const start = (live: LiveResponses, id: string) =>
    live.start({ input: [], previousId: undefined, body: () => ({ id }), cancel: () => undefined });

  it('is bounded in bytes: those that have ended go first, and one that runs forgets what it told', () => {
    const live = new LiveResponses(systemClock, 500);
    const done = start(live, 'done');
    done.add([event(0), event(1)]);
    done.end(systemClock.now());
    const running = start(live, 'running');
    running.add([event(0), event(1), event(2)]);
    expect(live.get('done')).toBeDefined();
    running.add([event(3)]);
    expect(live.get('done')).toBeUndefined();
    running.add([event(4), event(5)]);
    expect(running.bytes).toBe(0);
    expect([running.placeBehind(3), running.placeBehind(5)]).toEqual([6, 6]);
    running.add([event(6)]);
    expect([running.placeBehind(3), running.placeBehind(5)]).toEqual([undefined, 6]);
    expect(running.from(6, 10)).toEqual([event(6)]);
    expect(running.from(3, 10)).toBeUndefined();
  });
});

describe('a stream whose client may come back (resumeMs)', () => {
  const body = { model: 'm', input: 'hi', stream: true };
  const over = async (resumeMs: number, more: Json = {}, options: Partial<BridgeOptions> = {}) => {
    await bridge.close();
    bridge = await startBridge([upstream], { resumeMs, ...options });
    const first = post(bridge, '/v1/responses', { ...body, ...more });
    const res = await begin();
    res.write(chatChunk('One '));
    const seen = await readUntil(await first, 'response.output_text.delta');
    return { res, seen, id: String((seen[0] as { response: Json }).response.id) };
  };

  it('goes on where its client was, without a word lost or doubled', async () => {
    const { res, seen, id } = await over(60_000);
    const resumed = get(`${id}?stream=true&starting_after=${Number(seen.at(-1)?.sequence_number)}`);
    res.end(chatChunk('two.') + chatEnd);
    const all = [...seen, ...(await events(await resumed))];
    expect(validateOrder(all)).toEqual([]);
    const deltas = all.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
    expect(deltas.join('')).toBe('One two.');
    expect(await object(id)).toMatchObject({ status: 'completed', background: false });
  });

  it.runIf(noRedis === undefined)('has its end, though it was given up while its store did not answer', async () => {
    const redis = await startRedis();
    let giveUp = (): void => undefined;
    const clock: Clock = {
      ...systemClock,
      after: (ms, then, options) => {
        if (ms !== 77) return systemClock.after(ms, then, options);
        giveUp = then;
        return { cancel: () => undefined };
      },
    };
    const { res, seen, id } = await over(77, {}, { store: redis.url, clock });
    redis.freeze();
    res.end(chatEnd);
    await expect.poll(() => object(id)).toMatchObject({ status: 'completed' });
    giveUp();
    redis.thaw();
    const rest = await events(await get(`${id}?stream=true&starting_after=${Number(seen.at(-1)?.sequence_number)}`));
    expect(validateOrder([...seen, ...rest])).toEqual([]);
    expect(rest.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
    await bridge.close();
    await redis.stop();
  });

  it('ends when nobody comes', async () => {
    const { res, id } = await over(50);
    await once(res, 'close');
    expect(await object(id)).toMatchObject({ status: 'cancelled' });
  });

  it.each<[string, number, Json]>([
    ['unless it is asked for', 0, {}],
    ['where nothing is stored', 60_000, { store: false }],
  ])('ends with its client %s', async (_name, resumeMs, more) => {
    const { res, id } = await over(resumeMs, more);
    await once(res, 'close');
    expect((await get(id)).status).toBe(404);
  });
});

describe('POST /v1/responses/input_tokens', () => {
  it('tells an estimate of the whole conversation', async () => {
    await using rig = await startRig({
      wire: 'chat',
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: 'x'.repeat(400) }] }] }] },
    });
    const { body } = await askJson(rig.bridge, { input: 'y'.repeat(400) });
    const client = new OpenAI({ baseURL: `${rig.bridge.url}/v1`, apiKey: 'none' });
    const alone = await client.responses.inputTokens.count({ model: 'm', input: 'z'.repeat(400) });
    expect(alone.object).toBe('response.input_tokens');
    expect(alone.input_tokens).toBeGreaterThanOrEqual(100);
    expect(alone.input_tokens).toBeLessThan(120);
    const more = await client.responses.inputTokens.count({
      model: 'm',
      input: 'z',
      previous_response_id: String(body?.id),
    });
    expect(more.input_tokens).toBeGreaterThan(200);
    expect((await client.responses.inputTokens.count({ model: 'm' })).input_tokens).toBe(1);
    const unknown = await post(rig.bridge, '/v1/responses/input_tokens', {
      model: 'm',
      previous_response_id: 'resp_none',
    });
    expect(unknown.status).toBe(404);
  });
});

describe('passthrough', () => {
  it.each([
    ['responses/compact', { object: 'response.compaction', output: [] }],
    ['responses/input_tokens', { object: 'response.input_tokens', input_tokens: 7 }],
    ['responses/resp_1/cancel', { id: 'resp_1', status: 'cancelled' }],
    ['alpha/search', { output: 'found' }],
  ])('hands POST /v1/%s on', async (path, told) => {
    const outcome = Promise.withResolvers<unknown>();
    const write = (line: string): void => {
      const { msg, outcome: how } = JSON.parse(line) as Json;
      if (msg === 'response') outcome.resolve(how);
    };
    const passing = await startBridge([upstream], { mode: 'passthrough', logger: pino({ level: 'info' }, { write }) });
    const asked = post(passing, `/v1/${path}`, { model: 'm', input: 'x' });
    const { req, res } = await upstream.next();
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told));
    const answer = await asked;
    expect([req.url, answer.status, await answer.json()]).toEqual([`/v1/${path}`, 200, told]);
    expect(await outcome.promise).toBe('completed');
    await passing.close();
  });
});
