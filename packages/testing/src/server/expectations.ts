import type { Clock } from '@turnwire/wire/internal/base/clock';
import { MockVerificationError } from '../errors.ts';
import { describeAnswer, type Recorder, type RecordedRequest } from './recorder.ts';
import {
  compareWith,
  type Difference,
  type ExaminedRequest,
  type ExpectedRequest,
} from '../scenario/expected-request.ts';
import { matches, type Match } from '../scenario/scenario.ts';
import { describeVerdict, type Verdict, type VerdictCheck, type VerdictProblem } from './verdict.ts';

/** Requests that have to come. */
export interface Expectation {
  /** Default: any model request. */
  readonly match?: Match;
  /** Exactly this many. Default 1. */
  readonly times?: number;
  /** For the message. */
  readonly name?: string;
}

interface Script {
  readonly name: string;
  readonly compare: (request: ExaminedRequest) => readonly Difference[];
}

/** What the client is expected to send, and the words for what it did instead. */
export class Expectations {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #list: Expectation[] = [];
  readonly #orders: (readonly Match[])[] = [];
  #requests: readonly Script[] | undefined;
  #total: number | undefined;
  /** Time of the verdict: what happens when the mock closes is not the client's doing. */
  #snapshot: readonly string[] | undefined;

  constructor(recorder: Recorder, clock: Clock) {
    this.#recorder = recorder;
    this.#clock = clock;
  }

  add(expectation: number | Expectation): void {
    if (typeof expectation === 'number') this.#total = expectation;
    else this.#list.push(expectation);
  }

  /** Requests that come in this order; others may stand between them. */
  addOrder(matches: readonly Match[]): void {
    this.#orders.push(matches);
  }

  /** These requests and no others, in this order; `undefined`: any. @throws MockUsageError for one that cannot be compared */
  setRequests(expected: readonly ExpectedRequest[] | undefined): void {
    this.#requests = expected?.map((one, i) => ({
      name: one.name ?? `request ${i + 1}`,
      compare: compareWith(one, `expect[${i}]`),
    }));
  }

  clear(): void {
    this.#list.length = 0;
    this.#orders.length = 0;
    this.#requests = undefined;
    this.#total = undefined;
  }

  /** Keeps the state of every answer as it is now. */
  freeze(): void {
    this.#snapshot = this.#describe();
  }

  verdict(): Verdict {
    const checks = [
      ...this.#checkTotal(),
      ...this.#list.map((expectation) => this.#check(expectation)),
      ...this.#orders.map((order) => this.#checkOrder(order)),
      ...this.#checkRequests(),
    ];
    const passed = checks.every(({ problems }) => problems.length === 0);
    return { passed, checks, requests: this.#snapshot ?? this.#describe() };
  }

  verify(): void {
    const verdict = this.verdict();
    if (!verdict.passed) throw new MockVerificationError(describeVerdict(verdict));
  }

  #checkTotal(): readonly VerdictCheck[] {
    const got = this.#recorder.modelRequests;
    if (this.#total === undefined) return [];
    const problem = got === this.#total ? undefined : `expected ${requests(this.#total)}, got ${got}`;
    return [check(requests(this.#total), problem)];
  }

  #check(expectation: Expectation): VerdictCheck {
    const { match, times = 1 } = expectation;
    const got = this.#views().filter(({ view }) => view !== undefined && (match === undefined || matches(match, view)));
    const name = expectation.name ?? (match === undefined ? 'any request' : nameOf(match));
    const wanted = `${requests(times)} matching ${name}`;
    return check(wanted, got.length === times ? undefined : `expected ${wanted}, got ${got.length}`);
  }

  #checkOrder(order: readonly Match[]): VerdictCheck {
    const name = `in order: ${order.map(nameOf).join(', ')}`;
    const views = this.#views();
    let at = 0;
    for (const [i, match] of order.entries()) {
      const found = views.findIndex(({ view }, n) => n >= at && view !== undefined && matches(match, view));
      if (found < 0) {
        const before = i === 0 ? 'at all' : `after request ${at}`;
        const one = `a request matching ${nameOf(match)} (${i + 1} of ${order.length} in order)`;
        return check(name, `${one} did not come ${before}`);
      }
      at = found + 1;
    }
    return check(name, undefined);
  }

  /** The n-th request beside the n-th that is expected. */
  #checkRequests(): readonly VerdictCheck[] {
    const expected = this.#requests;
    if (expected === undefined) return [];
    const came = new Map(this.#views().map((record) => [record.view?.n, record]));
    const count = this.#recorder.modelRequests;
    return [
      ...expected.map(({ name, compare }, i) => ({
        name,
        problems: compareRequest(name, i + 1, came.get(i + 1), compare, count),
      })),
      check(
        'no other request',
        count <= expected.length ? undefined : `expected ${requests(expected.length)}, got ${count}`,
      ),
    ];
  }

  #describe(): string[] {
    const now = this.#clock.now();
    const { requests, modelRequests } = this.#recorder;
    const refused = requests.filter(isRefused);
    const lines = requests
      .filter((record) => record.view !== undefined || refused.includes(record))
      .map((record) => `  ${titleOf(record)}: ${record.method} ${record.path}, ${describeAnswer(record.answer, now)}`);
    const wanted = this.#total ?? this.#requests?.length ?? 0;
    const missing = modelRequests < wanted && refused.length === 0;
    return missing ? [...lines, `  the client never sent request ${modelRequests + 1}`] : lines;
  }

  #views(): readonly RecordedRequest[] {
    return this.#recorder.requests.filter((record) => record.view !== undefined);
  }
}

function check(name: string, problem: string | undefined): VerdictCheck {
  return { name, problems: problem === undefined ? [] : [{ message: problem }] };
}

function compareRequest(
  name: string,
  request: number,
  record: RecordedRequest | undefined,
  compare: Script['compare'],
  count: number,
): readonly VerdictProblem[] {
  const title = name === `request ${request}` ? name : `request ${request} (${name})`;
  if (record === undefined) {
    const why = request > count ? 'did not come' : 'is not kept any more: more came since than are kept';
    return [{ message: `${title} ${why}`, request }];
  }
  return compare(record).map((difference) => {
    const { field, wanted, got } = difference;
    return { message: `${title}: ${field}: expected ${wanted}, got ${got}`, request, ...difference };
  });
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
