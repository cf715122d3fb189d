import type { Logger } from 'pino';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { tenths } from '@turnwire/wire/internal/base/tenths';
import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { Repair } from '@turnwire/wire/internal/repairs';
import type {
  AnswerHead,
  Attempt,
  ExchangeEnd,
  ExchangeObserver,
  ExchangeStart,
  ExchangeSummary,
  Observe,
  ReadRequest,
  Refusal,
  RepairCause,
} from './observer.ts';
import { clientName } from './client-name.ts';
import { RefusalLimit } from './refusal-limit.ts';
import { ExchangeSecrets, pathOf } from './secrets.ts';

/** The log as an observer. */
export interface LogObserver {
  readonly observe: Observe;
  /** Tells what waits for the end of a minute. */
  close(): void;
}

/**
 * The log: one line per exchange at `info` and above, but for refusals that go on and on, which are counted. `debug` adds what is
 * asked, the types of events and the beginning of those that were skipped, `trace` the whole answer.
 */
export function createLogObserver(root: Logger, clock: Clock): LogObserver {
  const limit = new RefusalLimit(clock, (kind, times) => root.info({ ...kind, times }, 'refused again'));
  const observe: Observe = (start) => {
    const log = root.child({ ...(start.socket === undefined ? {} : { socket: start.socket }), request: start.id });
    return log.isLevelEnabled('debug') ? new DetailedLog(log, start, limit) : new ExchangeLog(log, start, limit);
  };
  return { observe, close: () => limit.close() };
}

class ExchangeLog implements ExchangeObserver {
  protected log: Logger;
  readonly #start: ExchangeStart;
  readonly #limit: RefusalLimit;
  #model: string | undefined;

  constructor(log: Logger, start: ExchangeStart, limit: RefusalLimit) {
    this.log = log;
    this.#start = start;
    this.#limit = limit;
  }

  onCaller(name: string): void {
    this.log = this.log.child({ caller: name });
  }

  onRequest({ model }: ReadRequest): void {
    this.#model = model;
  }

  onRepair(repair: Repair, about?: string | RepairCause): void {
    if (typeof about !== 'object') return;
    const { upstream, failure, delayMs } = about;
    const { kind, status, message } = failure;
    this.log.warn({ fault: repair, upstream, kind, status, delay_ms: delayMs, error: message }, 'trying again');
  }

  onEnd(summary: ExchangeSummary): void {
    const { end } = summary;
    if (end.how === 'refused') {
      this.#tellRefusal(summary, end.refusal);
      return;
    }
    const { route, ...facts } = factsOf(summary);
    const line = { route, client: this.#client, model: this.#model, ...facts, ...wordsOf(end) };
    if (isOrdinary(end)) this.log.info(line, 'response');
    else this.log.warn(line, 'response');
  }

  #tellRefusal({ route, outcome }: ExchangeSummary, { status, code, message, param }: Refusal): void {
    const kind = { route, status, code: code ?? undefined };
    if (!this.#limit.tells(kind)) return;
    const { method, url } = this.#start;
    const asked = { route, client: this.#client, method, path: pathOf(url) };
    this.log.info({ ...asked, outcome, ...kind, param, error: message }, 'refused');
  }

  get #client(): string | undefined {
    return clientName(this.#start.headers['user-agent']);
  }

  onLateUsage({ input_tokens, output_tokens }: Usage): void {
    this.log.info({ input_tokens, output_tokens }, 'usage came late');
  }
}

/** A client that left, and an answer that reached the limit which its request set, are nothing to look after. */
function isOrdinary(end: ExchangeEnd): boolean {
  return end.how !== 'failed' || end.error.kind === 'aborted' || end.error.kind === 'incomplete';
}

function factsOf(summary: ExchangeSummary) {
  const { route, upstream, outcome, status, attempts, firstMs, ms, batches, bytes, usage, repairs } = summary;
  return {
    route,
    upstream,
    status,
    outcome,
    attempts: attempts > 1 ? attempts : undefined,
    ttft_ms: firstMs === undefined ? undefined : tenths(firstMs),
    ms: tenths(ms),
    batches: bytes > 0 ? undefined : batches,
    bytes: bytes > 0 ? bytes : undefined,
    input_tokens: usage?.input_tokens,
    output_tokens: usage?.output_tokens,
    repairs: repairs.size === 0 ? undefined : Object.fromEntries(repairs),
  };
}

/** How it ended, in the server's words. */
function wordsOf(end: ExchangeEnd): object {
  if (end.how === 'completed') {
    const { ended_by, finish_reason, dropped_tool_calls: dropped } = end.event ?? {};
    return { ended_by, finish_reason, dropped_tool_calls: dropped?.length };
  }
  if (end.how === 'refused' || end.error.kind === 'aborted') return {};
  return { error: end.error.message, code: end.error.code };
}

/** What somebody wants to see who looks for a fault. */
class DetailedLog extends ExchangeLog {
  readonly #secrets: ExchangeSecrets;

  constructor(log: Logger, start: ExchangeStart, limit: RefusalLimit) {
    super(log, start, limit);
    this.#secrets = new ExchangeSecrets(start.headers);
    log.debug({ method: start.method, path: pathOf(start.url) }, 'request');
  }

  override onRequest(request: ReadRequest): void {
    super.onRequest(request);
    const { route, body } = request;
    const read = body();
    if (read !== undefined) this.#secrets.body(read);
    this.log.debug({ route, model: read?.model }, 'read');
  }

  onAttempt({ number, upstream, conceal }: Attempt): void {
    this.#secrets.add(conceal);
    this.log.debug({ attempt: number, upstream }, 'asking');
  }

  onHead({ upstream, status, headers }: AnswerHead): void {
    this.log.debug({ upstream, status, headers: this.#secrets.headers(headers) }, 'head');
  }

  onEvents(events: readonly ModelEvent[]): void {
    this.log.debug({ events: typesOf(events) }, 'events');
  }

  override onRepair(repair: Repair, about?: string | RepairCause): void {
    super.onRepair(repair, about);
    if (typeof about === 'object') return;
    if (about === undefined) this.log.debug({ repair }, 'repaired');
    else if (this.log.isLevelEnabled('debug')) this.log.debug({ repair, data: this.#secrets.text(about) }, 'skipped');
  }

  override onEnd(summary: ExchangeSummary): void {
    const answer = this.log.isLevelEnabled('trace') ? summary.answer?.() : undefined;
    if (answer !== undefined) this.log.trace({ answer: this.#secrets.body(answer) }, 'answer');
    super.onEnd(summary);
  }
}

/** The types in order; what comes several times in a row is counted: `output_text.delta x12`. */
function typesOf(events: readonly ModelEvent[]): string {
  const runs: { readonly type: string; count: number }[] = [];
  for (const { type } of events) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  return runs.map(({ type, count }) => (count === 1 ? type : `${type} x${count}`)).join(', ');
}
