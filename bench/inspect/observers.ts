/**
 * The observers of the inspector alone, in a process of their own: `observers.ts rows|records`. Each message asks for a turn,
 * and is answered with the processor time of one event. Each event is a chunk of a chat stream, what it says, and what the
 * client is sent for it; streams of 500 events follow one another, so that what is kept is let go again.
 */
import { Exchange } from '@turnwire/bridge/internal/observe/exchange';
import type { Observe } from '@turnwire/bridge/internal/observe/observer';
import { ExchangeRing } from '@turnwire/bridge/internal/inspect/ring';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { unixMs } from '@turnwire/client/internal/platform/wall-time';

const STREAMS = 200;
const EVENTS = 500;
const MIB = 1024 * 1024;
const head = { authorization: 'Bearer none', 'user-agent': 'OpenAI/JS 7.5.0', 'content-type': 'application/json' };
const start = { id: '', route: 'responses', method: 'POST', url: '/v1/responses', headers: head };
/** As `createBridge` makes them, without and with `inspect`. */
const rings: Readonly<Record<string, () => ExchangeRing>> = {
  rows: () => new ExchangeRing({ clock: systemClock, unixMs, keep: 50 }),
  records: () => new ExchangeRing({ clock: systemClock, unixMs, keep: 200, records: { each: 8 * MIB, all: 64 * MIB } }),
};

function stream(id: string, observe: Observe): void {
  const observer = observe({ ...start, id });
  const exchange = new Exchange({ ...start, id }, observer === undefined ? [] : [observer], systemClock);
  exchange.onRequest({ route: 'responses_sse', wire: 'responses', model: 'm', size: 2000, body: () => undefined });
  exchange.onAttempt({ number: 1, upstream: 'http://127.0.0.1:8080/v1', conceal: (text) => text });
  exchange.onHead({ upstream: 'http://127.0.0.1:8080/v1', wire: 'chat', status: 200, headers: {} });
  for (let n = 0; n < EVENTS; n++) {
    // As new as from a socket, a decoder and an encoder: they are made in both processes alike.
    const bytes = Buffer.allocUnsafeSlow(220);
    const events = [{ type: 'output_text.delta', delta: `word ${n}`, item_id: id } as const];
    const data = `{"type":"response.output_text.delta","item_id":"${id}","output_index":0,"content_index":0,"delta":"word ${n}"}`;
    exchange.onChunk?.(bytes);
    exchange.onEvents?.(events);
    exchange.onSent([{ type: 'response.output_text.delta', data }]);
  }
  exchange.onEnd({ how: 'completed' });
}

const ring = rings[process.argv[2] ?? 'rows']?.();
if (ring === undefined) throw new Error('rows or records');
let count = 0;
process.on('message', () => {
  const before = process.cpuUsage();
  for (let n = 0; n < STREAMS; n++) stream(`req_${count++}`, ring.observe);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ us: (user + system) / (STREAMS * EVENTS) });
});
process.send?.({});
