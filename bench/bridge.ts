/**
 * The bridge against a bare pipe, and against a pipe that parses and prints each event: `node bench/bridge.ts [ROUNDS]`.
 * Every server is a process of its own; rounds are interleaved, numbers are medians, ratios are to the pipe.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const rounds = Number(process.argv[2] ?? 3);
const STREAMS = [1, 50, 500];

interface Server {
  readonly name: string;
  readonly kind: string;
  readonly path: string;
}

const servers: readonly Server[] = [
  { name: 'direct', kind: 'direct', path: '/v1/chat/completions' },
  { name: 'pipe', kind: 'pipe', path: '/v1/chat/completions' },
  { name: 'pipe with JSON', kind: 'pipe-json', path: '/v1/chat/completions' },
  { name: 'bridge, passthrough', kind: 'passthrough', path: '/v1/chat/completions' },
  { name: 'bridge, chat to chat', kind: 'translate', path: '/v1/chat/completions' },
  { name: 'bridge, Responses to chat', kind: 'translate', path: '/v1/responses' },
];

interface Measured {
  readonly firstMs?: number;
  readonly cpuUs: number;
  readonly eventsPerSecond: number;
  readonly kibPerStream?: number;
}

async function startChild(file: string, args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL(`bridge/${file}`, import.meta.url), [...args]);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { child, port: message.port };
}

async function measure(
  server: Server,
  upstreamPort: number,
  pid: number,
  pace: string,
  streams: number,
): Promise<Measured> {
  const serving =
    server.kind === 'direct' ? undefined : await startChild('serve.ts', [server.kind, String(upstreamPort)]);
  const port = serving?.port ?? upstreamPort;
  const args = [port, server.path, serving?.child.pid ?? pid, pace, streams].map(String);
  const load = fork(new URL('bridge/load.ts', import.meta.url), args);
  const [result] = (await once(load, 'message')) as [Measured];
  await once(load, 'exit');
  await checkNoneLeft(upstreamPort);
  serving?.child.kill('SIGKILL');
  return result;
}

/** A second after the clients left, no stream of the upstream may be open. */
async function checkNoneLeft(port: number): Promise<void> {
  await sleep(1000);
  const { open } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { open: number };
  if (open > 0) throw new Error(`${open} streams of the upstream are still open`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

async function compare(pace: string, streams: number): Promise<void> {
  const upstream = await startChild('upstream.ts', []);
  const results = new Map<string, Measured[]>(servers.map((server) => [server.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      results.get(server.name)?.push(await measure(server, upstream.port, upstream.child.pid ?? 0, pace, streams));
    }
  }
  upstream.child.kill('SIGKILL');
  print(pace === 'fast' ? 'as fast as it goes, 1 stream' : `${streams} streams, paced`, results);
}

function print(title: string, results: ReadonlyMap<string, readonly Measured[]>): void {
  const of = (name: string, field: keyof Measured): number =>
    median((results.get(name) ?? []).flatMap((one) => one[field] ?? []));
  console.log(`\n${title}\n`);
  console.log('| | events/s | CPU us/event | to pipe | first event ms | KiB/stream |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const name of results.keys()) {
    const cells = [
      of(name, 'eventsPerSecond').toFixed(0),
      of(name, 'cpuUs').toFixed(2),
      (of(name, 'cpuUs') / of('pipe', 'cpuUs')).toFixed(2),
      of(name, 'firstMs').toFixed(1),
      of(name, 'kibPerStream').toFixed(0),
    ];
    console.log(`| ${name} | ${cells.map((cell) => (cell === 'NaN' ? '' : cell)).join(' | ')} |`);
  }
}

await compare('fast', 1);
for (const streams of STREAMS) await compare('paced', streams);
