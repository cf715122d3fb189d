import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../bridge/redis-server.ts';
import { createRandom } from './plan.ts';
import type { Machine } from './servers.ts';

/** A time in which requests may fail that no fault of their own makes fail. */
interface Disturbance {
  readonly of: 'servers' | 'store';
  to: number;
}

/** What is felt of one behind its end: a server that is back is asked again once its rest is over; a store that did not answer is left alone until it has. */
const AFTERMATH_MS = { servers: 6000, store: 12_000 };
const KEPT = 50;

/** What was disturbed while something happened. */
export type Disturbed = Readonly<Record<Disturbance['of'], boolean>>;

/** Kills the servers of a machine, and starts them again; stops the store where it stands, and lets it go on. */
export class Disturber {
  readonly #machines: readonly Machine[];
  readonly #redis: RedisServer | undefined;
  readonly #random: () => number;
  readonly #disturbances: Disturbance[] = [];
  #deaths = 0;
  #hangs = 0;
  #isResting = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(machines: readonly Machine[], redis: RedisServer | undefined, seed: number) {
    this.#machines = machines;
    this.#redis = redis;
    this.#random = createRandom(seed);
  }

  /** For people. */
  get told(): string {
    return `${this.#deaths} deaths of servers, ${this.#hangs} hangs of the store`;
  }

  /** What was disturbed between then and now. */
  disturbed(from: number): Disturbed {
    const felt = this.#disturbances.filter(({ of, to }) => to + AFTERMATH_MS[of] > from);
    return { servers: felt.some(({ of }) => of === 'servers'), store: felt.some(({ of }) => of === 'store') };
  }

  /** The store did not answer in time, though nobody stopped it. With many streams it is many who say so. */
  note(): void {
    const now = performance.now();
    const last = this.#disturbances.findLast(({ of }) => of === 'store');
    if (last !== undefined && last.to + AFTERMATH_MS.store > now) last.to = Math.max(last.to, now);
    else this.#add({ of: 'store', to: now });
  }

  /** Settles when everything runs. */
  async rest(): Promise<void> {
    this.#isResting = true;
    await this.#loop;
  }

  goOn(): void {
    this.#isResting = false;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    await this.#pause(3000 + this.#random() * 5000);
    while (!this.#isResting) {
      if (this.#random() < 0.5 && this.#redis !== undefined) await this.#hang(this.#redis);
      else await this.#die();
      await this.#pause(9000 + this.#random() * 12_000);
    }
  }

  async #die(): Promise<void> {
    const machine = this.#machines[this.#deaths++ % this.#machines.length];
    if (machine === undefined) return;
    await this.#during('servers', async () => {
      await machine.kill();
      await sleep(this.#random() * 2000);
      await machine.start();
    });
  }

  async #hang(redis: RedisServer): Promise<void> {
    this.#hangs++;
    await this.#during('store', async () => {
      redis.freeze();
      await sleep(500 + this.#random() * 7000);
      redis.thaw();
    });
  }

  async #during(of: Disturbance['of'], what: () => Promise<void>): Promise<void> {
    const disturbance: Disturbance = { of, to: Infinity };
    this.#add(disturbance);
    await what();
    disturbance.to = performance.now();
  }

  #add(disturbance: Disturbance): void {
    this.#disturbances.push(disturbance);
    if (this.#disturbances.length > KEPT) this.#disturbances.shift();
  }

  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until && !this.#isResting) await sleep(100);
  }
}
