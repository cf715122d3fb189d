import type { StreamDecoder } from '@turnwire/wire/internal/decoder';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { Usage } from '@turnwire/wire/internal/model/events';
import { protocols } from '@turnwire/wire/internal/protocols';
import { createDecoder } from '@turnwire/wire/internal/stream-decoder';
import type {
  AnswerHead,
  AskedServer,
  Attempt,
  BodyEnd,
  ExchangeStart,
  ExchangeSummary,
  ReadRequest,
  RepairCause,
  Sent,
} from '../observe/observer.ts';
import type { ExchangeRecord, ExchangeRow } from './api.ts';
import { entrySize } from './entries.ts';
import { READING, RecordBuilder } from './record-builder.ts';
import { LogCursor, type RecordLog } from './record-log.ts';
import type { RecordReader } from './source.ts';
import { TrackedExchange, type Tracking } from './tracked.ts';

/** One exchange with all that happened in it. */
export class RecordedExchange extends TrackedExchange {
  readonly log: RecordLog;
  readonly #beganAt: number;
  /** Reads along what is passed through, as far as somebody has looked. */
  readonly #passed: LogCursor;
  #decoder: StreamDecoder | undefined;
  #isDecoded: boolean;
  #toSse: ((events: readonly WireEvent[]) => string) | undefined;

  /** @param isDecoded - `onEvents` tells what its bytes say. Default: unless it is passed through */
  constructor(start: ExchangeStart, tracking: Tracking, log: RecordLog, isDecoded = true) {
    super(start, tracking);
    this.log = log;
    this.#passed = new LogCursor(log);
    this.#isDecoded = isDecoded;
    this.#beganAt = this.facts.startedAt;
  }

  override onRequest(request: ReadRequest): void {
    if (request.route === 'passthrough') this.#isDecoded = false;
    this.#toSse = request.wire === undefined ? undefined : protocols[request.wire].toSse;
    this.log.addObject({ t: this.#t, kind: 'request', request });
    super.onRequest(request);
  }

  override onAttempt(attempt: Attempt): void {
    this.log.addObject({ t: this.#t, kind: 'attempt', attempt });
    super.onAttempt(attempt);
  }

  onAsked(asked: AskedServer): void {
    this.log.addObject({ t: this.#t, kind: 'asked', asked });
  }

  override onHead(head: AnswerHead): void {
    this.log.addObject({ t: this.#t, kind: 'head', head });
    super.onHead(head);
  }

  override onChunk(bytes: Uint8Array): void {
    super.onChunk(bytes);
    const { lastByteAt = 0 } = this.facts;
    this.log.addBytes('chunk', lastByteAt - this.#beganAt, bytes);
  }

  onBodyEnd(how: BodyEnd): void {
    this.log.addObject({ t: this.#t, kind: 'body', how });
  }

  onSent(sent: Sent): void {
    if (sent instanceof Uint8Array) this.log.addBytes('passed', this.#t, sent);
    else this.log.addText(this.#t, typeof sent === 'string' ? sent : (this.#toSse?.(sent) ?? ''));
  }

  override onRepair(repair: string, about?: string | RepairCause): void {
    this.log.addObject({ t: this.#t, kind: 'repair', repair, about });
    super.onRepair(repair, about);
  }

  override onEnd(summary: ExchangeSummary): void {
    const { outcome, usage, end } = summary;
    if (usage !== undefined) this.log.addObject({ t: this.#t, kind: 'usage', usage });
    const error = end.how === 'failed' ? end.error.message : end.how === 'refused' ? end.refusal.message : undefined;
    this.log.addObject({ t: this.#t, kind: 'end', outcome, error });
    this.log.ended = true;
    super.onEnd(summary);
  }

  override onLateUsage(usage: Usage): void {
    this.log.addObject({ t: this.#t, kind: 'usage', usage });
    super.onLateUsage(usage);
  }

  override row(): ExchangeRow {
    if (!this.#isDecoded) this.#readAlong();
    return super.row();
  }

  /** Reads all of it, from the beginning. */
  read(): RecordReader {
    return new LogReader(this);
  }

  get #t(): number {
    return this.now() - this.#beganAt;
  }

  /** Nobody decodes what is passed through, until somebody looks. */
  #readAlong(): void {
    for (let entry = this.#passed.next(); entry !== undefined; entry = this.#passed.next()) {
      if (typeof entry === 'number') continue;
      if (entry.kind === 'head') {
        const { wire, status } = entry.head;
        this.#decoder = wire === undefined || status >= 300 ? undefined : createDecoder(wire, READING);
      } else if (entry.kind === 'chunk') this.#decode(entry.bytes, this.#beganAt + entry.t);
    }
  }

  #decode(bytes: Uint8Array, at: number): void {
    const decoder = this.#decoder;
    const events = decoder?.push(bytes) ?? [];
    if (events.length > 0) this.tell(events, at);
    if (decoder === undefined || decoder.phase === 'streaming' || this.facts.finishedAt !== undefined) return;
    this.facts.finishedAt = at;
    this.facts.awaits = 'end';
  }
}

/** Reads a log at the speed of its reader. */
class LogReader implements RecordReader {
  readonly #exchange: RecordedExchange;
  readonly #builder: RecordBuilder;
  readonly #cursor: LogCursor;

  constructor(exchange: RecordedExchange) {
    this.#exchange = exchange;
    this.#builder = new RecordBuilder(exchange.start);
    this.#cursor = new LogCursor(exchange.log);
  }

  get ended(): boolean {
    return this.#exchange.ended && this.#cursor.atEnd;
  }

  next(bytes: number): readonly ExchangeRecord[] {
    for (let read = 0; read < bytes;) {
      const entry = this.#cursor.next();
      if (entry === undefined) break;
      if (typeof entry === 'number') {
        this.#builder.dropped(entry);
        continue;
      }
      read += entrySize(entry);
      this.#builder.push(entry);
    }
    return this.#builder.take();
  }
}
