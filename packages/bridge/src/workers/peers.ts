import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ExchangeRow } from '../inspect/api.ts';
import { expositionOf } from '../observe/exposition.ts';
import { watched, type LiveState, type ResponseStore } from '../store/index.ts';
import type { RestNews } from '../upstream/rest.ts';
import type { OpenStreams } from '../upstream/streams.ts';
import type { Channel, Told } from './channel.ts';
import type { News } from './message.ts';

/** What a caller has used of their limits. */
export type Use = Pick<Extract<News, { kind: 'used' }>, 'requests' | 'tokens'>;

/** A response of another worker. */
interface Elsewhere {
  readonly worker: number;
  /** Where that worker answers what is asked about it. */
  readonly path: string;
  readonly runs: boolean;
}

/** How many streams are open is told so often at most, in milliseconds: for each request it would cost more than the request. */
const TOGETHER_MS = 10;

/** The other workers of the same bridge, as one of them sees them: what holds for all is told to all, and known here. */
export class Peers {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #streams = new Map<
    string | undefined,
    { readonly own: OpenStreams; readonly others: Map<number, number> }
  >();
  readonly #uses = new Map<string, (use: Use) => void>();
  readonly #responses = new Map<string, Elsewhere>();
  readonly #onRest: ((rest: RestNews) => void)[] = [];

  constructor(channel: Channel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  /** The responses that all workers keep, in one place: the primary process. */
  get store(): ResponseStore {
    const channel = this.#channel;
    return watched({
      put: (record) => channel.ask('put', record),
      get: (id) => channel.ask('get', id),
      delete: (id) => channel.ask('delete', id),
      item: (id) => channel.ask('item', id),
      close: () => Promise.resolve(), // it is all workers'
    });
  }

  /** Has streams bounded together with those of the others; of one caller, or of all. */
  shareStreams(caller: string | undefined, own: OpenStreams): void {
    this.#streams.set(caller, { own, others: new Map() });
    let isDue = false;
    own.onChange = () => {
      if (isDue) return;
      isDue = true;
      this.#clock.after(TOGETHER_MS, () => {
        isDue = false;
        this.#tell({ kind: 'streams', caller, open: own.size });
      });
    };
  }

  /** @param apply - told what the caller used at other workers */
  shareUse(caller: string, apply: (use: Use) => void): (use: Use) => void {
    this.#uses.set(caller, apply);
    return (use) => this.#tell({ kind: 'used', caller, ...use });
  }

  /** @param apply - told of rests that other workers gave model servers */
  shareRests(apply: (rest: RestNews) => void): (rest: RestNews) => void {
    this.#onRest.push(apply);
    return (rest) => this.#tell({ kind: 'rest', rest });
  }

  /** How the responses that run here are known at the other workers, and theirs here. */
  readonly responses = {
    tell: (id: string, state: LiveState): void => this.#tell({ kind: 'response', id, state }),
    runs: (id: string): boolean => this.#responses.get(id)?.runs === true,
  };

  /** The path of the worker that has a response which can go on without its client; undefined where none of the others has. */
  pathOf(id: string): string | undefined {
    return this.#responses.get(id)?.path;
  }

  /** The metrics of all. */
  async metrics(): Promise<string> {
    return expositionOf(await this.#channel.ask('metrics', null));
  }

  /** What `GET /exchanges` lists, of all. */
  rows(caller: string | undefined): Promise<readonly ExchangeRow[]> {
    return this.#channel.ask('rows', caller ?? null);
  }

  /** Something of another worker was told. */
  hear(told: Extract<Told, { kind: 'news' | 'gone' }>): void {
    if (told.kind === 'gone') this.#forget(told.worker);
    else this.#learn(told.news, told.from, told.path);
  }

  #learn(news: News, worker: number, path: string): void {
    switch (news.kind) {
      case 'streams':
        this.#count(news.caller, worker, news.open);
        return;
      case 'used':
        this.#uses.get(news.caller)?.(news);
        return;
      case 'rest':
        for (const apply of this.#onRest) apply(news.rest);
        return;
      case 'response':
        if (news.state === 'gone') this.#responses.delete(news.id);
        else this.#responses.set(news.id, { worker, path, runs: news.state === 'running' });
    }
  }

  #count(caller: string | undefined, worker: number, open: number): void {
    const shared = this.#streams.get(caller);
    if (shared === undefined) return;
    shared.others.set(worker, open);
    shared.own.elsewhere = [...shared.others.values()].reduce((sum, one) => sum + one, 0);
  }

  #forget(worker: number): void {
    for (const caller of this.#streams.keys()) this.#count(caller, worker, 0);
    for (const [id, response] of this.#responses) if (response.worker === worker) this.#responses.delete(id);
  }

  #tell(news: News): void {
    this.#channel.tell({ kind: 'tell', news });
  }
}
