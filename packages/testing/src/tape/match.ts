import type { HeaderList, TapedExchange, TapedRequest } from './tape.ts';
import { readBodyOf } from './body.ts';
import { cleanRequest } from './clean.ts';
import { SecretMask } from './redact.ts';

/** The parts of a request that are compared with the tape. */
export interface AskedRequest {
  readonly kind: TapedExchange['kind'];
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface TapeMatcherOptions {
  /** Each exchange is served once; default false: when all are played, the most similar is played again. */
  readonly once?: boolean | undefined;
}

/** Chooses the exchange that answers a request. */
export class TapeMatcher {
  readonly #exchanges: readonly TapedExchange[];
  readonly #once: boolean;
  readonly #played = new Map<TapedExchange, number>();

  constructor(exchanges: readonly TapedExchange[], options: TapeMatcherOptions = {}) {
    this.#exchanges = exchanges;
    this.#once = options.once ?? false;
  }

  /**
   * The exchange of this method and path that was not played yet: the first with the very same body, else the one
   * whose body is most similar, the earlier of two. `undefined` when there is none (any more).
   */
  take(request: AskedRequest): TapedExchange | undefined {
    const { clean } = cleanRequest(request, new SecretMask()); // as it would stand on the tape
    const fitting = this.#exchanges.filter((exchange) => fits(exchange, clean));
    const fresh = fitting.filter((exchange) => !this.#played.has(exchange));
    const chosen = mostSimilar(fresh.length > 0 || this.#once ? fresh : fitting, clean);
    if (chosen !== undefined) this.#played.set(chosen, (this.#played.get(chosen) ?? 0) + 1);
    return chosen;
  }

  /** Exchanges that nobody asked for. */
  get unplayed(): readonly TapedExchange[] {
    return this.#exchanges.filter((exchange) => !this.#played.has(exchange));
  }

  /** The requests that the tape can answer, to name them in an error: `POST /v1/responses (2), …`. */
  describe(): string {
    const counts = new Map<string, number>();
    for (const { request } of this.#exchanges) {
      const line = `${request.method} ${pathOf(request.target)}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    return [...counts].map(([line, count]) => `${line} (${count})`).join(', ');
  }
}

function fits(exchange: TapedExchange, request: AskedRequest): boolean {
  return (
    exchange.kind === request.kind &&
    exchange.request.method === request.method &&
    pathOf(exchange.request.target) === pathOf(request.target)
  );
}

function mostSimilar(candidates: readonly TapedExchange[], request: AskedRequest): TapedExchange | undefined {
  if (candidates.length < 2) return candidates[0];
  const asked = Buffer.from(request.body);
  const same = candidates.find((candidate) => asked.equals(candidate.request.body));
  if (same !== undefined) return same;
  const words = wordsOf(request);
  let best = candidates[0];
  let bestScore = -1;
  for (const candidate of candidates) {
    const score = similarity(words, wordsOf(candidate.request));
    if (score > bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
}

/** Words that are looked at, at most: a long history differs at its end, so the end is what counts. */
const MAX_WORDS = 20_000;

type Words = ReadonlyMap<string, number>;

function wordsOf({ headers, body }: Pick<TapedRequest, 'headers' | 'body'>): Words {
  const words = new Map<string, number>();
  const all =
    Buffer.from(readBodyOf(headers, body) ?? body)
      .toString('utf8')
      .match(/[\p{L}\p{N}_]+/gu) ?? [];
  for (const word of all.slice(-MAX_WORDS)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

/** Share of the words that both have, 0 to 1. */
function similarity(a: Words, b: Words): number {
  let shared = 0;
  let total = 0;
  for (const [word, count] of a) shared += Math.min(count, b.get(word) ?? 0);
  for (const count of a.values()) total += count;
  for (const count of b.values()) total += count;
  return total === 0 ? 1 : (2 * shared) / total;
}

function pathOf(target: string): string {
  return target.split('?')[0] ?? '';
}
