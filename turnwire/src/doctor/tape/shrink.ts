import type { HeaderList, TapedExchange, TapedMessage } from '@turnwire/testing';
import { codingsOf, decodedHeaders, readBodyOf } from '@turnwire/testing/internal/tape/body';
import { cutBlocks, joinBlocks } from '../proof/blocks.ts';
import { shrinkList, type Budget } from '../proof/shrink-list.ts';

export interface ShrinkOptions {
  /** True when an exchange still shows the fault. */
  readonly shows: (exchange: TapedExchange) => boolean | Promise<boolean>;
  /** How often that may be asked. */
  readonly tries: number;
  /** Called after each try that left something out. Must not throw. */
  readonly onSmaller?: ((exchange: TapedExchange, triesLeft: number) => void) | undefined;
}

export interface Shrunk {
  readonly exchange: TapedExchange;
  readonly tries: number;
  /** Nothing that is left can be taken out alone. */
  readonly smallest: boolean;
}

/**
 * The smallest exchange that still shows what the whole one shows: events or messages of the answer are left out, then headers.
 * What is left stands as it was, byte for byte, and came when it came. The body of the request stays whole: what of it makes the
 * server do this, the server alone could say.
 */
export async function shrinkExchange(whole: TapedExchange, options: ShrinkOptions): Promise<Shrunk> {
  const budget: Budget = { tries: options.tries };
  let best = whole;
  const shows = async (candidate: TapedExchange): Promise<boolean> => {
    if (!(await options.shows(candidate))) return false;
    best = candidate;
    options.onSmaller?.(candidate, budget.tries);
    return true;
  };
  for (const step of steps) if (budget.tries > 0) await step(() => best, shows, budget);
  return { exchange: best, tries: options.tries - budget.tries, smallest: budget.tries > 0 };
}

type Step = (
  best: () => TapedExchange,
  shows: (candidate: TapedExchange) => Promise<boolean>,
  budget: Budget,
) => Promise<unknown>;

const steps: readonly Step[] = [
  // A compressed body has no events that could be left out.
  async (best, shows, budget) => {
    const plain = decoded(best());
    if (plain === undefined) return;
    budget.tries--;
    await shows(plain);
  },
  async (best, shows, budget) => {
    const exchange = best();
    if (codingsOf(exchange.response?.headers ?? []).length > 0) return;
    await shrinkList(cutBlocks(exchange.chunks), (some) => shows({ ...exchange, chunks: joinBlocks(some) }), budget);
  },
  async (best, shows, budget) => {
    const exchange = best();
    const came = exchange.messages.filter(({ from }) => from === 'server');
    const kept = (some: readonly TapedMessage[]): readonly TapedMessage[] =>
      exchange.messages.filter((message) => message.from === 'client' || some.includes(message));
    await shrinkList(came, (some) => shows({ ...exchange, messages: kept(some) }), budget);
  },
  async (best, shows, budget) => {
    const { request } = best();
    const kept = (some: HeaderList): TapedExchange => ({ ...best(), request: { ...request, headers: some } });
    await shrinkList(request.headers, (some) => (needed(request.headers, some) ? shows(kept(some)) : false), budget);
  },
  async (best, shows, budget) => {
    const { response } = best();
    if (response === undefined) return;
    const kept = (some: HeaderList): TapedExchange => ({ ...best(), response: { ...response, headers: some } });
    await shrinkList(response.headers, (some) => (needed(response.headers, some) ? shows(kept(some)) : false), budget);
  },
];

/** What says how the bytes are to be read stays: without it another fault would be shown. */
function needed(all: HeaderList, some: HeaderList): boolean {
  const kept = (name: RegExp): number => some.filter(([header]) => name.test(header)).length;
  const names = /^(content-type|content-encoding|anthropic-version)$/i;
  return kept(names) === all.filter(([header]) => names.test(header)).length;
}

function decoded(exchange: TapedExchange): TapedExchange | undefined {
  const { response, chunks } = exchange;
  if (response === undefined || codingsOf(response.headers).length === 0) return undefined;
  const body = readBodyOf(response.headers, Buffer.concat(chunks.map(({ data }) => data)));
  if (body === undefined) return undefined;
  const headers = decodedHeaders(response.headers, body.length);
  return {
    ...exchange,
    response: { ...response, headers },
    chunks: [{ ms: chunks.at(-1)?.ms ?? response.ms, data: body }],
  };
}
