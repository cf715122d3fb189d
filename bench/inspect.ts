/**
 * What it costs a stream that somebody could look at it: processor time per event of the observers alone, with nobody looking.
 * Each event is a chunk of a chat stream, the event that it says, and what the client is sent for it; streams of 500 events
 * follow one another, as many as a bridge keeps and then some, so that what is kept is let go again.
 *
 *   node --conditions=@turnwire/source bench/inspect.ts [ROUNDS]
 */
import { Exchange } from '@turnwire/bridge/internal/observe/exchange';
import type { Observe } from '@turnwire/bridge/internal/observe/observer';
import { ExchangeRing } from '@turnwire/bridge/internal/inspect/ring';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { unixMs } from '@turnwire/client/internal/platform/wall-time';

const rounds = Number(process.argv[2] ?? 9);
const STREAMS = 400;
const EVENTS = 500;
const MIB = 1024 * 1024;
const head = { authorization: 'Bearer none', 'user-agent': 'OpenAI/JS 7.5.0', 'content-type': 'application/json' };
const start = { id: '', route: 'responses', method: 'POST', url: '/v1/responses', headers: head };

function stream(id: string, observe: readonly Observe[]): void {
  const observers = observe.map((begin) => begin({ ...start, id })).filter((one) => one !== undefined);
  const exchange = new Exchange({ ...start, id }, observers, systemClock);
  exchange.onRequest({ route: 'responses_sse', wire: 'responses', model: 'm', size: 2000, body: () => undefined });
  exchange.onAttempt({ number: 1, upstream: 'http://127.0.0.1:8080/v1', conceal: (text) => text });
  exchange.onHead({ upstream: 'http://127.0.0.1:8080/v1', wire: 'chat', status: 200, headers: {} });
  for (let n = 0; n < EVENTS; n++) {
    // As new as from a socket, a decoder and an encoder: they are made in every row alike.
    const bytes = Buffer.allocUnsafeSlow(220);
    const events = [{ type: 'output_text.delta', delta: `word ${n}`, item_id: id } as const];
    const sent = [{ type: 'response.output_text.delta', data: `{"type":"response.output_text.delta","n":${n}}` }];
    exchange.onChunk?.(bytes);
    exchange.onEvents?.(events);
    exchange.onSent(sent);
  }
  exchange.onEnd({ how: 'completed' });
}

const ringOf = (keep: number, records?: { each: number; all: number }): readonly Observe[] => [
  new ExchangeRing({ clock: systemClock, unixMs, keep, records }).observe,
];

/** Microseconds of processor time per event, collection of garbage included. */
function measure(observe: readonly Observe[]): number {
  const before = process.cpuUsage();
  for (let n = 0; n < STREAMS; n++) stream(`req_${n}`, observe);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (STREAMS * EVENTS);
}

const kinds: Readonly<Record<string, () => readonly Observe[]>> = {
  'no observer': () => [],
  'rows (always)': () => ringOf(50),
  'rows and records (--inspect)': () => ringOf(200, { each: 8 * MIB, all: 64 * MIB }),
};
const results = new Map<string, number[]>(Object.keys(kinds).map((name) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  for (const [name, make] of Object.entries(kinds)) {
    const us = measure(make());
    if (round > 0) results.get(name)?.push(us); // the first is for the compiler
  }
}
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
const base = median(results.get('no observer') ?? []);
console.log('| | us per event | more than without |\n| --- | --- | --- |');
for (const [name, values] of results) {
  console.log(`| ${name} | ${median(values).toFixed(2)} | ${(median(values) - base).toFixed(2)} |`);
}
