import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';
import { addProcessMetrics } from '../observe/metrics.ts';
import { MetricRegistry } from '../observe/registry.ts';
import { countsOf, sumFamilies } from '../observe/sum-families.ts';
import type { Family } from '../observe/exposition.ts';
import type { ResponseStore } from '../store/index.ts';
import type { Port } from './channel.ts';
import { KeptNews } from './kept-news.ts';
import { Member } from './member.ts';
import type { Answers, BridgeIdentity, News, Questions } from './message.ts';

/** What the primary process is made of. */
export interface PrimaryOptions {
  readonly clock: Clock;
  readonly identity: BridgeIdentity;
  /** Where the workers answer each other; nobody else may look into it. */
  readonly folder: string;
  /** What all workers keep; undefined where each asks a server of its own. */
  readonly store: ResponseStore | undefined;
}

/** How old the counts may be that a worker leaves behind when it is killed, in milliseconds. */
const LOOK_MS = 1000;
/** Clients that wait while there is no worker. */
const MAX_WAITING = 4096;

/** What the workers of one bridge have in one place: the connections as they come, kept responses, sums, and who tells whom. */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #members = new Set<Member>();
  readonly #kept: KeptNews;
  readonly #registry = new MetricRegistry();
  readonly #waiting: Socket[] = [];
  /** The first workers have started. */
  #isOpen = false;
  /** What workers counted that are gone. */
  #past: readonly Family[] = [];
  #restarts = 0;
  #joined = 0;
  #turn = 0;
  #timer: Timer | undefined;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#kept = new KeptNews(options.clock);
    addProcessMetrics(this.#registry);
    const workers = { name: 'turnwire_workers', help: 'Processes that serve requests now.' };
    this.#registry.gaugeFrom(workers, () => [{ labels: {}, value: this.#ready.length }]);
    const restarts = {
      name: 'turnwire_worker_restarts_total',
      help: 'Processes that were started for one that ended.',
    };
    this.#registry.counterFrom(restarts, () => [{ labels: {}, value: this.#restarts }]);
  }

  get #ready(): readonly Member[] {
    return [...this.#members].filter(({ ready }) => ready);
  }

  /** A new process is a worker; it serves from when it says that it is ready. */
  join(port: Port): Member {
    const worker = ++this.#joined;
    const path = join(this.#options.folder, `${worker}.sock`);
    const member: Member = new Member({
      ...{ worker, path, port, clock: this.#options.clock, answers: this.#answers() },
      onReady: () => this.#serve(),
      onNews: (news) => this.#pass(news, member),
    });
    this.#members.add(member);
    member.tell({ kind: 'begin', identity: this.#options.identity, path });
    for (const one of this.#kept.all()) member.tell(one);
    this.#look();
    return member;
  }

  /** Its process has ended: what it was given and has not read goes to others, what was open on it is lost. */
  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    const { worker, counted } = member;
    this.#past = sumFamilies([this.#past, countsOf(counted)]);
    this.#kept.forget(worker);
    for (const other of this.#members) other.tell({ kind: 'gone', worker });
    for (const socket of member.end()) this.give(socket);
  }

  /** One was started for one that ended. */
  restarted(): void {
    this.#restarts++;
  }

  /** The first workers have started: who came meanwhile is shared among them, where the first that was ready would have got all. */
  open(): void {
    this.#isOpen = true;
    this.#serve();
  }

  /** Gives a client to the worker that has the least to do, in turn where several have; while there is none the client waits. */
  give(socket: Socket): void {
    const ready = this.#isOpen ? this.#ready : [];
    const least = Math.min(...ready.map(({ load }) => load));
    const equal = ready.filter(({ load }) => load === least);
    const member = equal[this.#turn++ % Math.max(1, equal.length)];
    if (member !== undefined) member.give(socket);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(socket);
    else socket.destroy();
  }

  /** Asks a worker, whichever. Rejects when there is none. */
  async ask<Q extends keyof Questions>(what: Q, about: Questions[Q][0], ms?: number): Promise<Questions[Q][1]> {
    const [member] = this.#ready;
    if (member === undefined) throw new Error('no worker runs');
    return await member.ask(what, about, ms);
  }

  /** Tells all workers to let their streams finish, and end. */
  close(): void {
    this.#timer?.cancel();
    for (const member of this.#members) member.tell({ kind: 'close' });
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  #serve(): void {
    for (const socket of this.#waiting.splice(0)) this.give(socket);
  }

  #pass(news: News, from: Member): void {
    const told = { kind: 'news', news, from: from.worker, path: from.path } as const;
    this.#kept.learn(told);
    for (const member of this.#members) if (member !== from) member.tell(told);
  }

  #answers(): Answers {
    const { store } = this.#options;
    const ofStore: Answers = store === undefined ? {} : answersOf(store);
    return {
      ...ofStore,
      metrics: async () => {
        const all = await Promise.all(this.#ready.map((member) => member.count()));
        return sumFamilies([this.#registry.families(), ...all, this.#past]);
      },
      rows: async (caller) => {
        const rows = await Promise.all(this.#ready.map((member) => member.ask('rows', caller).catch(() => [])));
        return rows.flat().toSorted((a, b) => a.startedAt - b.startedAt);
      },
    };
  }

  /** Hears now and then what each has counted. */
  #look(): void {
    this.#timer ??= this.#options.clock.after(LOOK_MS, () => {
      this.#timer = undefined;
      for (const member of this.#ready) void member.count();
      this.#look();
    });
  }
}

function answersOf(store: ResponseStore): Answers {
  return {
    put: (record) => store.put(record),
    get: (id) => store.get(id),
    delete: (id) => store.delete(id),
    item: (id) => store.item(id),
  };
}
