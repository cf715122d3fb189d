import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Message } from './message.ts';

type Told = Extract<Message, { kind: 'news' }>;

/**
 * What a worker has to know that joins late: the last of each thing. Bounded by the number of callers, servers, keys, and
 * responses that workers have. A server's rest for one model each worker finds out by itself.
 */
export class KeptNews {
  readonly #clock: Clock;
  readonly #last = new Map<string, { readonly told: Told; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  learn(told: Told): void {
    const key = keyOf(told);
    if (key === undefined) return;
    if (told.news.kind === 'response' && told.news.state === 'gone') this.#last.delete(key);
    else this.#last.set(key, { told, at: this.#clock.now() });
  }

  /** A worker is gone, with its streams and responses. How servers are holds on. */
  forget(worker: number): void {
    for (const [key, { told }] of this.#last) {
      if (told.from === worker && told.news.kind !== 'rest') this.#last.delete(key);
    }
  }

  all(): readonly Told[] {
    return Array.from(this.#last.values(), ({ told, at }) => aged(told, this.#clock.now() - at));
  }
}

/** Undefined for what is told once. */
function keyOf({ news, from }: Told): string | undefined {
  switch (news.kind) {
    case 'streams':
      return JSON.stringify([news.kind, from, news.caller]);
    case 'response':
      return JSON.stringify([news.kind, news.id]);
    case 'rest':
      return news.rest.model === undefined
        ? JSON.stringify([news.kind, news.rest.server, news.rest.upstream])
        : undefined;
    case 'used':
      return undefined;
  }
}

function aged(told: Told, ms: number): Told {
  const { news } = told;
  if (news.kind !== 'rest') return told;
  return { ...told, news: { ...news, rest: { ...news.rest, restMs: Math.max(0, news.rest.restMs - ms) } } };
}
