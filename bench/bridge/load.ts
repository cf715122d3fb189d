/** The client: `load.ts PORT PATH PID fast|paced STREAMS`; sends what it measured to its parent. */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [port = '0', path = '/', pid = '0', pace = 'paced', streams = '1'] = process.argv.slice(2);
const MEASURED_MS = 3000;
const FAST_ROUNDS = 3;

const agent = new Agent({ maxSockets: Infinity });
const messages = [{ role: 'user', content: 'x' }];
const bodyOf = (model: string): string => JSON.stringify({ model, input: 'x', messages, stream: true });
const marker = path.endsWith('responses') ? 'event: response.output_text.delta' : 'data: {';
let events = 0;

interface Stream {
  readonly request: ClientRequest;
  readonly first: Promise<number>;
  readonly ended: Promise<void>;
}

function start(model = pace === 'fast' ? 'fast' : 'm'): Stream {
  const at = performance.now();
  const first = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<undefined>();
  const headers = { 'content-type': 'application/json' };
  const req = request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers }, (res) => {
    res.on('data', (data: Buffer) => {
      first.resolve(performance.now() - at);
      for (let to = data.indexOf(marker); to >= 0; to = data.indexOf(marker, to + marker.length)) events++;
    });
    res.on('error', () => undefined);
    res.on('close', () => ended.resolve(undefined));
  });
  req.on('error', () => ended.resolve(undefined));
  req.end(bodyOf(model));
  return { request: req, first: first.promise, ended: ended.promise };
}

/** Microseconds of processor time that all threads of the server took so far. */
function cpu(): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((sum, ns) => sum + ns, 0) / 1000;
}

function rssKib(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** What is measured is the server as it runs for hours, not its first second. */
async function warmUp(): Promise<void> {
  for (let round = 0; round < 3; round++) await start('fast').ended;
}

async function fast(): Promise<object> {
  await warmUp();
  events = 0;
  const before = { cpu: cpu(), at: performance.now() };
  for (let round = 0; round < FAST_ROUNDS; round++) await start().ended;
  const ms = performance.now() - before.at;
  return { eventsPerSecond: (events / ms) * 1000, cpuUs: (cpu() - before.cpu) / events };
}

async function paced(): Promise<object> {
  await warmUp();
  const rss = rssKib();
  const all: Stream[] = [];
  for (let n = 0; n < Number(streams); n++) {
    all.push(start());
    if (n % 20 === 19) await sleep(20);
  }
  const firsts = (await Promise.all(all.map((one) => one.first))).sort((a, b) => a - b);
  await sleep(500);
  events = 0;
  const before = { cpu: cpu(), at: performance.now() };
  await sleep(MEASURED_MS);
  const ms = performance.now() - before.at;
  const result = {
    firstMs: firsts[firsts.length >> 1],
    cpuUs: (cpu() - before.cpu) / events,
    eventsPerSecond: (events / ms) * 1000,
    kibPerStream: (rssKib() - rss) / Number(streams),
  };
  for (const one of all) one.request.destroy();
  return result;
}

process.send?.(await (pace === 'fast' ? fast() : paced()));
process.exit(0);
