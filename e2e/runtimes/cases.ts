/**
 * What `healing` and `readEvents` promise, by web standards alone: the same file runs in Node, Bun, Deno, `workerd` and a browser
 * (`npm run e2e:runtimes`). The `fetch` below answers from memory; streams, responses and timers are the runtime's own.
 */
import { ModelError, readEvents } from '../../packages/wire/src/index.ts';
import { healing, resumeStore, type HealingOptions } from '../../packages/wire/src/fetch/index.ts';

type Case = () => Promise<void>;

const URL_OF_CHAT = 'http://model.invalid/v1/chat/completions';
const SSE = { 'content-type': 'text/event-stream' };

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const HELLO = chunk({ role: 'assistant', content: '' }) + chunk({ content: 'Hé' }) + chunk({ content: 'llo 👋' });
const STOP = chunk({}, 'stop');
const DONE = 'data: [DONE]\n\n';

/** A body of these pieces, cut in the middle of characters too; then it stays open, ends, or breaks. */
function bodyOf(
  text: string,
  then: 'hold' | 'end' | 'break',
): { body: ReadableStream<Uint8Array>; cancelled: () => number } {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  let cancelled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at < bytes.length) {
          controller.enqueue(bytes.slice(at, (at += 37)));
          return undefined;
        }
        if (then === 'end') controller.close();
        if (then === 'break') controller.error(new TypeError('network connection lost'));
        return then === 'hold' ? new Promise(() => undefined) : undefined;
      },
      cancel() {
        cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, cancelled: () => cancelled };
}

function ask(answer: Response, options: HealingOptions = {}, body: object = { stream: true }): Promise<Response> {
  const fetch = healing({ ...options, fetch: () => Promise.resolve(answer) });
  return fetch(URL_OF_CHAT, { method: 'POST', body: JSON.stringify({ model: 'm', messages: [], ...body }) });
}

function equal(actual: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${left} instead of ${right}`);
}

/** Waits until it holds; a case that waits in vain fails by its deadline. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const cases: Readonly<Record<string, Case>> = {
  'a good stream goes on byte for byte': async () => {
    const { body } = bodyOf(HELLO + STOP + DONE, 'end');
    equal(await (await ask(new Response(body, { headers: SSE }))).text(), HELLO + STOP + DONE);
  },
  'a finished stream that is held ends, and is cancelled once': async () => {
    const { body, cancelled } = bodyOf(HELLO + STOP, 'hold');
    equal(await (await ask(new Response(body, { headers: SSE }), { usageGraceMs: 20 })).text(), HELLO + STOP + DONE);
    await until(() => cancelled() > 0);
    equal(cancelled(), 1);
  },
  'a stall is told and breaks the body': async () => {
    const { body, cancelled } = bodyOf(HELLO, 'hold');
    const response = await ask(new Response(body, { headers: SSE }), { idleTimeoutMs: 50 });
    const [told, error] = await readBroken(response);
    equal(told.startsWith(HELLO), true);
    equal(told.includes('"error":{"type":"server_error"'), true);
    equal((error as ModelError).kind, 'stream_idle');
    equal(cancelled(), 1);
  },
  'a connection that breaks is told': async () => {
    const { body } = bodyOf(HELLO, 'break');
    const [told, error] = await readBroken(await ask(new Response(body, { headers: SSE })));
    equal(told.includes('network connection lost'), true);
    equal((error as ModelError).kind, 'stream_truncated');
  },
  'a page is a refusal': async () => {
    const response = await ask(new Response('<!doctype html><p>hi', { headers: { 'content-type': 'text/html' } }));
    equal([response.status, response.headers.get('x-should-retry')], [502, 'false']);
    equal(((await response.json()) as { error: { code: string } }).error.code, 'no_model_server');
  },
  'a call without its index is told with one': async () => {
    const call = { id: 'a', type: 'function', function: { name: 'get', arguments: '{}' } };
    const { body } = bodyOf(HELLO + chunk({ tool_calls: [call] }) + chunk({}, 'tool_calls') + DONE, 'end');
    const text = await (await ask(new Response(body, { headers: SSE }))).text();
    equal(text.startsWith(HELLO), true);
    equal(text.includes('"tool_calls":[{"index":0,"id":"a"'), true);
    equal(text.endsWith(DONE), true);
  },
  'one body becomes a stream, and a stream one body': async () => {
    const whole = {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    };
    equal((await (await ask(Response.json(whole))).text()).includes('"delta":{"content":"Hi"}'), true);
    const { body } = bodyOf(HELLO + STOP, 'hold');
    const response = await ask(new Response(body, { headers: SSE }), { usageGraceMs: 20 }, { stream: false });
    const completion = (await response.json()) as typeof whole;
    equal(completion.choices[0]?.message.content, 'Héllo 👋');
  },
  'a clone and a tee are as ever': async () => {
    const { body } = bodyOf(HELLO + STOP + DONE, 'end');
    const response = await ask(new Response(body, { headers: SSE }));
    const copy = response.clone();
    equal(await Promise.all([copy.text(), response.text()]), [HELLO + STOP + DONE, HELLO + STOP + DONE]);
    equal(response.bodyUsed, true);
  },
  'leaving the body cancels the one below': async () => {
    const { body, cancelled } = bodyOf(HELLO, 'hold');
    const reader = (await ask(new Response(body, { headers: SSE }))).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    equal(cancelled(), 1);
  },
  'an abort is the reason of the caller': async () => {
    const stop = new AbortController();
    const { body } = bodyOf(HELLO, 'hold');
    const fetch = healing({ fetch: () => Promise.resolve(new Response(body, { headers: SSE })) });
    const init = { method: 'POST', body: '{"messages":[],"stream":true}', signal: stop.signal };
    const reading = readBroken(await fetch(URL_OF_CHAT, init));
    setTimeout(() => stop.abort(new Error('enough')), 20);
    const [told, error] = await reading;
    equal([told, String(error)], [HELLO, 'Error: enough']);
  },
  'a Responses stream that is lost goes on where it was, without an event lost or doubled': async () => {
    const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', output: [] };
    const events = [
      { type: 'response.created', response: { ...response, status: 'in_progress' } },
      { type: 'response.in_progress', response: { ...response, status: 'in_progress' } },
      { type: 'response.completed', response: { ...response, status: 'completed' } },
    ].map((event, n) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: n })}\n\n`);
    const asked: string[] = [];
    const fetch = healing({
      resume: resumeStore(),
      fetch: (input, init) => {
        const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input);
        const after = searchParams.get('starting_after');
        asked.push(`${init?.method ?? 'GET'} ${pathname} ${String(after)}`);
        const { body } = after === null ? bodyOf(events.slice(0, 2).join(''), 'break') : bodyOf(events[2] ?? '', 'end');
        return Promise.resolve(new Response(body, { headers: SSE }));
      },
    });
    const body = JSON.stringify({ model: 'm', input: 'hi', stream: true });
    const answer = await fetch('http://model.invalid/v1/responses', { method: 'POST', body });
    equal(await answer.text(), events.join(''));
    equal(asked, ['POST /v1/responses null', 'GET /v1/responses/resp_1 1']);
  },
  'anything else is the response itself': async () => {
    const same = new Response('x');
    equal((await healing({ fetch: () => Promise.resolve(same) })('http://model.invalid/v1/models')) === same, true);
  },
  'readEvents ends with the model, and throws what is cut': async () => {
    const seen: string[] = [];
    for await (const event of readEvents(bodyOf(HELLO + STOP, 'hold').body, { wire: 'chat' })) seen.push(event.type);
    equal(seen, [
      'created',
      'output_item.added',
      'output_text.delta',
      'output_text.delta',
      'output_item.done',
      'completed',
    ]);
    try {
      for await (const event of readEvents(bodyOf(HELLO, 'end').body, { wire: 'chat' })) seen.push(event.type);
    } catch (error) {
      equal([error instanceof ModelError, (error as ModelError).kind], [true, 'stream_truncated']);
      return;
    }
    throw new Error('nothing was thrown');
  },
};

async function readBroken(response: Response): Promise<readonly [string, unknown]> {
  let told = '';
  const decoder = new TextDecoder();
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  try {
    for (;;) {
      const result = await reader?.read();
      if (result === undefined || result.done) return [told, undefined];
      told += decoder.decode(result.value, { stream: true });
    }
  } catch (error) {
    return [told, error];
  }
}

/** Runs every case; the names of those that failed, with what went wrong. */
export async function runCases(): Promise<{ readonly passed: number; readonly failed: readonly string[] }> {
  const failed: string[] = [];
  for (const [name, run] of Object.entries(cases)) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it hangs')), 60_000);
    });
    try {
      await Promise.race([run(), late]);
    } catch (error) {
      failed.push(`${name}: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
  return { passed: Object.keys(cases).length - failed.length, failed };
}
