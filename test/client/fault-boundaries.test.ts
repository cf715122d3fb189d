import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createModelClient, type ModelClient } from '../../packages/client/src/session/model-client.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { transcriptOf } from '../../packages/wire/src/model/transcript.ts';
import type { EndReason, ProtocolId } from '../../packages/wire/src/decoder.ts';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { manualClock, type ManualClock } from '../transport/support/manual-clock.ts';
import { countedIds, hello, modelServer, providerFor, type ModelServer } from './support.ts';
import { captureWire } from '../capture-wire.ts';

const folder = join(import.meta.dirname, '../captures');
const captures = readdirSync(folder)
  .filter((name) => name.endsWith('.sse'))
  .map((name) => ({
    name,
    wire: captureWire(name),
    bytes: readFileSync(join(folder, name)),
  }));

type Fault = 'close' | 'cut' | 'reset' | 'abort' | 'silence';

interface Expected {
  /** Events before the fault. */
  readonly before: number;
  readonly events: readonly ModelEvent[];
  readonly errorKind: string | undefined;
}

/** The places after each SSE event, and the very beginning. */
function boundaries(bytes: Buffer): number[] {
  const places = [0];
  for (let at = bytes.indexOf('\n\n'); at >= 0; at = bytes.indexOf('\n\n', at + 2)) places.push(at + 2);
  return places;
}

/** What the decoder alone makes of the same bytes and the same end. */
function expectedOf(wire: ProtocolId, bytes: Buffer, fault: Fault): Expected {
  const decoder = createDecoder(wire, { usageAsked: wire === 'chat', mintId: countedIds() });
  const before = decoder.push(bytes);
  const finished = decoder.phase === 'awaiting_usage';
  const end: EndReason =
    fault === 'close'
      ? { type: 'close' }
      : finished && fault === 'silence'
        ? { type: 'grace' }
        : { type: 'failed', error: new ModelError({ kind: kindOf(fault), message: 'x' }) };
  const events = [...before, ...decoder.end(end)];
  return { before: before.length, events, errorKind: decoder.failure?.kind };
}

function kindOf(fault: Fault): 'aborted' | 'stream_idle' | 'stream_truncated' {
  return fault === 'abort' ? 'aborted' : fault === 'silence' ? 'stream_idle' : 'stream_truncated';
}

interface Bench {
  readonly server: ModelServer;
  readonly clock: ManualClock;
  readonly clientFor: (wire: ProtocolId) => ModelClient;
  /** The answer to the request that runs. */
  readonly answer: { bytes: Buffer; response: ServerResponse | undefined };
  /** Settles when the server has begun to answer. */
  readonly answered: () => Promise<void>;
}

async function withBench(run: (bench: Bench) => Promise<void>): Promise<void> {
  const answer: Bench['answer'] = { bytes: Buffer.alloc(0), response: undefined };
  await using server = await modelServer((response) => {
    answer.response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (answer.bytes.length > 0) response.write(answer.bytes);
    else response.write(': nothing yet\n\n');
  });
  const clock = manualClock();
  const clientFor = (wire: ProtocolId): ModelClient =>
    createModelClient({ provider: providerFor(server.url, wire), clock, mintId: countedIds() });
  const answered = async (): Promise<void> => {
    while (answer.response === undefined) await new Promise((resolve) => setImmediate(resolve));
  };
  await run({ server, clock, clientFor, answer, answered });
}

async function runOne(bench: Bench, wire: ProtocolId, bytes: Buffer, fault: Fault): Promise<void> {
  const expected = expectedOf(wire, bytes, fault);
  const controller = new AbortController();
  bench.answer.bytes = bytes;
  bench.answer.response = undefined;
  const client = bench.clientFor(wire);
  const iterator = client.stream(hello, { signal: controller.signal })[Symbol.asyncIterator]();
  const events: ModelEvent[] = [];
  let error: unknown;
  const trip = (): void => {
    const { response } = bench.answer;
    if (fault === 'close') response?.end();
    else if (fault === 'cut') response?.socket?.end();
    else if (fault === 'reset') response?.socket?.resetAndDestroy();
    else if (fault === 'abort') controller.abort();
    else bench.clock.advance(300_000);
  };
  try {
    for (;;) {
      const next = iterator.next();
      if (events.length === expected.before) {
        // What was sent before the fault has all arrived; the client waits for more.
        await bench.answered();
        if (expected.before === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        trip();
      }
      const result = await next;
      if (result.done === true) break;
      events.push(result.value);
    }
  } catch (caught) {
    error = caught;
  }
  expect(events).toEqual(expected.events);
  expect(error instanceof ModelError ? error.kind : error).toBe(expected.errorKind);
  expect(events.filter((event) => event.type === 'completed').length).toBe(error === undefined ? 1 : 0);
  expect((await iterator.next()).done).toBe(true);
  bench.clock.advance(1000); // a drain ends by then, if not by itself
  if (error === undefined || fault === 'close') await client.close(); // it may have kept the connection
  await bench.server.idle();
  expect(bench.clock.pending).toBe(0);
  await client.close();
}

const faults: readonly Fault[] = ['close', 'cut', 'reset', 'abort', 'silence'];

describe.each(captures)('$name: a fault at every event boundary', ({ wire, bytes }) => {
  const places = boundaries(bytes);

  test(
    `one end, nothing lost, nothing doubled, nothing left (${places.length} places)`,
    { timeout: 60_000 },
    async () => {
      await withBench(async (bench) => {
        for (const [nth, place] of places.entries()) {
          // Every fault comes at every fifth place; the first and the last places get all of them.
          const here = nth < 3 || nth >= places.length - 3 ? faults : [faults[nth % faults.length]!];
          for (const fault of here) await runOne(bench, wire, bytes.subarray(0, place), fault);
        }
      });
    },
  );

  test('a session gets the whole answer after a cut, and says what is void', { timeout: 60_000 }, async () => {
    const whole = createDecoder(wire, { usageAsked: true, mintId: countedIds() });
    whole.push(bytes);
    whole.end({ type: 'close' });
    if (whole.failure !== undefined) return; // a capture that ends in an error has no whole answer
    const some = places.filter((_, nth) => nth % Math.ceil(places.length / 12) === 0);
    for (const place of some) await cutThenWhole(wire, bytes, place);
  });
});

async function cutThenWhole(wire: ProtocolId, bytes: Buffer, place: number): Promise<void> {
  const first = expectedOf(wire, bytes.subarray(0, place), 'cut');
  await using server = await modelServer(
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(place === 0 ? ': x\n\n' : bytes.subarray(0, place), () => response.socket?.end());
    },
    (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bytes),
  );
  const session = createModelSession({
    provider: providerFor(server.url, wire),
    mintId: countedIds(),
    clock: { now: () => 0, after: (_ms, callback, options) => soon(callback, options?.keepAlive === true) },
  });
  const events: ModelEvent[] = [];
  for await (const event of session.turn().stream(hello)) events.push(event);
  await session.close();
  const completed = events.filter((event) => event.type === 'completed');
  expect(completed.length).toBe(1);
  expect(events.at(-1)).toBe(completed[0]);
  const retries = events.filter((event) => event.type === 'retrying');
  expect(retries.length).toBe(first.errorKind === undefined ? 0 : 1);
  if (first.errorKind === undefined) return;
  const begun = first.events.flatMap((event) => (event.type === 'output_item.added' ? [event.item.id] : []));
  const done = transcriptOf(first.events).items;
  const kept = done.findIndex((item) => item.type === 'function_call');
  const keptIds = (kept < 0 ? done : done.slice(0, kept)).map((item) => item.id);
  expect([...(retries[0]?.discarded_item_ids ?? [])].sort()).toEqual(
    begun.filter((id) => !keptIds.includes(id)).sort(),
  );
  const input = server.requests[1]?.body[wire === 'responses' ? 'input' : 'messages'];
  expect((input as unknown[]).length).toBeGreaterThanOrEqual(hello.input.length);
}

function soon(callback: () => void, now: boolean): { cancel: () => void } {
  const timer = now ? setTimeout(callback, 0) : undefined;
  return { cancel: () => clearTimeout(timer) };
}

test('there are captures', () => {
  expect(captures.length).toBeGreaterThan(10);
});
