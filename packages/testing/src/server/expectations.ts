import type { Clock } from '@turnwire/wire/internal/base/clock';
import { MockVerificationError } from '../errors.ts';
import { describeAnswer, type Recorder, type RecordedRequest } from './recorder.ts';
import { matches, type Match } from '../scenario/scenario.ts';

/** Requests that have to come. */
export interface Expectation {
  /** Default: any model request. */
  readonly match?: Match;
  /** Exactly this many. Default 1. */
  readonly times?: number;
  /** For the message. */
  readonly name?: string;
}

/** What the client is expected to send, and the words for what it did instead. */
export class Expectations {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #list: Expectation[] = [];
  readonly #orders: (readonly Match[])[] = [];
  #total: number | undefined;
  /** Time of the verdict: what happens when the mock closes is not the client's doing. */
  #snapshot: readonly string[] | undefined;

  constructor(recorder: Recorder, clock: Clock, total?: number) {
    this.#recorder = recorder;
    this.#clock = clock;
    this.#total = total;
  }

  add(expectation: number | Expectation): void {
    if (typeof expectation === 'number') this.#total = expectation;
    else this.#list.push(expectation);
  }

  /** Requests that come in this order; others may stand between them. */
  addOrder(matches: readonly Match[]): void {
    this.#orders.push(matches);
  }

  clear(): void {
    this.#list.length = 0;
    this.#orders.length = 0;
    this.#total = undefined;
  }

  /** Keeps the state of every answer as it is now. */
  freeze(): void {
    this.#snapshot = this.#describe();
  }

  verify(): void {
    const problems = [
      ...this.#checkTotal(),
      ...this.#list.flatMap((expectation) => this.#check(expectation)),
      ...this.#orders.flatMap((order) => this.#checkOrder(order)),
    ];
    if (problems.length === 0) return;
    throw new MockVerificationError([...problems, ...(this.#snapshot ?? this.#describe())].join('\n'));
  }

  #checkTotal(): string[] {
    const got = this.#recorder.modelRequests;
    if (this.#total === undefined || got === this.#total) return [];
    return [`expected ${requests(this.#total)}, got ${got}`];
  }

  #check(expectation: Expectation): string[] {
    const { match, times = 1 } = expectation;
    const got = this.#views().filter(({ view }) => view !== undefined && (match === undefined || matches(match, view)));
    if (got.length === times) return [];
    const name = expectation.name ?? (match === undefined ? 'any request' : nameOf(match));
    return [`expected ${requests(times)} matching ${name}, got ${got.length}`];
  }

  #checkOrder(order: readonly Match[]): string[] {
    const views = this.#views();
    let at = 0;
    for (const [i, match] of order.entries()) {
      const found = views.findIndex(({ view }, n) => n >= at && view !== undefined && matches(match, view));
      if (found < 0) {
        const before = i === 0 ? 'at all' : `after request ${at}`;
        return [`a request matching ${nameOf(match)} (${i + 1} of ${order.length} in order) did not come ${before}`];
      }
      at = found + 1;
    }
    return [];
  }

  #describe(): string[] {
    const now = this.#clock.now();
    const { requests, modelRequests } = this.#recorder;
    const refused = requests.filter(isRefused);
    const lines = requests
      .filter((record) => record.view !== undefined || refused.includes(record))
      .map((record) => `  ${titleOf(record)}: ${record.method} ${record.path}, ${describeAnswer(record.answer, now)}`);
    const missing = this.#total !== undefined && modelRequests < this.#total && refused.length === 0;
    return missing ? [...lines, `  the client never sent request ${modelRequests + 1}`] : lines;
  }

  #views(): readonly RecordedRequest[] {
    return this.#recorder.requests.filter((record) => record.view !== undefined);
  }
}

/** A POST that was no request to the model: no JSON, another path, an unknown response. */
function isRefused({ view, transport, method }: RecordedRequest): boolean {
  return view === undefined && transport === 'http' && method === 'POST';
}

function titleOf({ view }: RecordedRequest): string {
  return view === undefined ? 'refused, not counted' : `request ${view.n}`;
}

function requests(n: number): string {
  return n === 1 ? '1 request' : `${n} requests`;
}

function nameOf(match: Match): string {
  return JSON.stringify(match, showRegExp);
}

function showRegExp(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value;
}
