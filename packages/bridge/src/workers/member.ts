import type { Socket } from 'node:net';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Family } from '../observe/exposition.ts';
import { Channel, type Port, type Told } from './channel.ts';
import type { Answers, News, Questions } from './message.ts';

export interface MemberOptions {
  /** No other worker's, also of those that are gone. */
  readonly worker: number;
  /** Where it answers other workers. */
  readonly path: string;
  readonly port: Port;
  readonly clock: Clock;
  /** To what it asks. */
  readonly answers: Answers;
  readonly onReady: () => void;
  readonly onNews: (news: News) => void;
}

/** How long a worker may take to say what it has counted, in milliseconds; then what it said last stands. */
const COUNT_MS = 1000;

/** One worker, as the primary process sees it. */
export class Member {
  readonly worker: number;
  readonly path: string;
  readonly #channel: Channel;
  /** Clients that it was given and does not have yet: Node would keep one open for ever that is on its way to a process when that is killed. */
  readonly #given = new Map<number, Socket>();
  #client = 0;
  readonly #becameReady = Promise.withResolvers<undefined>();
  #ready = false;
  #open = 0;
  /** Clients that it was given since it told how many streams are open. */
  #new = 0;
  #counted: readonly Family[] = [];

  constructor({ worker, path, port, clock, answers, onReady, onNews }: MemberOptions) {
    this.worker = worker;
    this.path = path;
    this.#channel = new Channel(port, clock, answers, (told) => {
      if (told.kind === 'tell') this.#hear(told.news, onNews);
      if (told.kind === 'taken') this.#handedOver(told.client);
      if (told.kind === 'closing') this.#ready = false;
      if (told.kind !== 'ready') return;
      this.#ready = true;
      this.#becameReady.resolve(undefined);
      onReady();
    });
  }

  /** It takes clients. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Settles when it takes clients for the first time. */
  get started(): Promise<undefined> {
    return this.#becameReady.promise;
  }

  /** What it has to do: its open streams, and clients that may open one. */
  get load(): number {
    return this.#open + this.#new;
  }

  /** What it has counted, when it last told. */
  get counted(): readonly Family[] {
    return this.#counted;
  }

  tell(told: Told): void {
    this.#channel.tell(told);
  }

  ask<Q extends keyof Questions>(what: Q, about: Questions[Q][0], ms?: number): Promise<Questions[Q][1]> {
    return this.#channel.ask(what, about, ms);
  }

  /** What it has counted so far; what it said last, when it is too busy to tell. Never rejects. */
  async count(): Promise<readonly Family[]> {
    try {
      this.#counted = await this.ask('metrics', null, COUNT_MS);
    } catch {
      // it is busy, or ends
    }
    return this.#counted;
  }

  give(socket: Socket): void {
    const client = this.#client++;
    this.#new++;
    this.#given.set(client, socket);
    this.#channel.tell({ kind: 'connection', client }, socket);
  }

  /** Its process has ended. Returns the clients that did not reach it. */
  end(): readonly Socket[] {
    this.#ready = false;
    this.#channel.close();
    const lost = [...this.#given.values()];
    this.#given.clear();
    return lost;
  }

  /** What is left of it here is closed, which its client does not notice. */
  #handedOver(client: number): void {
    this.#given.get(client)?.destroy();
    this.#given.delete(client);
  }

  #hear(news: News, onNews: (news: News) => void): void {
    if (news.kind === 'streams' && news.caller === undefined) {
      this.#open = news.open;
      this.#new = 0;
    }
    onNews(news);
  }
}
