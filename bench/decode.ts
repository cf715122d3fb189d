/**
 * Decoding speed: full canonical events against (a) nothing but "split lines and JSON.parse each payload" and (b) the
 * own stream iteration of the SDK of each API's maker (`openai`, `@anthropic-ai/sdk`). Rounds are interleaved, so that a slow moment of the machine hits all alike;
 * the figures are ratios of medians of one run.
 *
 *   npm run bench
 */
import { Stream as AnthropicStream } from '@anthropic-ai/sdk/core/streaming';
import { Stream as OpenAiStream } from 'openai/core/streaming';
import { createDecoder, type ProtocolId } from '../packages/wire/src/index.ts';
import { median } from './median.ts';
import {
  CHUNK,
  chatText,
  chatToolCalls,
  messagesText,
  messagesToolInput,
  onePerChunk,
  packed,
  repeated,
  responsesText,
  responsesToolInput,
  type BenchStream,
} from './streams.ts';

const ROUNDS = 15;
/** Runs of the decoder alone before anything counts: its code is compiled in the background, and that takes a while. */
const WARM_UP = 150;

interface Target {
  readonly baseline: number;
  readonly sdk: number;
}

function baseline(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder();
  let carry = '';
  let parsed = 0;
  for (const chunk of chunks) {
    const lines = (carry + decoder.decode(chunk, { stream: true })).split('\n');
    carry = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      if (JSON.parse(line.slice(6)) !== null) parsed++;
    }
  }
  return parsed;
}

function turnwire(stream: BenchStream, chunks: Iterable<Uint8Array>): number {
  const decoder = createDecoder(stream.wire);
  let events = 0;
  for (const chunk of chunks) events += decoder.push(chunk).length;
  events += decoder.end({ type: 'close' }).length;
  if (decoder.failure) throw decoder.failure;
  return events;
}

/** How the SDK of the API's maker iterates an answer. */
const sdks: Readonly<Record<ProtocolId, (response: Response, abort: AbortController) => AsyncIterable<unknown>>> = {
  chat: (response, abort) => OpenAiStream.fromSSEResponse(response, abort),
  responses: (response, abort) => OpenAiStream.fromSSEResponse(response, abort),
  messages: (response, abort) => AnthropicStream.fromSSEResponse(response, abort),
};

async function sdk({ wire }: BenchStream, chunks: readonly Uint8Array[]): Promise<number> {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  let events = 0;
  for await (const event of sdks[wire](new Response(body), new AbortController())) {
    if (event !== null) events++;
  }
  return events;
}

async function timed(run: () => number | Promise<number>): Promise<number> {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

interface Row {
  readonly name: string;
  readonly events: number;
  readonly nsPerEvent: number;
  readonly ratio: Target;
  readonly target: Target;
}

async function measure(stream: BenchStream, label: string, chunks: Uint8Array[], target: Target): Promise<Row> {
  const times: { ours: number[]; base: number[]; peer: number[] } = { ours: [], base: [], peer: [] };
  for (let round = 0; round < WARM_UP; round++) turnwire(stream, chunks);
  for (let round = -3; round < ROUNDS; round++) {
    const ours = await timed(() => turnwire(stream, chunks));
    const base = await timed(() => baseline(chunks));
    const peer = await timed(() => sdk(stream, chunks));
    if (round < 0) continue;
    times.ours.push(ours);
    times.base.push(base);
    times.peer.push(peer);
  }
  const ours = median(times.ours);
  return {
    name: `${stream.name}, ${label}`,
    events: stream.events.length,
    nsPerEvent: (ours * 1e6) / stream.events.length,
    ratio: { baseline: median(times.base) / ours, sdk: median(times.peer) / ours },
    target,
  };
}

function printTable(rows: readonly Row[]): void {
  console.log('| stream | ns per event | x split + JSON.parse (wanted) | x SDK (wanted) |');
  console.log('|---|---|---|---|');
  for (const { name, nsPerEvent, ratio, target } of rows) {
    const against = (key: keyof Target): string => `${ratio[key].toFixed(1)} (>= ${target[key].toFixed(1)})`;
    console.log(`| ${name} | ${nsPerEvent.toFixed(0)} | ${against('baseline')} | ${against('sdk')} |`);
  }
}

interface Long {
  readonly name: string;
  readonly stream: BenchStream;
  /** How often the middle is repeated at length 1x. */
  readonly times: number;
  readonly head: number;
  readonly tail: number;
}

/** Time per byte as the same stream becomes longer: flat when nothing is scanned or built twice. */
async function growth({ name, stream, times, head, tail }: Long): Promise<string> {
  const perByte = new Map<number, number[]>(LENGTHS.map((factor) => [factor, []]));
  for (let round = -1; round < 5; round++) {
    for (const factor of LENGTHS) {
      const ms = await timed(() => turnwire(stream, repeated(stream, times * factor, head, tail)));
      if (round >= 0) perByte.get(factor)?.push(ms / factor);
    }
  }
  const medians = LENGTHS.map((factor) => median(perByte.get(factor) ?? []));
  return `| ${name} | ${medians.map((one) => (one / (medians[0] ?? 1)).toFixed(2)).join(' | ')} |`;
}

/** Resident memory after a long text, above what it was before, over the size of the text. */
function memory(): string {
  const stream = chatText(10_000);
  const text = stream.events.slice(1, -2).map(contentOf).join('');
  const times = 400;
  turnwire(stream, repeated(stream, 4, 1, 2));
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const events = turnwire(stream, repeated(stream, times, 1, 2));
  const grown = process.memoryUsage().rss - before;
  const bytes = Buffer.byteLength(text) * times;
  return `RSS grew by ${(grown / bytes).toFixed(1)}x the text (${(bytes / 1e6).toFixed(0)} MB in ${events} events; wanted <= 3)`;
}

function contentOf(event: string): string {
  const chunk = JSON.parse(event.slice('data: '.length)) as { choices: [{ delta: { content: string } }] };
  return chunk.choices[0].delta.content;
}

const LENGTHS = [1, 2, 4, 8];

const streams: [BenchStream, Target][] = [
  [chatText(20_000), { baseline: 3, sdk: 12 }],
  [chatToolCalls(20_000), { baseline: 2.5, sdk: 9 }],
  [responsesText(20_000), { baseline: 1.7, sdk: 11 }],
  [responsesToolInput(20_000), { baseline: 1.7, sdk: 11 }],
  [messagesText(20_000), { baseline: 3, sdk: 10 }],
  [messagesToolInput(20_000), { baseline: 2.5, sdk: 10 }],
];

console.log(`node ${process.version}, medians of ${ROUNDS} interleaved rounds\n`);
const rows: Row[] = [];
for (const [stream, target] of streams) {
  rows.push(await measure(stream, '16 KiB chunks', packed(stream, CHUNK), target));
  const less = { baseline: target.baseline * 0.8, sdk: target.sdk * 0.8 };
  rows.push(await measure(stream, 'one event per chunk', onePerChunk(stream), less));
}
printTable(rows);
console.log('\nTime per byte, relative to length 1x:\n\n| stream | 1x | 2x | 4x | 8x |\n|---|---|---|---|---|');
const text = chatText(4000);
const call = chatToolCalls(5000, 1);
const answer = responsesText(4000);
const responsesInput = responsesToolInput(5000);
const messages = messagesText(4000);
const toolInput = messagesToolInput(5000);
console.log(await growth({ name: 'chat text, 1 to 8 MB', stream: text, times: 1, head: 1, tail: 2 }));
console.log(
  await growth({
    name: 'one tool call, 1 to 8 MB of arguments in 2-byte deltas',
    stream: call,
    times: 100,
    head: 4,
    tail: 3,
  }),
);
console.log(await growth({ name: 'Responses text, 1 to 8 MB', stream: answer, times: 1, head: 4, tail: 4 }));
console.log(
  await growth({ name: 'Responses tool input, 10 to 80 MB', stream: responsesInput, times: 10, head: 3, tail: 3 }),
);
console.log(await growth({ name: 'Messages text, 0.5 to 4 MB', stream: messages, times: 1, head: 3, tail: 3 }));
console.log(await growth({ name: 'Messages tool input, 10 to 80 MB', stream: toolInput, times: 10, head: 4, tail: 4 }));
console.log(`\n${memory()}`);
