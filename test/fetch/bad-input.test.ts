import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { healing, type HealingOptions } from '../../packages/wire/src/fetch/index.ts';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import { manualClock } from '../transport/support/manual-clock.ts';
import { captureDir } from '../wire/helpers.ts';

const SSE = { 'content-type': 'text/event-stream' };
const head = { id: 'r', object: 'response', created_at: 5, model: 'm' };
const responses = [
  { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } },
  { type: 'response.in_progress', response: { ...head, status: 'in_progress', output: [] } },
  { type: 'response.completed', response: { ...head, status: 'completed', output: [] } },
]
  .map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`)
  .join('');
const captured = (name: string): string => readFileSync(new URL(`${name}.sse`, captureDir), 'utf8');

/** A good answer of each wire, what asks for it, and a word that stands in it; `healing.test.ts` asks for a thousand on Chat Completions. */
const wires: Readonly<Record<ProtocolId, { path: string; body: object; answer: string; mark?: string }>> = {
  chat: { path: 'chat/completions', body: { messages: [] }, answer: captured('chat-plain') },
  responses: { path: 'responses', body: { input: 'hi' }, answer: responses, mark: '"model":"m' },
  messages: {
    path: 'messages',
    body: { messages: [], max_tokens: 9 },
    answer: captured('messages-text'),
    mark: 'tiny',
  },
};

/** In two pieces, between which the others have their turn. */
function slowly(text: string): Response {
  const bytes = new TextEncoder().encode(text);
  const pieces = [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)].values();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await new Promise(setImmediate);
        const { value } = pieces.next();
        if (value === undefined) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: SSE });
}

describe.each(Object.entries(wires))('on %s a body', (_wire, { path, body, answer, mark }) => {
  const bytes = new TextEncoder().encode(answer);
  const half = bytes.subarray(0, answer.lastIndexOf('\n\n', answer.length / 2) + 2);
  const ask = (response: Response, options: HealingOptions = {}) =>
    healing({ ...options, fetch: () => Promise.resolve(response) })(`http://model.invalid/v1/${path}`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, ...body }),
    });
  /** The beginning, and then nothing, or a failure. */
  const begun = (more: { fails?: Error; onCancel?: () => void } = {}): Response => {
    let told = false;
    const source = {
      pull(controller: ReadableStreamDefaultController<Uint8Array>) {
        if (told && more.fails === undefined) return new Promise<void>(() => undefined);
        if (told) controller.error(more.fails);
        else controller.enqueue(half);
        told = true;
        return undefined;
      },
      cancel: () => more.onCancel?.(),
    };
    return new Response(new ReadableStream(source, { highWaterMark: 0 }), { headers: SSE });
  };

  it('that is good is the same, teed and cloned, and is not read twice', async () => {
    const response = await ask(new Response(answer, { headers: SSE }));
    const copy = response.clone();
    const [left, right] = response.body!.tee();
    const texts = await Promise.all([copy.text(), new Response(left).text(), new Response(right).text()]);
    expect(texts).toEqual(Array(3).fill(answer));
    await expect(copy.text()).rejects.toBeInstanceOf(TypeError);
  });

  it('that breaks late is told', async () => {
    const response = await ask(begun({ fails: new TypeError('reset by peer') }));
    const reader = response.body!.getReader();
    let told = '';
    const reading = async (): Promise<void> => {
      for (let part = await reader.read(); !part.done; part = await reader.read())
        told += new TextDecoder().decode(part.value as Uint8Array);
    };
    await reading().catch(() => undefined);
    expect(told).toContain('reset by peer');
  });

  it('that is never read, or left in the middle, holds no timer and is cancelled once', async () => {
    for (const reads of [0, 1]) {
      let cancelled = 0;
      const clock = manualClock();
      const response = await ask(begun({ onCancel: () => cancelled++ }), { clock });
      const reader = response.body!.getReader();
      for (let n = 0; n < reads; n++) await reader.read();
      clock.advance(1000); // a timer may stay that long for the next wait
      expect(clock.pending).toBe(0);
      await reader.cancel();
      expect([cancelled, clock.pending]).toEqual([1, 0]);
    }
  });

  it('that is never read and dropped is cancelled when it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let cancelled = 0;
    await ask(begun({ onCancel: () => cancelled++ }));
    while (cancelled === 0) {
      collect();
      await new Promise(setImmediate);
    }
    expect(cancelled).toBe(1);
  });

  if (mark !== undefined) {
    it('is its own among a thousand at once', { timeout: 60_000 }, async () => {
      const whole = Array.from({ length: 1000 }, (_, n) => answer.replaceAll(mark, `${mark}${n}`));
      const texts = await Promise.all(whole.map(async (text) => (await ask(slowly(text))).text()));
      expect(texts.filter((text, n) => text !== whole[n])).toEqual([]);
    });
  }

  it('that was compressed keeps no header that says so', async () => {
    const plain = new Response(gzipSync(answer)).body!.pipeThrough(new DecompressionStream('gzip'));
    const response = await ask(
      new Response(plain, { headers: { ...SSE, 'content-encoding': 'gzip', 'content-length': '9' } }),
    );
    expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual([null, null]);
    expect(await response.text()).toBe(answer);
  });

  it('of a redirect has its address', async () => {
    const moved = Object.defineProperties(new Response(answer, { headers: SSE }), {
      url: { value: 'http://other.invalid/' },
      redirected: { value: true },
    });
    const response = await ask(moved);
    expect([response.url, response.redirected, await response.text()]).toEqual(['http://other.invalid/', true, answer]);
  });
});
