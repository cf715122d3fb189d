import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError, retryClassOf, type ErrorKind } from '@turnwire/wire/internal/model/errors';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { ExchangeEnd, ExchangeStart, ExchangeSummary } from '../observe/observer.ts';
import type { Entry } from './entries.ts';
import { RecordLog, RecordMemory } from './record-log.ts';
import { RecordedExchange } from './recorded.ts';

/** An exchange of the past, as a file has it. */
export interface PastExchange {
  readonly start: ExchangeStart;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  readonly entries: readonly Entry[];
}

/** The exchange as it was, seen from behind its end. */
export function recordedOf({ start, startedAt, entries }: PastExchange): RecordedExchange {
  let now = 0;
  const clock: Clock = { now: () => now, after: () => ({ cancel: nothing }) };
  const tracking = { clock, unixMs: () => startedAt, changed: nothing, ended: nothing };
  const log = new RecordLog(new RecordMemory({ each: Infinity, all: Infinity }));
  const exchange = new RecordedExchange(start, tracking, log, false);
  const replay = new Replay(exchange);
  for (const entry of entries) {
    now = entry.t;
    replay.take(entry);
  }
  return exchange;
}

function nothing(): void {
  // Nobody waits for what is past.
}

/** Tells an exchange again what happened. */
class Replay {
  readonly #exchange: RecordedExchange;
  #route = '';
  #usage: Usage | undefined;

  constructor(exchange: RecordedExchange) {
    this.#exchange = exchange;
  }

  take(entry: Entry): void {
    const exchange = this.#exchange;
    switch (entry.kind) {
      case 'request':
        this.#route = entry.request.route;
        exchange.onRequest(entry.request);
        return;
      case 'attempt':
        exchange.onAttempt(entry.attempt);
        return;
      case 'asked':
        exchange.onAsked(entry.asked);
        return;
      case 'head':
        exchange.onHead(entry.head);
        return;
      case 'chunk':
        exchange.onChunk(entry.bytes);
        return;
      case 'body':
        exchange.onBodyEnd(entry.how);
        return;
      case 'passed':
        exchange.onSent(entry.bytes);
        return;
      case 'sent':
        exchange.onSent(entry.text);
        return;
      case 'repair':
        exchange.onRepair(entry.repair, entry.about);
        return;
      case 'usage':
        if (exchange.ended) exchange.onLateUsage(entry.usage);
        else this.#usage = entry.usage;
        return;
      case 'end':
        exchange.onEnd(this.#summary(entry));
    }
  }

  #summary({ t, outcome, error }: Entry & { readonly kind: 'end' }): ExchangeSummary {
    const end = endOf(outcome, error);
    const unknown = { upstream: undefined, status: undefined, firstMs: undefined, answer: undefined };
    const counted = { ms: t, attempts: 0, batches: 0, bytes: 0, usage: this.#usage, repairs: new Map() };
    return { ...unknown, ...counted, route: this.#route, outcome, end };
  }
}

function endOf(outcome: string, message = outcome): ExchangeEnd {
  if (outcome === 'completed') return { how: 'completed' };
  const kind: ErrorKind = isErrorKind(outcome) ? outcome : 'invalid_request';
  return { how: 'failed', error: new ModelError({ kind, message }) };
}

function isErrorKind(text: string): text is ErrorKind {
  return Object.hasOwn(retryClassOf, text);
}
