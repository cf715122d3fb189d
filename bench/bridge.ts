/**
 * The bridge beside other servers: a bare pipe, that pipe with a parse and a print of each event, nginx, Portkey's gateway,
 * and no server at all. Each is a process of its own in front of the same upstream. Rounds are interleaved, figures are
 * medians of the rounds, ratios are to the bare pipe.
 *
 *   node bridge.ts [ROUNDS]
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LoadOptions } from './bridge/load.ts';
import { measureLoad, type Row } from './bridge/measure.ts';
import { rssKib, spawnServer, stop } from './bridge/process.ts';
import { median } from './median.ts';
import { chatToChat, contenders, direct, passthrough, pipe, toResponses, type Contender } from './bridge/servers.ts';

const rounds = Number(process.argv[2] ?? 5);
const CLI = fileURLToPath(new URL('../turnwire/dist/cli/main.js', import.meta.url));
const IDLE_PORT = 18_991;

/** A burst is for `bench:requests`. */
type Kind = Exclude<LoadOptions['kind'], 'burst'>;

interface Load {
  readonly title: string;
  readonly kind: Kind;
  readonly streams: number;
  readonly rounds: number;
  readonly servers: readonly Contender[];
}

async function compare(load: Load): Promise<void> {
  const results = new Map<string, Row[]>(load.servers.map((server) => [server.name, []]));
  for (let round = 0; round < load.rounds; round++) {
    for (const server of load.servers) {
      process.stderr.write(`${load.title}: round ${round + 1} of ${load.rounds}, ${server.name}\n`);
      results.get(server.name)?.push(await measureLoad(server, load));
    }
  }
  print(load, results);
}

function print({ title, kind }: Load, results: ReadonlyMap<string, readonly Row[]>): void {
  const of = (name: string, field: keyof Row): number =>
    median((results.get(name) ?? []).flatMap((row) => row[field] ?? []));
  const added = (name: string): number => of(name, 'firstMs') - of(direct.name, 'firstMs');
  const ratio = (value: number, base: number): string => (value / base).toFixed(2);
  const columns: Record<string, (name: string) => string> = {
    'events/s': (name) => of(name, 'eventsPerSecond').toFixed(0),
    'CPU us/event': (name) => of(name, 'cpuUs').toFixed(1),
    'x pipe': (name) => ratio(of(name, 'cpuUs'), of(pipe.name, 'cpuUs')),
    'added to first event, ms': (name) => added(name).toFixed(2),
    'x pipe, first event': (name) => ratio(added(name), added(pipe.name)),
    'KiB per stream': (name) => of(name, 'kib').toFixed(0),
    'MiB in all': (name) => (of(name, 'kib') / 1024).toFixed(1),
    'left open': (name) => of(name, 'left').toFixed(0),
  };
  const shown: Record<Kind, readonly string[]> = {
    fast: ['events/s', 'CPU us/event', 'x pipe'],
    paced: ['events/s', 'CPU us/event', 'x pipe', 'added to first event, ms', 'x pipe, first event', 'left open'],
    open: ['events/s', 'KiB per stream', 'left open'],
    unread: ['MiB in all', 'left open'],
  };
  const heads = shown[kind];
  console.log(`\n${title}\n\n| | ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length + 1)}`);
  for (const name of results.keys()) {
    console.log(`| ${name} | ${heads.map((head) => columns[head]?.(name)).join(' | ')} |`);
  }
}

/** Memory of the command as it is published, before its first request. */
async function printIdle(): Promise<void> {
  if (!existsSync(CLI)) {
    console.log('\nidle: not measured, since there is no build (npm run build)');
    return;
  }
  const args = [CLI, 'bridge', '--upstream', 'http://127.0.0.1:9/v1', '--wire', 'chat', '--port', String(IDLE_PORT)];
  const served = await spawnServer(process.execPath, args, IDLE_PORT);
  await sleep(2000);
  console.log(`\nidle: ${(rssKib(served.pid) / 1024).toFixed(0)} MiB`);
  await stop(served);
}

const all = contenders();
const ours = [pipe, passthrough, chatToChat, toResponses];
await printIdle();
await compare({ title: 'as fast as it goes, 1 stream', kind: 'fast', streams: 1, rounds, servers: all });
for (const streams of [1, 50, 500]) {
  const title = `${streams} ${streams === 1 ? 'stream, 1,000' : 'streams, 10,000'} events/s in all`;
  await compare({ title, kind: 'paced', streams, rounds, servers: all });
}
await compare({
  title: '2,000 open streams, 10,000 events/s in all',
  kind: 'open',
  streams: 2000,
  rounds: 1,
  servers: ours,
});
await compare({ title: 'a client that never reads 200 MB', kind: 'unread', streams: 1, rounds, servers: ours });
