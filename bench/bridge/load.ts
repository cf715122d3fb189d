/** The client: measures one server as its arguments say, and sends the figures to its parent. */
import { Agent, request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuUs, rssKib } from './process.ts';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The process that is measured. */
  readonly pid: number;
  readonly kind: 'fast' | 'paced' | 'open' | 'unread' | 'burst';
  readonly streams: number;
}

export interface Measured {
  readonly eventsPerSecond?: number;
  readonly cpuUs?: number;
  /** Median time from the request to its first event, with the other streams running. */
  readonly firstMs?: number;
  /** For `burst`, that time of the stream that 99 of 100 were before. */
  readonly lastMs?: number;
  /** Growth of resident memory: per stream; in all for `unread`. */
  readonly kib?: number;
}

const WARM_UP_ROUNDS = 3;
const WARM_UP_PROBES = 4000;
const WARM_UP_MS = 5000;
const FAST_ROUNDS = 4;
const MEASURED_MS = 3000;
const PROBES = 80;
const UNREAD_MS = 4000;

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const agent = new Agent({ maxSockets: Infinity, keepAlive: true });
const messages = [{ role: 'user', content: 'x' }];
const marker = options.path.endsWith('responses') ? 'event: response.output_text.delta' : 'data: {"id"';
let events = 0;

interface Stream {
  readonly request: ClientRequest;
  readonly first: Promise<number>;
  readonly ended: Promise<void>;
}

/** @param model - what the upstream does: `paced`, `fast`, `probe`, `huge` */
function start(model: string, reads = true): Stream {
  const { port, path, headers } = options;
  const at = performance.now();
  const first = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<undefined>();
  const all = { 'content-type': 'application/json', ...headers };
  const req = request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers: all }, (res) => {
    if (res.statusCode !== 200) throw new Error(`status ${res.statusCode}`);
    res.on('error', () => undefined);
    res.on('close', () => ended.resolve(undefined));
    if (!reads) return;
    res.on('data', (data: Buffer) => {
      first.resolve(performance.now() - at);
      for (let to = data.indexOf(marker); to >= 0; to = data.indexOf(marker, to + marker.length)) events++;
    });
  });
  req.on('error', () => ended.resolve(undefined));
  req.end(JSON.stringify({ model, input: 'x', messages, stream: true }));
  return { request: req, first: first.promise, ended: ended.promise };
}

/** What is measured is the server as it runs for hours: its code is compiled anew until some 3,000 requests have gone by. */
async function warmUp(): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await start('fast').ended;
  const until = performance.now() + WARM_UP_MS;
  for (let n = 0; n < WARM_UP_PROBES && performance.now() < until; n++) await start('probe').ended;
}

async function openAll(): Promise<readonly Stream[]> {
  const all: Stream[] = [];
  for (let n = 0; n < options.streams; n++) {
    all.push(start('paced'));
    if (n % 20 === 19) await sleep(20);
  }
  await Promise.all(all.map((one) => one.first));
  await sleep(500);
  return all;
}

async function timed(run: () => Promise<unknown>): Promise<Measured> {
  events = 0;
  const before = { cpu: cpuUs(options.pid), at: performance.now() };
  await run();
  const ms = performance.now() - before.at;
  return { eventsPerSecond: (events / ms) * 1000, cpuUs: (cpuUs(options.pid) - before.cpu) / events };
}

async function fast(): Promise<Measured> {
  await warmUp();
  return timed(async () => {
    for (let round = 0; round < FAST_ROUNDS; round++) await start('fast').ended;
  });
}

async function paced(): Promise<Measured> {
  await warmUp();
  await openAll();
  const measured = await timed(() => sleep(MEASURED_MS));
  return { ...measured, firstMs: await probe() };
}

/** One after the other, so that none waits for another. */
async function probe(): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < PROBES; n++) {
    const stream = start('probe');
    times.push(await stream.first);
    await stream.ended;
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;
}

/** What an open stream costs, in a process that had a few already. */
async function open(): Promise<Measured> {
  await probe();
  const before = rssKib(options.pid);
  await openAll();
  const measured = await timed(() => sleep(MEASURED_MS));
  return { ...measured, kib: (rssKib(options.pid) - before) / options.streams };
}

/** Streams that open 1,000 a second, at a process that has served nothing. */
async function burst(): Promise<Measured> {
  const all = await openAll();
  const times = (await Promise.all(all.map((one) => one.first))).sort((a, b) => a - b);
  return { firstMs: times[times.length >> 1] ?? NaN, lastMs: times[Math.floor(times.length * 0.99)] ?? NaN };
}

/** What a client costs that asks for a very long answer and never reads. */
async function unread(): Promise<Measured> {
  await probe();
  await warmUp();
  const before = rssKib(options.pid);
  start('huge', false);
  await sleep(UNREAD_MS);
  return { kib: rssKib(options.pid) - before };
}

process.send?.(await { fast, paced, open, unread, burst }[options.kind]());
process.exit(0); // all its streams are cut: whoever serves them has to notice
