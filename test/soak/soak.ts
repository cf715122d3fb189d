import { setTimeout as sleep } from 'node:timers/promises';
import { Books, gaugeIn } from './books.ts';
import { ask, closeIdle, type Seen } from './client.ts';
import { Disturber, type Disturbed } from './disturber.ts';
import { verdictOn } from './judge.ts';
import { planOf, type Plan } from './plan.ts';
import type { Sample } from './probe.ts';
import { isLossy } from './script.ts';
import { BridgeProcess, Machine, openStore } from './servers.ts';
import { grows, trendOf } from './trend.ts';

export interface SoakOptions {
  readonly ms: number;
  readonly streams: number;
  readonly seed: number;
}

/** So many problems are told, then it stops. */
const ENOUGH = 5;
/** The first part of the time, in which caches fill and code is compiled. */
const WARM_UP = 0.3;
/** What memory does in a shorter run is warming up: the heap of a new process grows for minutes before it is collected whole. */
const WARM_MS = 5 * 60_000;
/** How long the last streams may take when no new ones begin. */
const QUIET_MS = 310_000;
const KEPT_RESPONSES = 300;
const MIB = 1024 * 1024;
/** Characters of a trace that are told. */
const LONG = 8000;

/** A quantity that may not grow, and how long a run has to be to say so. */
interface Measure {
  readonly name: string;
  readonly of: (sample: Sample) => number;
  readonly fromMs: number;
}

/** An answer that a later request can go on with. */
interface Kept {
  readonly id: string;
  readonly turn: number;
}

/** One run: a bridge, its servers and store, which fail, and clients that do what clients do. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #problems: string[] = [];
  readonly #kept: Kept[] = [];
  readonly #counts = new Map<string, number>();
  readonly #samples: Sample[] = [];
  #next = 0;
  #open = 0;
  #isOver = false;
  readonly #enough = Promise.withResolvers<undefined>();
  /** New requests wait for it. */
  #gate: Promise<unknown> | undefined;

  constructor(options: SoakOptions) {
    this.#options = options;
  }

  async run(): Promise<readonly string[]> {
    const { streams } = this.#options;
    // Answers of some dozen events, so that the requests in a second are as many with few streams as with many: some 50. A bridge
    // that writes a trace of each of them is not full then; Node takes one new connection in a turn of its loop, so that one that
    // is full leaves who comes back waiting outside for a minute.
    const pace = Math.max(5, streams);
    const machines = [new Machine('left', pace), new Machine('right', pace)];
    const { url: store, redis } = await openStore();
    await Promise.all(machines.map((machine) => machine.start()));
    const disturber = new Disturber(machines, redis, this.#options.seed);
    const bridge = await BridgeProcess.start(
      machines,
      store,
      bridgeFlags(streams, pace),
      (problem) => this.#tell(problem),
      () => disturber.note(),
    );
    try {
      disturber.goOn();
      await Promise.race([this.#underLoad(bridge, disturber), this.#enough.promise]);
      const code = await bridge.close();
      if (code !== 0) this.#tell(`the bridge ended with ${code}`);
    } finally {
      await disturber.rest();
      redis?.thaw();
      await bridge.close();
      await Promise.all([...machines.map((machine) => machine.kill()), redis?.stop()]);
    }
    return this.#problems;
  }

  async #underLoad(bridge: BridgeProcess, disturber: Disturber): Promise<void> {
    const { ms, streams } = this.#options;
    const began = performance.now();
    const books = new Books(bridge.traces, (problem) => this.#tell(problem));
    const clients = Array.from({ length: streams }, (_, n) => this.#client(n, bridge, books, disturber));
    const watch = this.#watch(bridge, books, disturber, began);
    await this.#wait(ms * WARM_UP);
    const first = await this.#quiet(bridge, disturber);
    this.#samples.length = 0;
    disturber.goOn();
    await this.#wait(ms - (performance.now() - began));
    const last = await this.#quiet(bridge, disturber, () => (this.#isOver = true));
    await Promise.all([...clients, watch]);
    await books.settle(await metricsOf(bridge));
    const unlucky = this.#counts.get(UNLUCKY) ?? 0;
    if (unlucky > books.asked / 1000) this.#tell(`${unlucky} of ${books.asked} ${UNLUCKY}`);
    this.#compare(first, last);
  }

  /** Sends one request after the other. */
  async #client(place: number, bridge: BridgeProcess, books: Books, disturber: Disturber): Promise<void> {
    await sleep(Math.min(5000, place * 5));
    for (;;) {
      await this.#gate;
      if (this.#isOver) return;
      const n = this.#next++;
      this.#open++;
      await this.#request(n, bridge, books, disturber);
      this.#open--;
    }
  }

  async #request(n: number, bridge: BridgeProcess, books: Books, disturber: Disturber): Promise<void> {
    const plan = planOf(this.#options.seed, n);
    const previous = plan.follows ? this.#kept[n % Math.max(1, this.#kept.length)] : undefined;
    const turn = (previous?.turn ?? 0) + 1;
    const from = performance.now();
    const seen = await ask(bridge.url, plan, previous?.id);
    if (this.#problems.length === ENOUGH) return; // the bridge is ended, and with it what it served
    const disturbed = disturber.disturbed(from);
    const wrong = verdictOn(plan, seen, turn, disturbed);
    if (wrong !== undefined) this.#tellRequest(n, plan, seen, wrong, await books.traceOf(plan.asked.tag));
    books.close(plan.asked.tag, seen.end);
    if (!disturbed.store) this.#keep(plan, seen, turn);
    const how = howOf(plan, seen, disturbed);
    this.#counts.set(how, (this.#counts.get(how) ?? 0) + 1);
  }

  /** What has no calls that wait for an output can be gone on with, once the store has it. */
  #keep({ wire, asked }: Plan, { end, responseId }: Seen, turn: number): void {
    if (end !== 'completed' || responseId === undefined || asked.calls > 0 || turn >= 6 || wire !== 'responses') return;
    this.#kept.push({ id: responseId, turn });
    if (this.#kept.length > KEPT_RESPONSES) this.#kept.shift();
  }

  /** No request begins until all that run are over, and the bridge has let go of them; what it holds then. */
  async #quiet(bridge: BridgeProcess, disturber: Disturber, then: () => void = () => undefined): Promise<Sample> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#gate = promise;
    await disturber.rest();
    const until = performance.now() + QUIET_MS;
    while (this.#open > 0 && performance.now() < until) await sleep(100);
    if (this.#open > 0) this.#tell(`${this.#open} requests have no end`);
    closeIdle();
    await this.#allClosed(bridge, until);
    await sleep(1500); // connections that are kept for a next request end
    const sample = await bridge.sample();
    then();
    this.#gate = undefined;
    resolve(undefined);
    return sample;
  }

  async #allClosed(bridge: BridgeProcess, until: number): Promise<void> {
    for (;;) {
      const metrics = await metricsOf(bridge);
      const open = gaugeIn(metrics, 'turnwire_streams_open') + gaugeIn(metrics, 'turnwire_upstream_streams_open');
      if (open === 0) return;
      if (performance.now() > until) {
        this.#tell(`${open} streams are open in the bridge, and no client has any`);
        return;
      }
      await sleep(200);
    }
  }

  async #watch(bridge: BridgeProcess, books: Books, disturber: Disturber, began: number): Promise<void> {
    const every = Math.max(2000, this.#options.ms / 120);
    for (let told = 0; !this.#isOver;) {
      await sleep(every);
      await books.read();
      if (this.#gate !== undefined || this.#open < this.#options.streams * 0.8) continue;
      const sample = await bridge.sample();
      this.#samples.push(sample);
      if (performance.now() - told < 4000) continue;
      told = performance.now();
      console.log(this.#line(sample, disturber, (told - began) / 1000));
    }
  }

  #line({ heap, outside, rss, handles }: Sample, disturber: Disturber, seconds: number): string {
    const counts = Array.from(this.#counts, ([how, count]) => `${count} ${how}`).join(', ');
    const held = `heap ${mib(heap)}, buffers ${mib(outside)}, rss ${mib(rss)} MiB, ${sum(handles)} handles`;
    return `${seconds.toFixed(0)} s: ${this.#open} open, ${counts}; ${held}; ${disturber.told}`;
  }

  /** Under load nothing may grow, and what is held when all is quiet neither: memory, once the process is warm. */
  #compare(first: Sample, last: Sample): void {
    const measures: readonly Measure[] = [
      { name: 'heap and buffers, in MiB', of: ({ heap, outside }) => (heap + outside) / MIB, fromMs: WARM_MS },
      { name: 'handles', of: ({ handles }) => sum(handles), fromMs: 0 },
    ];
    for (const { name, of: measure, fromMs } of measures) {
      const [before, after] = [measure(first), measure(last)];
      console.log(`${name}, when all is quiet: ${before.toFixed(1)}, then ${after.toFixed(1)}`);
      if (this.#options.ms < fromMs) continue;
      if (after > before * 1.15 + 8)
        this.#tell(`${name}: ${before.toFixed(1)} when it was quiet, then ${after.toFixed(1)}`);
      if (this.#samples.length < 5) continue;
      const trend = trendOf(this.#samples.map(measure));
      const told = `${name}, under load: ${trend.mean.toFixed(1)}, grew by ${trend.growth.toFixed(1)} ± ${trend.error.toFixed(1)}`;
      console.log(`${told} over ${this.#samples.length} samples`);
      if (grows(trend, 0.05 * trend.mean + 4)) this.#tell(told);
    }
  }

  #tell(problem: string): void {
    if (this.#problems.length === ENOUGH) return;
    console.error(problem);
    this.#problems.push(problem);
    if (this.#problems.length < ENOUGH) return;
    this.#isOver = true;
    this.#enough.resolve(undefined);
  }

  #tellRequest(n: number, plan: Plan, seen: Seen, wrong: string, trace: string): void {
    const { text, ...rest } = seen;
    this.#tell(
      [
        `request ${n} of seed ${this.#options.seed}: ${wrong}`,
        `  planned: ${JSON.stringify(plan)}`,
        `  seen: ${JSON.stringify({ ...rest, text: text.slice(0, 200) })}`,
        `  trace:\n${shorten(trace)}`,
      ].join('\n'),
    );
  }

  async #wait(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && !this.#isOver) await sleep(200);
  }
}

function bridgeFlags(streams: number, paceMs: number): readonly string[] {
  // A server with the fault `one-chunk` is silent for all of its answer, 60 events at most.
  const silence = Math.max(10_000, 60 * paceMs); // below PATIENCE_MS and QUIET_MS
  const values = {
    ...{ 'max-streams': 2 * streams + 100, 'idle-timeout': silence, 'first-event-timeout': silence, heartbeat: 2000 },
    // As long as a machine may be busy that starts thousands of streams at once: who comes back is heard as late as all others.
    ...{ resume: 90_000, 'log-level': 'error', 'log-format': 'json', 'drain-timeout': 5000 },
  };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/**
 * A server ends an idle connection after five seconds, as many do. Where the machine is late by seconds, a request may just be on its
 * way on it; the bridge asks another server then, and refuses, as what can be repeated, what both did that to.
 */
const UNLUCKY = 'refused, for two servers ended their idle connections just then';

function howOf({ asked }: Plan, { end, unlucky }: Seen, { servers }: Disturbed): string {
  if (end === 'completed' || end === 'left') return end;
  return unlucky === true && !servers && !isLossy(asked.fault) ? UNLUCKY : 'failed as it should';
}

async function metricsOf(bridge: BridgeProcess): Promise<string> {
  return (await fetch(`${bridge.url}/metrics`)).text();
}

/** Its beginning and its end. */
function shorten(text: string): string {
  return text.length <= LONG ? text : `${text.slice(0, LONG / 2)}\n  …\n${text.slice(-LONG / 2)}`;
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
