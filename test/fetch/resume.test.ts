import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { describe, expect, it } from 'vitest';
import {
  chat,
  healing,
  healingFor,
  messages,
  RESUME_HEADER,
  resumeStore,
  type Fetch,
  type HealingOptions,
  type ResumeStore,
} from '../../packages/wire/src/fetch/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { chatChunk, chatEnd, startBridge, startRawUpstream } from '../bridge/raw-upstream.ts';

const SSE = { 'content-type': 'text/event-stream' };
const URL_OF = 'http://model.invalid/v1/responses';

const head = { id: 'resp_1', object: 'response', created_at: 5, model: 'gpt-x' };
const part = (text: string) => ({ type: 'output_text', text, annotations: [] });
const message = (status: string, ...content: object[]) => ({
  ...{ type: 'message', id: 'msg_1', role: 'assistant', status, content },
});
const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
const place = { output_index: 0, item_id: 'msg_1', content_index: 0 };
/** A whole answer, event by event. */
const answer = [
  { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } },
  { type: 'response.in_progress', response: { ...head, status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', output_index: 0, item: message('in_progress') },
  { type: 'response.content_part.added', ...place, part: part('') },
  { type: 'response.output_text.delta', ...place, delta: 'Hé' },
  { type: 'response.output_text.delta', ...place, delta: 'llo 👋' },
  { type: 'response.output_text.done', ...place, text: 'Héllo 👋' },
  { type: 'response.content_part.done', ...place, part: part('Héllo 👋') },
  { type: 'response.output_item.done', output_index: 0, item: message('completed', part('Héllo 👋')) },
  {
    type: 'response.completed',
    response: { ...head, status: 'completed', output: [message('completed', part('Héllo 👋'))], usage },
  },
].map((event, at) => ({ ...event, sequence_number: at }));
const sse = (events: readonly { readonly type: string }[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const whole = sse(answer);
const rest = (after: number): string => sse(answer.slice(after + 1));

type End = 'end' | 'break' | 'hold';

/** A body that brings this, and then ends like that. */
function bodyOf(text: string | Uint8Array, end: End = 'end', onCancel?: () => void): ReadableStream<Uint8Array> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  let told = false;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (!told && bytes.length > 0) controller.enqueue(bytes);
        else if (end === 'end') controller.close();
        else if (end === 'break') controller.error(new TypeError('network connection lost'));
        else return new Promise(() => undefined);
        told = true;
        return undefined;
      },
      cancel: () => onCancel?.(),
    },
    { highWaterMark: 0 },
  );
}

const stream = (text: string | Uint8Array, end: End = 'end'): Response =>
  new Response(bodyOf(text, end), { headers: SSE });

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | null | undefined;
}

/** A server in the place of `fetch`: `first` answers what is asked for anew, `again` what is asked for again. */
function serverOf(first: () => Response, again: (after: number, n: number) => Response | Promise<Response>) {
  const asked: Asked[] = [];
  const repaired: string[] = [];
  const fetch: Fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = 'GET', headers, signal } = init ?? {};
    asked.push({ method, path: url.pathname + url.search, headers: new Headers(headers), signal });
    if (method === 'POST') return first();
    const after = url.searchParams.get('starting_after');
    return await again(after === null ? -1 : Number(after), asked.filter((each) => each.method === 'GET').length);
  };
  const options: HealingOptions = { fetch, resume: resumeStore(), onRepair: (name) => repaired.push(name) };
  return { asked, repaired, fetch, options, gets: () => asked.filter(({ method }) => method === 'GET') };
}

function ask(options: HealingOptions, more: { body?: object; headers?: object; signal?: AbortSignal } = {}) {
  const { signal } = more;
  return healing(options)(`${URL_OF}?api-version=7`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify({ model: 'm', input: 'hi', stream: true, ...more.body }),
    ...(signal && { signal }),
  });
}

const cutAt = sse(answer.slice(0, 5));
const CUT = 'network connection lost';
async function drained(events: AsyncIterable<unknown>): Promise<void> {
  const all = events[Symbol.asyncIterator]();
  while ((await all.next()).done !== true);
}
/** The words of the event that the SDK throws at; a stream without fails. */
function errorIn(text: string): string {
  const data = /^event: error\ndata: (.*)$/m.exec(text)?.[1];
  return (JSON.parse(data ?? '') as { message: string }).message;
}

describe('a Responses stream whose connection was lost', () => {
  it('at whatever byte, goes on byte for byte, without an event lost or doubled', async () => {
    const bytes = new TextEncoder().encode(whole);
    const ends = answer.map((_, at) => new TextEncoder().encode(sse(answer.slice(0, at + 1))).length);
    const [first = 0] = ends;
    const last = (ends.at(-1) ?? 0) - 1;
    for (let cut = first; cut < last; cut += 17) {
      const server = serverOf(
        () => stream(bytes.subarray(0, cut), cut % 2 === 0 ? 'end' : 'break'),
        (after) => stream(rest(after)),
      );
      expect(await (await ask(server.options)).text()).toBe(whole);
      const seen = ends.findLastIndex((end) => end <= cut);
      expect(server.gets().map(({ path }) => path)).toEqual([
        `/v1/responses/resp_1?api-version=7&stream=true&starting_after=${seen}`,
      ]);
      expect(server.repaired).toEqual(['resumed']);
    }
  });

  it('is asked for by the headers of the request, without those of its body', async () => {
    const server = serverOf(
      () => stream(cutAt, 'break'),
      (after) => stream(rest(after)),
    );
    await (await ask(server.options)).text();
    expect(server.gets().map(({ headers }) => [...headers])).toEqual([[['authorization', 'Bearer k']]]);
  });

  it('again and again, goes on each time', async () => {
    const server = serverOf(
      () => stream(sse(answer.slice(0, 1)), 'break'),
      (after) => stream(sse(answer.slice(after + 1, after + 2)), 'break'),
    );
    expect(await (await ask(server.options)).text()).toBe(whole);
    expect(server.gets().length).toBe(answer.length - 1);
    expect(new Set(server.repaired)).toEqual(new Set(['resumed']));
  });

  it('is told anew from there on where what comes then needs it', async () => {
    const [, , , , , , ...tail] = answer;
    const odd = { type: 'response.output_text.delta', output_index: 0, delta: 'llo 👋', sequence_number: 5 };
    const server = serverOf(
      () => stream(cutAt, 'break'),
      () => stream(sse([odd, ...tail])),
    );
    const client = new OpenAI({
      baseURL: 'http://model.invalid/v1',
      apiKey: 'none',
      maxRetries: 0,
      fetch: healing(server.options),
    });
    const response = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
    expect(response.output_text).toBe('Héllo 👋');
  });

  it('passes over what a server tells again that begins anew', async () => {
    const server = serverOf(
      () => stream(cutAt, 'break'),
      () => stream(`: hi\n\n${whole}`),
    );
    expect(await (await ask(server.options)).text()).toBe(whole);
  });

  it('has the text once where only its last event is there any more', async () => {
    const server = serverOf(
      () => stream(cutAt, 'break'),
      () => stream(sse(answer.slice(-1))),
    );
    const client = new OpenAI({
      baseURL: 'http://model.invalid/v1',
      apiKey: 'none',
      maxRetries: 0,
      fetch: healing(server.options),
    });
    let text = '';
    for await (const event of await client.responses.create({ model: 'm', input: 'hi', stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta;
    expect(text).toBe('Héllo 👋');
  });

  it('goes on after a stall, and waits no third time at one place', async () => {
    const options = { idleTimeoutMs: 20 };
    const server = serverOf(
      () => stream(cutAt, 'hold'),
      (after) => stream(rest(after)),
    );
    expect(await (await ask({ ...server.options, ...options })).text()).toBe(whole);
    const silent = serverOf(
      () => stream(cutAt, 'hold'),
      () => stream('', 'hold'),
    );
    expect(errorIn(await (await ask({ ...silent.options, ...options })).text())).toContain('20 ms');
    expect(silent.gets().length).toBe(1);
  });

  it('is asked for again while the server is away, with growing delays', async () => {
    const clock = manualClock();
    const server = serverOf(
      () => stream(cutAt, 'break'),
      (after, n) => {
        if (n === 1) throw new TypeError('fetch failed');
        return n === 2 ? new Response('busy', { status: 503 }) : stream(rest(after));
      },
    );
    const reading = (await ask({ ...server.options, clock, idleTimeoutMs: 0, progressTimeoutMs: 0 })).text();
    for (const gets of [2, 3]) {
      while (server.gets().length < gets) {
        clock.advance(1000);
        await new Promise(setImmediate);
      }
    }
    expect(await reading).toBe(whole);
    expect(clock.asked.filter((ms) => ms > 300 && ms < 1000).length).toBe(2);
    expect(server.repaired).toEqual(['resumed']);
  });

  const cannot: readonly (readonly [string, () => Response])[] = [
    ['does not know it', () => Response.json({ error: { message: 'not found' } }, { status: 404 })],
    ['has no such request', () => Response.json({ error: { message: 'stream: not supported' } }, { status: 400 })],
    ['answers with one body', () => Response.json({ ...head, status: 'in_progress', output: [] })],
    ['answers with a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['goes on too late', () => stream(rest(6))],
  ];
  it.each(cannot)('is told as the cut that it was by a server that %s', async (_name, again) => {
    const server = serverOf(() => stream(cutAt, 'break'), again);
    expect(errorIn(await (await ask(server.options)).text())).toContain(CUT);
    expect(server.gets().length).toBe(1);
    expect(server.repaired).not.toContain('resumed');
  });

  const never: readonly (readonly [string, object, string])[] = [
    ['that is not stored', { store: false }, cutAt],
    ['whose events have no numbers', {}, cutAt.replaceAll(/,"sequence_number":\d+/g, '')],
  ];
  it.each(never)('%s is not asked for again', async (_name, body, text) => {
    const server = serverOf(
      () => stream(text, 'break'),
      () => stream(whole),
    );
    expect(errorIn(await (await ask(server.options, { body })).text())).toContain(CUT);
    expect(server.gets()).toEqual([]);
  });

  it('is no longer asked for when the caller aborts or leaves', async () => {
    const held = serverOf(
      () => stream(cutAt, 'break'),
      (_after, n) =>
        new Promise((_, reject) =>
          held.gets()[n - 1]?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
    );
    const stop = new AbortController();
    const reading = (await ask(held.options, { signal: stop.signal })).text();
    while (held.gets().length === 0) await new Promise(setImmediate);
    stop.abort();
    await expect(reading).rejects.toBe(stop.signal.reason);
    expect(held.gets().length).toBe(1);

    const reader = (await ask(held.options)).body!.getReader();
    await reader.read();
    const pending = reader.read();
    while (held.gets().length === 1) await new Promise(setImmediate);
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(held.gets().map(({ signal }) => signal?.aborted)).toEqual([true, true]);
  });

  it('cancels the connection that brings the rest, once', async () => {
    let cancelled = 0;
    const server = serverOf(
      () => stream(cutAt, 'break'),
      (after) =>
        new Response(
          bodyOf(sse(answer.slice(after + 1, after + 2)), 'hold', () => cancelled++),
          { headers: SSE },
        ),
    );
    const reader = (await ask(server.options)).body!.getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    expect(cancelled).toBe(1);
  });
});

describe('an answer that is come back for by its key', () => {
  const keyed = { headers: { [RESUME_HEADER]: 'chat-7' } };

  it('is the same one, from its beginning, though it is not over; its header goes to nobody', async () => {
    const server = serverOf(
      () => stream(cutAt, 'hold'),
      (after) => stream(rest(after)),
    );
    const reader = (await ask(server.options, keyed)).body!.getReader();
    await reader.read();
    await reader.cancel(); // the page was left
    expect(await (await ask(server.options, keyed)).text()).toBe(whole);
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/responses?api-version=7',
      'GET /v1/responses/resp_1?api-version=7&stream=true',
    ]);
    expect(server.asked.some(({ headers }) => headers.has(RESUME_HEADER))).toBe(false);
  });

  it('under another key, or without one, is another', async () => {
    const server = serverOf(
      () => stream(whole),
      () => stream(whole),
    );
    await (await ask(server.options, keyed)).text();
    await (await ask(server.options, { headers: { [RESUME_HEADER]: 'chat-8' } })).text();
    await (await ask(server.options)).text();
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
  });

  it('goes on where it was when its connection is lost then, too', async () => {
    const server = serverOf(
      () => stream(cutAt, 'hold'),
      (after, n) => (n === 1 ? stream(cutAt, 'break') : stream(rest(after))),
    );
    const reader = (await ask(server.options, keyed)).body!.getReader();
    await reader.read();
    await reader.cancel();
    expect(await (await ask(server.options, keyed)).text()).toBe(whole);
    expect(server.gets().map(({ path }) => path.replace(/.*stream=true/, ''))).toEqual(['', '&starting_after=4']);
  });

  it('that is gone is told as that, once: the next request asks anew', async () => {
    const server = serverOf(
      () => stream(whole),
      () => Response.json({ error: { message: 'not found' } }, { status: 404 }),
    );
    const client = new OpenAI({ baseURL: 'http://model.invalid/v1', apiKey: 'none', fetch: healing(server.options) });
    const again = () => client.responses.create({ model: 'm', input: 'hi', stream: true }, keyed);
    await again().then(drained);
    await expect(again()).rejects.toBeInstanceOf(NotFoundError);
    await again().then(drained);
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST']);
  });

  it('that failed is forgotten', async () => {
    const failed = {
      type: 'response.failed',
      sequence_number: 1,
      response: { ...head, status: 'failed', error: { code: 'server_error', message: 'no' } },
    };
    const server = serverOf(
      () => stream(sse([answer[0]!, failed])),
      () => stream(whole),
    );
    for (let n = 0; n < 2; n++) await (await ask(server.options, keyed)).text().catch(() => undefined);
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('a store that fails costs no answer, but for one that cannot say whether there is one', async () => {
    const fails = (): never => {
      throw new Error('the store is away');
    };
    const server = serverOf(
      () => stream(whole),
      () => stream(whole),
    );
    const half: ResumeStore = { get: () => undefined, set: () => Promise.reject(new Error('away')), delete: fails };
    expect(await (await ask({ ...server.options, resume: half }, keyed)).text()).toBe(whole);
    await expect(ask({ ...server.options, resume: { ...half, get: fails } }, keyed)).rejects.toThrow(
      'the store is away',
    );
  });

  it('the store in memory is bounded', () => {
    const store = resumeStore(2);
    for (const key of ['a', 'b', 'a', 'c']) store.set(key, `id of ${key}`);
    expect(['a', 'b', 'c'].map((key) => store.get(key))).toEqual(['id of a', undefined, 'id of c']);
  });
});

describe('where nothing can go on', () => {
  it('a request of another wire is refused at once', async () => {
    const server = serverOf(
      () => stream(''),
      () => stream(''),
    );
    const client = new OpenAI({ baseURL: 'http://model.invalid/v1', apiKey: 'none', fetch: healing(server.options) });
    const failed = client.chat.completions.create({ model: 'm', messages: [], stream: true });
    await expect(failed).rejects.toBeInstanceOf(BadRequestError);
    await expect(failed).rejects.toMatchObject({
      code: 'not_resumable',
      message: expect.stringContaining('only a stream of the Responses wire') as string,
    });
    expect(server.asked).toEqual([]);
  });

  it('a key for an answer that is not streamed or not stored is refused at once', async () => {
    const server = serverOf(
      () => stream(''),
      () => stream(''),
    );
    const keyed = { headers: { [RESUME_HEADER]: 'k' } };
    for (const body of [{ stream: false }, { store: false }])
      expect((await ask(server.options, { ...keyed, body })).status).toBe(400);
    expect(server.asked).toEqual([]);
  });

  it('healing for other wires alone is not made', () => {
    expect(() => healingFor([chat, messages], { resume: resumeStore() })).toThrow(TypeError);
  });
});

describe('at a bridge with resumeMs', () => {
  it('an answer goes on over a connection that was lost, and comes back by its key', async () => {
    await using upstream = await startRawUpstream();
    const bridge = await startBridge([upstream], { resumeMs: 60_000 });
    const lost = Promise.withResolvers<undefined>();
    const fetch: Fetch = async (input, init) => {
      const response = await globalThis.fetch(input, init);
      if (init?.method !== 'POST' || response.body === null) return response;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        start: (controller) => void lost.promise.then(() => controller.error(new TypeError(CUT))),
      });
      response.body.pipeTo(cut.writable).catch(() => undefined);
      return new Response(cut.readable, response);
    };
    const client = new OpenAI({
      baseURL: `${bridge.url}/v1`,
      apiKey: 'none',
      maxRetries: 0,
      fetch: healing({ fetch, resume: resumeStore() }),
    });
    const again = () =>
      client.responses.create({ model: 'm', input: 'hi', stream: true }, { headers: { [RESUME_HEADER]: 'page' } });
    const read = async (onDelta: (text: string) => void = () => undefined) => {
      let text = '';
      const numbers: number[] = [];
      for await (const event of await again()) {
        numbers.push(event.sequence_number);
        if (event.type === 'response.output_text.delta') onDelta((text += event.delta));
      }
      expect(numbers).toEqual(numbers.map((_, at) => at));
      return text;
    };
    const reading = read((text) => {
      if (text === 'One ') lost.resolve(undefined);
    });
    const { res } = await upstream.next();
    res.writeHead(200, SSE).write(chatChunk('One '));
    await lost.promise;
    res.end(chatChunk('two.') + chatEnd);
    expect(await reading).toBe('One two.');
    expect(await read()).toBe('One two.');
    await bridge.close();
  });
});
