/** The ratios of one decoder to the baseline, as JSON: `node check-one.ts packages/wire/src/index.ts`, of whichever checkout. */
import { pathToFileURL } from 'node:url';
import type { createDecoder as CreateDecoder } from '../packages/wire/src/index.ts';
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
  responsesText,
  responsesToolInput,
  type BenchStream,
} from './streams.ts';

/** So many that the clock of the processor, which ticks some hundred times in a second, tells them apart. */
const EVENTS = 20_000;
const WARM_UP_MS = 250;
const ROUNDS = 7;

const [path = ''] = process.argv.slice(2);
const { createDecoder } = (await import(pathToFileURL(path).href)) as { readonly createDecoder: typeof CreateDecoder };

function decode({ wire }: BenchStream, chunks: readonly Uint8Array[]): void {
  const decoder = createDecoder(wire);
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end({ type: 'close' });
  if (decoder.failure) throw decoder.failure;
}

/** Milliseconds of processor time. */
function timed(run: () => unknown): number {
  const start = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

function ratioOf(stream: BenchStream, chunks: readonly Uint8Array[]): number {
  const round = (): readonly [ours: number, base: number] => [
    timed(() => decode(stream, chunks)),
    timed(() => baseline(chunks)),
  ];
  for (let spent = 0; spent < WARM_UP_MS;) spent += round().reduce((sum, ms) => sum + ms, 0);
  const rounds = Array.from({ length: ROUNDS }, round);
  return median(rounds.map(([, base]) => base)) / median(rounds.map(([ours]) => ours));
}

const streams = [chatText, chatToolCalls, responsesText, responsesToolInput, messagesText, messagesToolInput].map(
  (make) => make(EVENTS),
);
const ratios = streams.flatMap((stream) => [
  [`${stream.name}, 16 KiB chunks`, ratioOf(stream, packed(stream, CHUNK))],
  [`${stream.name}, one event per chunk`, ratioOf(stream, onePerChunk(stream))],
]);
console.log(JSON.stringify(Object.fromEntries(ratios)));
