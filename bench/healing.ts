/**
 * What `healing` adds to an SDK: the SDK with it against the SDK alone, on the same good streams from memory. Rounds are paired, the order within
 * a pair changes, and the figures are medians of the ratios of one run.
 *
 *   npm run bench:healing
 */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { ProtocolId } from '../packages/wire/src/index.ts';
import { healing } from '../packages/wire/src/fetch/index.ts';
import { median } from './median.ts';
import { CHUNK, chatText, messagesText, onePerChunk, packed, responsesText, type BenchStream } from './streams.ts';

const PAIRS = 21;
const WARM_UP_MS = 1500;
const EVENTS = 5000;

type Fetch = typeof globalThis.fetch;
type Ask = (fetch: Fetch) => Promise<AsyncIterable<unknown>>;

const key = { apiKey: 'none', maxRetries: 0 };
const messages = [{ role: 'user' as const, content: 'hi' }];

/** How the SDK of the API's maker asks. */
const asks: Readonly<Record<ProtocolId, Ask>> = {
  chat: (fetch) =>
    new OpenAI({ ...key, baseURL: 'http://127.0.0.1/v1', fetch }).chat.completions.create({
      model: 'm',
      messages,
      stream: true,
    }),
  responses: (fetch) =>
    new OpenAI({ ...key, baseURL: 'http://127.0.0.1/v1', fetch }).responses.create({
      model: 'm',
      input: 'hi',
      stream: true,
    }),
  messages: (fetch) =>
    new Anthropic({ ...key, baseURL: 'http://127.0.0.1', fetch }).messages.create({
      model: 'm',
      max_tokens: 10,
      messages,
      stream: true,
    }),
};

function serving(chunks: readonly Uint8Array[]): Fetch {
  return () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = chunks[at++];
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  };
}

/** Microseconds of processor time per event. */
async function once(ask: Ask, fetch: Fetch): Promise<number> {
  const start = process.cpuUsage();
  let events = 0;
  for await (const event of await ask(fetch)) if (event !== null) events++;
  const { user, system } = process.cpuUsage(start);
  return (user + system) / events;
}

async function measure(stream: BenchStream, label: string, chunks: readonly Uint8Array[]): Promise<string> {
  const alone = serving(chunks);
  const healed: Fetch = healing({ fetch: alone });
  const ask = asks[stream.wire];
  const times: { alone: number; healed: number }[] = [];
  for (const until = performance.now() + WARM_UP_MS; performance.now() < until;) {
    await once(ask, alone);
    await once(ask, healed);
  }
  for (let pair = 0; pair < PAIRS; pair++) {
    const before = pair % 2 === 0 ? await once(ask, alone) : undefined;
    const ours = await once(ask, healed);
    times.push({ alone: before ?? (await once(ask, alone)), healed: ours });
  }
  const ratio = median(times.map((pair) => pair.healed / pair.alone));
  const us = (name: 'alone' | 'healed'): string => median(times.map((pair) => pair[name])).toFixed(2);
  return `| ${stream.name}, ${label} | ${us('alone')} | ${us('healed')} | ${ratio.toFixed(2)} |`;
}

console.log(`node ${process.version}, medians of ${PAIRS} pairs\n`);
console.log('| stream | us per event, SDK alone | with healing | ratio |');
console.log('| --- | --- | --- | --- |');
for (const stream of [chatText(EVENTS), responsesText(EVENTS), messagesText(EVENTS)]) {
  console.log(await measure(stream, '16 KiB chunks', packed(stream, CHUNK)));
  console.log(await measure(stream, 'one event per chunk', onePerChunk(stream)));
}
