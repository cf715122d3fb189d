/**
 * Decoding speed: full canonical events against (a) nothing but "split lines and JSON.parse each payload" and (b) the own stream iteration of the
 * SDK of each API's maker (`openai`, `@anthropic-ai/sdk`). Each row has a process of its own, which is warmed up for a fixed time. Rounds are
 * interleaved, so that a slow moment of the machine hits all alike, and what is timed is the processor time of the thread; the figures are medians of
 * the ratios of the rounds.
 *
 *   npm run bench
 */
import { execFileSync } from 'node:child_process';
import { Stream as AnthropicStream } from '@anthropic-ai/sdk/core/streaming';
import { Stream as OpenAiStream } from 'openai/core/streaming';
import { createDecoder, KnownShapes, type DecoderOptions, type ProtocolId } from '../packages/wire/src/index.ts';
import { baseline } from './baseline.ts';
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

const ROUNDS = 25;
/** Processor time for which ours and the baseline are run before anything counts. */
const WARM_UP_MS = 700;
/** Events of one measurement. */
const TIMED_EVENTS = 200_000;
/** The SDKs are slow, and so are measured in the first rounds alone. */
const SDK_ROUNDS = 7;

/** How many times as fast as its rivals the decoder is, and is wanted to be. */
interface Ratios {
  readonly baseline: number;
  /** Absent where it is not measured. */
  readonly sdk?: number;
}

type Decode = (stream: BenchStream, chunks: Iterable<Uint8Array>) => number;

const decodeWith =
  (options: DecoderOptions): Decode =>
  (stream, chunks) => {
    const decoder = createDecoder(stream.wire, options);
    let events = 0;
    for (const chunk of chunks) events += decoder.push(chunk).length;
    events += decoder.end({ type: 'close' }).length;
    if (decoder.failure) throw decoder.failure;
    return events;
  };

const turnwire = decodeWith({});
/** As a client decodes all but the first answers of a server. */
const knowing = decodeWith({ shapes: new KnownShapes() });
/** Every event is parsed. */
const slowPath = decodeWith({ templates: false });

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

/** Milliseconds of processor time of this thread. */
async function timed(run: () => number | Promise<number>): Promise<number> {
  const start = process.threadCpuUsage();
  await run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1e3;
}

interface Row {
  readonly stream: BenchStream;
  readonly label: string;
  readonly chunks: readonly Uint8Array[];
  readonly decode: Decode;
  readonly wanted: Ratios;
}

interface Measured {
  readonly nsPerEvent: number;
  readonly ratio: Ratios;
}

async function measure({ stream, chunks, decode, wanted }: Row): Promise<Measured> {
  // Decoded several times in a round, each time as one answer: the clock of a thread may count in steps of 4 ms.
  const times = Math.ceil(TIMED_EVENTS / stream.events.length);
  const repeat = (run: () => number) => (): number => {
    let events = 0;
    for (let n = 0; n < times; n++) events += run();
    return events;
  };
  const rivals = {
    ours: repeat(() => decode(stream, chunks)),
    base: repeat(() => baseline(chunks)),
    peer: () => sdk(stream, chunks),
  };
  for (let spent = 0; spent < WARM_UP_MS;) spent += (await timed(rivals.ours)) + (await timed(rivals.base));
  const rounds: { ours: number; base: number; peer: number | undefined }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ours = (await timed(rivals.ours)) / times;
    const base = (await timed(rivals.base)) / times;
    const hasPeer = wanted.sdk !== undefined && round < SDK_ROUNDS;
    rounds.push({ ours, base, peer: hasPeer ? await timed(rivals.peer) : undefined });
  }
  return {
    nsPerEvent: (median(rounds.map(({ ours }) => ours)) * 1e6) / stream.events.length,
    ratio: {
      baseline: median(rounds.map(({ ours, base }) => base / ours)),
      sdk: median(rounds.flatMap(({ ours, peer }) => (peer === undefined ? [] : [peer / ours]))),
    },
  };
}

/** The same in a process that has done nothing else. */
function measuredAlone(place: number): Measured {
  const args = [...process.execArgv, import.meta.filename, String(place)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured;
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

const packedRow = (stream: BenchStream, wanted: Ratios): Row => ({
  ...{ stream, label: '16 KiB chunks', chunks: packed(stream, CHUNK), decode: turnwire, wanted },
});
const singleRow = (stream: BenchStream, wanted: Ratios): Row => ({
  ...{ stream, label: 'one event per chunk', chunks: onePerChunk(stream), decode: turnwire, wanted },
});

const EVENTS = 20_000;
const rows: readonly Row[] = [
  packedRow(chatText(EVENTS), { baseline: 5, sdk: 12 }),
  singleRow(chatText(EVENTS), { baseline: 2.5, sdk: 9.6 }),
  packedRow(chatToolCalls(EVENTS), { baseline: 3.5, sdk: 9 }),
  singleRow(chatToolCalls(EVENTS), { baseline: 2, sdk: 7.2 }),
  packedRow(responsesText(EVENTS), { baseline: 2.5, sdk: 11 }),
  singleRow(responsesText(EVENTS), { baseline: 2, sdk: 8.8 }),
  packedRow(responsesToolInput(EVENTS), { baseline: 2.5, sdk: 11 }),
  singleRow(responsesToolInput(EVENTS), { baseline: 2, sdk: 8.8 }),
  packedRow(messagesText(EVENTS), { baseline: 3, sdk: 10 }),
  singleRow(messagesText(EVENTS), { baseline: 2, sdk: 8 }),
  packedRow(messagesToolInput(EVENTS), { baseline: 2.5, sdk: 10 }),
  singleRow(messagesToolInput(EVENTS), { baseline: 2, sdk: 8 }),
  ...[300, 20].flatMap((events) =>
    [chatText, chatToolCalls, responsesText, responsesToolInput, messagesText].flatMap((make): Row[] => {
      const row = singleRow(make(events), { baseline: events === 300 ? 2 : 1 });
      const label = `an answer of ${events} events`;
      return [
        { ...row, label: `${label}, the first` },
        { ...row, label: `${label}, of a server that is known`, decode: knowing },
      ];
    }),
  ),
  ...[chatText(EVENTS), responsesText(EVENTS), messagesText(EVENTS)].map((stream): Row => {
    const row = packedRow(stream, { baseline: 0.9 });
    return { ...row, label: `slow path, ${row.label}`, decode: slowPath };
  }),
];

function printTable(): void {
  console.log('| stream | ns per event | x split + JSON.parse (wanted) | x SDK (wanted) |');
  console.log('|---|---|---|---|');
  for (const [place, { stream, label, wanted }] of rows.entries()) {
    const { nsPerEvent, ratio } = measuredAlone(place);
    const against = (key: keyof Ratios): string =>
      wanted[key] === undefined ? '' : `${(ratio[key] ?? Number.NaN).toFixed(1)} (>= ${wanted[key].toFixed(1)})`;
    console.log(`| ${stream.name}, ${label} | ${nsPerEvent.toFixed(0)} | ${against('baseline')} | ${against('sdk')} |`);
  }
}

const alone = rows[Number(process.argv[2] ?? Number.NaN)];
if (alone === undefined) await printAll();
else console.log(JSON.stringify(await measure(alone)));

async function printAll(): Promise<void> {
  console.log(`node ${process.version}, medians of ${ROUNDS} interleaved rounds, each row in a fresh process\n`);
  printTable();
  await printGrowth();
  console.log(`\n${memory()}`);
}

async function printGrowth(): Promise<void> {
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
  console.log(
    await growth({ name: 'Messages tool input, 10 to 80 MB', stream: toolInput, times: 10, head: 4, tail: 4 }),
  );
}
