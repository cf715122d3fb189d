/**
 * The mock as a load generator: events per second of its own CPU time (one core), what an open stream costs, and the
 * time until it listens. The server runs in a process of its own; the client only counts bytes.
 *
 *   node bench/mock.ts
 */
import { fork, type ChildProcess } from 'node:child_process';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { scenario, startMock } from '../packages/testing/src/index.ts';

const EVENTS = 200_000;
const ROUNDS = 6;
const OPEN = 5000;

interface Told {
  readonly baseUrl: string;
  readonly startMs: number;
  readonly cpuSeconds: number;
  readonly rssKiB: number;
  readonly held: number;
}

if (process.argv[2] === 'server') await serve(process.argv[3] === 'open');
else await measure();

async function serve(open: boolean): Promise<void> {
  const words = Array.from({ length: EVENTS }, (_, i) => ` tok${i % 10}`).join('');
  const before = performance.now();
  const server = await startMock(open ? { faults: ['stall-after:3'] } : { scenario: scenario().text(words) });
  const startMs = performance.now() - before;
  process.on('message', (message) => {
    if (message === 'stop') {
      void server.close().then(() => process.disconnect());
      return;
    }
    const { user, system } = process.cpuUsage();
    const held = server.requests.filter(({ answer }) => answer.phase === 'held').length;
    const rssKiB = process.memoryUsage().rss / 1024;
    process.send?.({
      baseUrl: server.baseUrl,
      startMs,
      cpuSeconds: (user + system) / 1e6,
      rssKiB,
      held,
    } satisfies Told);
  });
}

function start(kind: string): { readonly child: ChildProcess; ask(): Promise<Told> } {
  const child = fork(fileURLToPath(import.meta.url), ['server', kind]);
  const ask = (): Promise<Told> =>
    new Promise((resolve) => {
      child.once('message', (told) => resolve(told as Told));
      child.send('tell');
    });
  return { child, ask };
}

async function measure(): Promise<void> {
  const stream = start('stream');
  const first = await stream.ask();
  console.log(`listening after ${first.startMs.toFixed(1)} ms`);
  for (const [wire, path, body] of [
    ['chat', '/chat/completions', '{"messages":[],"stream":true}'],
    ['responses', '/responses', '{"input":"x","stream":true}'],
  ] as const) {
    await read(first.baseUrl + path, body);
    const before = await stream.ask();
    for (let round = 0; round < ROUNDS; round++) await read(first.baseUrl + path, body);
    const after = await stream.ask();
    const perSecond = (EVENTS * ROUNDS) / (after.cpuSeconds - before.cpuSeconds);
    console.log(`${wire}: ${Math.round(perSecond).toLocaleString('en')} events per CPU second of the server`);
  }
  stream.child.send('stop');
  await measureOpen();
}

async function measureOpen(): Promise<void> {
  const open = start('open');
  const before = await open.ask();
  const agent = new Agent({ maxSockets: Infinity });
  await Promise.all(Array.from({ length: OPEN }, () => firstBytes(`${before.baseUrl}/chat/completions`, agent)));
  const after = await open.ask();
  const each = (after.rssKiB - before.rssKiB) / OPEN;
  console.log(`${after.held} open streams, ${each.toFixed(0)} KiB each`);
  open.child.send('stop');
  agent.destroy();
}

function read(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const req = request(url, { method: 'POST' }, (res) => {
      res.on('data', (chunk: Buffer) => (bytes += chunk.length));
      res.on('end', () => resolve(bytes));
    });
    req.on('error', reject);
    req.end(body);
  });
}

function firstBytes(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', agent }, (res) => {
      res.once('data', () => resolve());
      res.on('error', () => undefined); // the server goes away at the end
      res.resume();
    });
    req.on('error', reject);
    req.end('{"messages":[],"stream":true}');
  });
}
