/**
 * The bridge with one process and with two workers: short answers one after the other on many connections, and the first event of many
 * that begin at once. The upstream and the client run beside it: on two cores they take what a second worker could.
 *
 *   node --conditions=@turnwire/source workers.ts [ROUNDS]
 */
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { median } from './median.ts';
import { forkServer, rssKib, spawnServer, stop } from './bridge/process.ts';

const MAIN = fileURLToPath(new URL('../turnwire/src/cli/main.ts', import.meta.url));
const PORT = 18_990;
const AT_ONCE = [64, 256] as const;
const MEASURED_MS = 4000;
/** Of each process that serves: code is compiled anew until some thousands have gone by. */
const WARM_UP = 6000;
const BURST = 500;

/** Asks once; milliseconds to the first event. */
function ask(agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const at = performance.now();
  const headers = { 'content-type': 'application/json' };
  const req = request(
    { agent, port: PORT, host: '127.0.0.1', method: 'POST', path: '/v1/responses', headers },
    (res) => {
      let first = 0;
      res.on('data', () => (first ||= performance.now() - at));
      res.on('end', () => resolve(first)).on('error', reject);
    },
  );
  req.on('error', reject).end(JSON.stringify({ model: 'probe', input: 'x', stream: true }));
  return promise;
}

/** Requests in a second, each on a connection that stays, until there were so many or the time is over. */
async function throughput(connections: number, { ms = Infinity, requests = Infinity }): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const began = performance.now();
  let count = 0;
  const one = async (): Promise<void> => {
    for (; performance.now() - began < ms && count < requests; count++) await ask(agent);
  };
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  return (count / (performance.now() - began)) * 1000;
}

/** Milliseconds to the first events of many that begin at once, the quickest first. */
async function burst(): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
  const times = await Promise.all(Array.from({ length: BURST }, () => ask(agent)));
  return times.toSorted((a, b) => a - b);
}

/** Seconds of processor time that all processes of the bridge took so far. */
async function cpuSeconds(): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${PORT}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (.*)$/m.exec(page)?.[1]);
}

async function measure(workers: number) {
  const upstream = await forkServer('upstream.ts', []);
  const place = ['--port', String(PORT), '--workers', String(workers), '--log-level', 'silent'];
  const args = [MAIN, 'bridge', '--upstream', `http://127.0.0.1:${upstream.port}/v1`, '--wire', 'chat', ...place];
  const served = await spawnServer(process.execPath, args, PORT);
  const primaryMiB = rssKib(served.pid) / 1024;
  await throughput(AT_ONCE[0], { requests: WARM_UP * workers });
  const loads: Load[] = [];
  for (const connections of AT_ONCE) {
    const before = await cpuSeconds();
    const perSecond = await throughput(connections, { ms: MEASURED_MS });
    loads.push({ perSecond, cpuMs: ((await cpuSeconds()) - before) / ((perSecond * MEASURED_MS) / 1e6) });
  }
  const times = await burst();
  await stop(served);
  await stop(upstream);
  return { loads, p50: times[BURST / 2] ?? NaN, p99: times[Math.floor(BURST * 0.99)] ?? NaN, primaryMiB };
}

interface Load {
  readonly perSecond: number;
  /** Of all processes of the bridge, for a request. */
  readonly cpuMs: number;
}

type Measured = Awaited<ReturnType<typeof measure>>;

const rounds = Number(process.argv[2] ?? 3);
const results = new Map<number, Measured[]>([
  [1, []],
  [2, []],
]);
for (let round = 0; round < rounds; round++) {
  for (const [workers, rows] of results) rows.push(await measure(workers));
}
const heads = AT_ONCE.flatMap((connections) => [`requests/s, ${connections} connections`, 'CPU ms/request']);
const columns = ['workers', ...heads, `first event of ${BURST} at once, p50 ms`, 'p99 ms', 'process that listens, MiB'];
console.log(`| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`);
for (const [workers, rows] of results) {
  const of = (get: (row: Measured) => number): string => median(rows.map(get)).toFixed(2);
  const loads = AT_ONCE.flatMap((_, at) => [of((row) => row.loads[at]!.perSecond), of((row) => row.loads[at]!.cpuMs)]);
  const rest = [of(({ p50 }) => p50), of(({ p99 }) => p99), of(({ primaryMiB }) => primaryMiB)];
  console.log(`| ${[workers, ...loads, ...rest].join(' | ')} |`);
}
