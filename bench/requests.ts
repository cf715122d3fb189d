/**
 * What a request costs the bridge: processor time of all its threads, beside a pipe that parses the same body and writes it again; and
 * how long 2,000 streams wait for their first event that open within two seconds at a process that has served nothing. The servers of
 * one row take turns, in another order each round, and were warmed up; a figure is the median of the rounds, `x` the ratio to the pipe.
 *
 *   npm run bench:requests -- [--rounds N] [--against CHECKOUT] [--only SIZE]
 */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ProtocolId } from '../packages/wire/src/index.ts';
import { cpuUs, forkServer, stop, type Served } from './bridge/process.ts';
import { measureLoad, type Row } from './bridge/measure.ts';
import { chatToChat, pipeBody, toResponses, type Contender } from './bridge/servers.ts';
import { median } from './median.ts';
import { bodiesOf, type Size } from './requests/bodies.ts';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, against: { type: 'string' }, only: { type: 'string' } },
});
const rounds = Number(flags.rounds);
const BURST_ROUNDS = 3;
const BURST_STREAMS = 2000;
const WARM_UP_MS = 200;
const ABREAST = 4;
/** Requests of a round, and before the first one: code is compiled anew until some thousands have gone by. */
const counts: Readonly<Record<Size, { readonly each: number; readonly warmUp: number }>> = {
  small: { each: 400, warmUp: 6000 },
  codex: { each: 200, warmUp: 3000 },
  history: { each: 24, warmUp: 300 },
};

interface Route {
  readonly name: string;
  readonly kind: string;
  readonly wire: ProtocolId;
}

const PATHS: Readonly<Record<ProtocolId, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
};

const routes: readonly Route[] = [
  { name: 'Responses to chat', kind: 'translate', wire: 'responses' },
  { name: 'chat to chat', kind: 'translate', wire: 'chat' },
  { name: 'Messages to chat', kind: 'translate', wire: 'messages' },
  { name: 'passthrough', kind: 'passthrough', wire: 'chat' },
];

const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });

/** By these the bridge knows Codex: on the Responses wire its clients are measured, whatever the size. */
const CODEX = { originator: 'codex_exec', 'user-agent': 'codex_exec/0.169.0' };

async function ask(port: number, path: string, body: string): Promise<void> {
  const client = path === PATHS.responses ? CODEX : {};
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...client };
  const req = request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers });
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  if (res.statusCode !== 200) throw new Error(`status ${res.statusCode}`);
  res.resume();
  await once(res, 'end');
}

interface Measured {
  readonly served: Served;
  readonly us: number[];
}

/** Microseconds of one request. */
async function turn({ pid, port }: Served, path: string, next: () => string, count: number): Promise<number> {
  const before = cpuUs(pid);
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) await ask(port, path, next());
  };
  await Promise.all(Array.from({ length: ABREAST }, one));
  return (cpuUs(pid) - before) / count;
}

async function row(route: Route, size: Size, upstream: number): Promise<void> {
  const { each, warmUp } = counts[size];
  const path = PATHS[route.wire];
  const next = bodiesOf(route.wire, size, 'probe');
  const others = flags.against === undefined ? [] : [resolve(flags.against)];
  const all = await Promise.all([
    forkServer('serve.ts', ['pipe-body', String(upstream)]),
    forkServer('serve.ts', [route.kind, String(upstream)]),
    ...others.map((folder) => forkServer(checkout(folder), [route.kind, String(upstream)])),
  ]);
  const servers: Measured[] = all.map((served) => ({ served, us: [] }));
  for (const { served } of servers) await turn(served, path, next, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed())
      server.us.push(await turn(server.served, path, next, each));
  }
  const [pipe = NaN, now = NaN, then] = servers.map(({ us }) => median(us));
  const shown = (us: number): string => `${us.toFixed(0)} us, ${(us / pipe).toFixed(2)}x`;
  const before = then === undefined ? '' : ` ${shown(then)} |`;
  console.log(`| ${size} (${next().length} B) | ${route.name} | ${pipe.toFixed(0)} us |${before} ${shown(now)} |`);
  for (const { served } of servers) await stop(served);
}

function checkout(folder: string): string {
  return pathToFileURL(`${folder}/bench/bridge/serve.ts`).href;
}

async function burst(contender: Contender): Promise<void> {
  const runs: Row[] = [];
  for (let round = 0; round < BURST_ROUNDS; round++)
    runs.push(await measureLoad(contender, { kind: 'burst', streams: BURST_STREAMS }));
  const ms = (of: (run: Row) => number | undefined): string => median(runs.map((run) => of(run) ?? NaN)).toFixed(0);
  console.log(`| ${contender.name} | ${ms((run) => run.firstMs)} ms | ${ms((run) => run.lastMs)} ms |`);
}

/** As the command starts one. */
const warmedUp = (contender: Contender): Contender => ({
  ...contender,
  name: `${contender.name}, --warm-up ${WARM_UP_MS}`,
  start: (port) => forkServer('serve.ts', ['translate', String(port), String(WARM_UP_MS)]),
});

const of = (contender: Contender, name: string, kind: string, folder: string): Contender => ({
  ...contender,
  name,
  start: (port) => forkServer(checkout(folder), [kind, String(port)]),
});

console.log(`node ${process.version}, load ${(loadavg()[0] ?? NaN).toFixed(1)}, medians of ${rounds} rounds\n`);
const upstream = await forkServer('upstream.ts', []);
const then = flags.against === undefined ? '' : ' before |';
console.log(`| request | route | pipe |${then} now |\n|${' --- |'.repeat(flags.against === undefined ? 4 : 5)}`);
for (const size of Object.keys(counts) as Size[]) {
  if ((flags.only ?? size) !== size) continue;
  for (const route of routes) await row(route, size, upstream.port);
}
await stop(upstream);
if (flags.only === undefined || flags.only === 'burst') {
  console.log(`\n| ${BURST_STREAMS} streams at a fresh process, first event | p50 | p99 |\n| --- | --- | --- |`);
  for (const one of [pipeBody, chatToChat, toResponses]) {
    await burst(one);
    if (one !== pipeBody) await burst(warmedUp(one));
    if (flags.against !== undefined && one !== pipeBody)
      await burst(of(one, `${one.name}, before`, 'translate', resolve(flags.against)));
  }
}
console.log(`\nload ${(loadavg()[0] ?? NaN).toFixed(1)}`);
