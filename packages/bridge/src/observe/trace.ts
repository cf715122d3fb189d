import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { tenths } from '@turnwire/wire/internal/base/tenths';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { Repair } from '@turnwire/wire/internal/repairs';
import { LineFiles, type LineFile } from './line-files.ts';
import { LineText } from './line-text.ts';
import type {
  AnswerHead,
  AskedServer,
  Attempt,
  BodyEnd,
  ExchangeObserver,
  ExchangeStart,
  ExchangeSummary,
  Observe,
  ReadRequest,
  RepairCause,
  Sent,
} from './observer.ts';
import { ExchangeSecrets, pathOf } from './secrets.ts';

export interface TraceOptions {
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
}

/** The traces as an observer. */
export interface Tracer {
  readonly observe: Observe;
  /** Writes what waits to be written. */
  close(): void;
}

/**
 * Writes one file per exchange that could be read, both sides of it; `docs/bridge/operations.md` tells what its lines hold.
 *
 * @param folder - made when it is not there
 */
export function createTracer(folder: string, { clock, onError }: TraceOptions): Tracer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = new LineFiles(clock, onError);
  return {
    observe: (start) => new Trace(start, clock, () => files.open(join(folder, `${start.id}.jsonl`))),
    close: () => files.close(),
  };
}

class Trace implements ExchangeObserver {
  readonly #start: ExchangeStart;
  readonly #clock: Clock;
  readonly #open: () => LineFile;
  readonly #beganAt: number;
  readonly #at = timestamp();
  readonly #secrets: ExchangeSecrets;
  readonly #received = new LineText((received) => this.#receivedText(received));
  readonly #passed = new LineText((sent) => this.#text({ sent }));
  /** When each chunk came that is not told yet, and how long it was: with them the text can be cut as it came. */
  #cuts: (readonly [ms: number, bytes: number])[] = [];
  /** Opened with the request: a stranger who is not let in fills no disk. */
  #file: LineFile | undefined;
  /** A body is read, or drained: its end may come behind that of the exchange, and is told then. */
  #isBodyOpen = false;
  #isOver = false;
  #toSse: ((events: readonly WireEvent[]) => string) | undefined;

  constructor(start: ExchangeStart, clock: Clock, open: () => LineFile) {
    this.#start = start;
    this.#clock = clock;
    this.#open = open;
    this.#beganAt = clock.now();
    this.#secrets = new ExchangeSecrets(start.headers);
  }

  onRequest({ route, wire, body }: ReadRequest): void {
    const { method, url, headers } = this.#start;
    const read = body();
    this.#file = this.#open();
    this.#toSse = wire === undefined ? undefined : protocols[wire].toSse;
    this.#write({
      at: this.#at,
      method,
      url: pathOf(url),
      headers: this.#secrets.headers(headers),
      body: read === undefined ? undefined : this.#secrets.body(read),
      route,
    });
  }

  onAttempt({ number, upstream, conceal }: Attempt): void {
    this.#received.end();
    this.#secrets.add(conceal);
    this.#line({ attempt: number, upstream });
  }

  onAsked(asked: AskedServer): void {
    this.#line({ asked: this.#secrets.asked(asked) });
  }

  onHead({ upstream, wire, status, headers }: AnswerHead): void {
    this.#received.end();
    this.#isBodyOpen = true;
    this.#line({ upstream, wire, status, headers: this.#secrets.headers(headers) });
  }

  onChunk(bytes: Uint8Array): void {
    this.#cuts.push([tenths(this.#clock.now() - this.#beganAt), bytes.length]);
    this.#received.push(bytes);
  }

  onBodyEnd(how: BodyEnd): void {
    this.#received.end();
    this.#line({ ended: how });
    this.#isBodyOpen = false;
    if (this.#isOver) this.#file?.end();
  }

  #receivedText(text: string): void {
    const cuts = this.#cuts;
    this.#cuts = [];
    this.#line({ received: this.#secrets.text(text), cuts });
  }

  onSent(sent: Sent): void {
    if (sent instanceof Uint8Array) this.#passed.push(sent);
    else this.#text({ sent: typeof sent === 'string' ? sent : (this.#toSse?.(sent) ?? '') });
  }

  onRepair(repair: Repair, about?: string | RepairCause): void {
    if (typeof about === 'object') {
      const { upstream, failure, delayMs: retry_ms } = about;
      this.#text({ repair, upstream, error: failure.message, retry_ms: tenths(retry_ms) });
    } else this.#text({ repair, ...(about === undefined ? {} : { data: about }) });
  }

  onEnd({ outcome, ms, firstMs, end, usage }: ExchangeSummary): void {
    this.#received.end();
    this.#passed.end();
    const error = end.how === 'failed' ? end.error.message : end.how === 'refused' ? end.refusal.message : undefined;
    this.#text({
      outcome,
      ...(error === undefined ? {} : { error }),
      ...(firstMs === undefined ? {} : { ttft_ms: tenths(firstMs) }),
      total_ms: tenths(ms),
      ...(usage === undefined ? {} : { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens }),
    });
    this.#isOver = true;
    if (!this.#isBodyOpen) this.#file?.end();
  }

  /** A line whose texts may hold secrets. */
  #text(fields: Readonly<Record<string, string | number>>): void {
    if (this.#file === undefined) return;
    const shown = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? this.#secrets.text(value) : value,
    ]);
    this.#line(Object.fromEntries(shown) as object);
  }

  #line(fields: object): void {
    this.#write({ ms: tenths(this.#clock.now() - this.#beganAt), ...fields });
  }

  #write(fields: object): void {
    this.#file?.write(JSON.stringify(fields));
  }
}
