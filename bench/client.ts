/**
 * What the client adds to decoding, and what telemetry adds to the client: a session reads the same chunks from memory
 * without an observer, with OpenTelemetry but no SDK behind it, and with a hook on every wait. Rounds are interleaved;
 * the figures compare the fastest quarter of each, so that a busy machine does not hide them. "Noise" is the same session
 * a second time: what differs by less than that does not differ.
 *
 *   node client.ts
 */
import { createProvider } from '../packages/client/src/provider/provider.ts';
import type { ModelObserver } from '../packages/client/src/observer.ts';
import { createModelSession } from '../packages/client/src/session/session.ts';
import { createTelemetry } from '../packages/client/src/telemetry.ts';
import type { HttpResponse, HttpTransport } from '../packages/client/src/transport/http.ts';
import { createDecoder } from '../packages/wire/src/index.ts';
import { CHUNK, chatText, onePerChunk, packed, responsesText, type BenchStream } from './streams.ts';

const ROUNDS = 40;

/** A transport that answers every request with the same chunks. */
function memoryTransport(chunks: readonly Uint8Array[]): HttpTransport {
  return {
    send: () => Promise.resolve(memoryResponse(chunks)),
    close: () => Promise.resolve(),
  };
}

function memoryResponse(chunks: readonly Uint8Array[]): HttpResponse {
  let at = 0;
  const nothing = (): void => undefined;
  return {
    status: 200,
    headers: {},
    header: () => undefined,
    read: () => Promise.resolve(at < chunks.length ? chunks.slice(at, ++at) : undefined),
    chunks: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ value: undefined, done: true }) }) },
    wake: nothing,
    progress: nothing,
    cancel: nothing,
    release: nothing,
  };
}

function decoderAlone(stream: BenchStream, chunks: readonly Uint8Array[]): number {
  const decoder = createDecoder(stream.wire);
  let events = 0;
  for (const chunk of chunks) events += decoder.push(chunk).length;
  return events + decoder.end({ type: 'close' }).length;
}

async function session(stream: BenchStream, chunks: readonly Uint8Array[], observer?: ModelObserver): Promise<number> {
  const provider = createProvider({ baseUrl: 'http://127.0.0.1', wireApi: stream.wire, askUsage: false });
  const transport = memoryTransport(chunks);
  const one = createModelSession({ provider, transport, ...(observer === undefined ? {} : { observer }) });
  let events = 0;
  for await (const batch of one.turn().stream({ model: 'm', input: [] }).batches()) events += batch.length;
  return events;
}

let polls = 0;
const runs: Record<string, (stream: BenchStream, chunks: readonly Uint8Array[]) => number | Promise<number>> = {
  decoder: decoderAlone,
  off: (stream, chunks) => session(stream, chunks),
  noise: (stream, chunks) => session(stream, chunks),
  telemetry: (stream, chunks) => session(stream, chunks, createTelemetry()),
  hook: (stream, chunks) => session(stream, chunks, { onSsePoll: () => polls++ }),
};

/** The mean of the fastest quarter. */
function fast(values: readonly number[]): number {
  const quarter = values.toSorted((a, b) => a - b).slice(0, Math.ceil(values.length / 4));
  return quarter.reduce((sum, value) => sum + value, 0) / quarter.length;
}

function above(value: number, base: number): string {
  return `${(((value - base) / base) * 100).toFixed(1)} %`;
}

async function measure(stream: BenchStream, label: string, chunks: readonly Uint8Array[]): Promise<string> {
  const times = new Map(Object.keys(runs).map((name) => [name, [] as number[]]));
  for (let round = -3; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = process.hrtime.bigint();
      await run(stream, chunks);
      if (round >= 0) times.get(name)?.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  const [alone = NaN, off = NaN, ...others] = [...times.values()].map(fast);
  const cells = [`${alone.toFixed(1)} ms`, `${off.toFixed(1)} ms`, ...others.map((one) => above(one, off))];
  return `| ${stream.name}, ${label} | ${cells.join(' | ')} |`;
}

console.log(`node ${process.version}, ${ROUNDS} interleaved rounds, the fastest quarter of each\n`);
console.log(
  '| stream | decoder alone | session, telemetry off | noise | OpenTelemetry without SDK | `onSsePoll` hook |',
);
console.log('|---|---|---|---|---|---|');
for (const stream of [chatText(40_000), responsesText(40_000)]) {
  console.log(await measure(stream, '16 KiB chunks', packed(stream, CHUNK)));
  console.log(await measure(stream, 'one event per chunk', onePerChunk(stream)));
}
