import type { JsonObject } from './base/json.ts';
import { isObject, isTooDeep, nonEmpty, parseJson } from './base/json.ts';
import { ModelError } from './model/errors.ts';
import type { ModelEvent } from './model/events.ts';
import { tooDeepError } from './body.ts';
import type { DecoderPhase, MintId, ProtocolId } from './decoder.ts';
import type { Repair, Repairs } from './repairs.ts';
import type { TemplateRules, TextRoute } from './sse/templates.ts';
import { wrongWireError } from './wrong-wire.ts';

/**
 * What the machines of the wires have in common: the events that wait to be taken, and the one end.
 *
 * A machine is fed parsed values. It ends exactly once, through `complete` or `fail`.
 */
export abstract class WireMachine {
  phase: DecoderPhase = 'streaming';
  failure: ModelError | undefined;
  skipped = 0;
  /** The model that the answer names: the first that is a text. */
  model: string | undefined;
  #repairs: Repairs | undefined;
  #events: ModelEvent[] = [];
  /** An event of this wire came: what follows is of it, too. */
  #begun = false;
  /** A delta or an item went out: a replay would no longer be invisible. */
  #delivered = false;

  constructor(repairs?: Repairs) {
    this.#repairs = repairs;
  }

  abstract readonly wire: ProtocolId;
  /** Which events of this wire the fast path may take, and which of their fields vary. */
  abstract readonly templateRules: TemplateRules;

  /** One event's data as text, and its `event:` line where it has one. Returns what the data was parsed to. */
  onData(data: string, eventLine?: string): JsonObject | undefined {
    if (this.isSentinel(data)) {
      this.onSentinel();
      return undefined;
    }
    const value = parseJson(data);
    if (isObject(value)) {
      this.onValue(value, eventLine, data);
      return value;
    }
    if (value === undefined && isTooDeep(data)) this.fail(tooDeepError());
    else {
      this.skip();
      this.#repairs?.skip(data);
    }
    return undefined;
  }

  /**
   * One event's data, parsed, whichever of the answer it is: the first may show that it is of another wire.
   *
   * @param data the text that it was parsed from, where that was made
   */
  onValue(value: JsonObject, eventLine?: string, data?: string): void {
    const { skipped } = this;
    this.model ??= modelNamedBy(value);
    if (this.#begun || !this.#failAsOther(value)) this.onObject(value, eventLine);
    if (this.skipped > skipped) this.#repairs?.skip(data ?? JSON.stringify(value));
  }

  /** The same of one that is of this wire, and its `event:` line where it has one. */
  abstract onObject(value: JsonObject, eventLine?: string): void;
  /** The short way of events like this one, which was handled already: see `ValueSink`. */
  abstract routeOf(event: JsonObject): TextRoute | undefined;
  /** A finished body that came where a stream was due; that it has the form of one is nothing more to repair. */
  onWhole(body: JsonObject): void {
    this.repaired('json_for_stream');
    this.#repairs = undefined;
    this.model ??= modelNamedBy(body);
    if (!this.#failAsOther(body)) this.onBody(body);
  }

  /** Lines of JSON came where a stream was due; `first` is the first of them. */
  onLines(first: JsonObject): void {
    if (!this.#failAsOther(first)) this.onClose();
  }

  /** Ends an answer that begins as one of another wire: docs/contract.md section 6. */
  #failAsOther(value: JsonObject): boolean {
    const error = wrongWireError(value, this.wire);
    if (error !== undefined) this.fail(error);
    return error !== undefined;
  }

  protected abstract onBody(body: JsonObject): void;
  /** No more bytes will come. */
  abstract onClose(): void;
  protected abstract isSentinel(data: string): boolean;
  protected abstract onSentinel(): void;
  /** Closes what is open: its text counts as incomplete. */
  protected abstract closeOpenItems(): void;
  /** True when the answer is over and only usage was waited for: from here nothing turns success into an error. */
  protected get finished(): boolean {
    return this.phase === 'awaiting_usage';
  }

  /** The end of a finished answer whose usage did not come. */
  protected abstract completeFinished(): void;

  /** The wait for usage is over. */
  onGrace(): void {
    if (this.finished) this.completeFinished();
  }

  fail(error: ModelError): void {
    if (this.phase === 'ended') return;
    if (this.finished) {
      this.completeFinished();
      return;
    }
    this.closeOpenItems();
    this.failNow(error);
  }

  /** The end of an answer whose items are closed. */
  protected failNow(error: ModelError): void {
    this.phase = 'ended';
    this.failure = this.#delivered ? error.with({ replaySafe: false }) : error;
  }

  onOverflow(limit: number): void {
    this.fail(
      new ModelError({ kind: 'protocol', message: `one event of the stream is over the limit of ${limit} bytes` }),
    );
  }

  take(): ModelEvent[] {
    const events = this.#events;
    // An empty one is no exception: it is the caller's to keep, too.
    this.#events = [];
    return events;
  }

  /** An event that says nothing that can be read. */
  protected skip(): void {
    this.skipped++;
    this.repaired('skipped_event');
  }

  /** Something was made good. */
  protected repaired(repair: Repair): void {
    this.#repairs?.add(repair);
  }

  protected emit(event: ModelEvent): void {
    this.#begun ||= event.type !== 'unknown';
    this.#events.push(event);
  }

  /** Emits something a consumer may show or act on. */
  protected deliver(event: ModelEvent): void {
    this.#begun = true;
    this.#delivered = true;
    this.#events.push(event);
  }

  protected end(): void {
    this.phase = 'ended';
  }
}

/** Ids that are unique within one decoder. */
export function countingIds(): MintId {
  let count = 0;
  return (prefix) => `${prefix}_${count++}`;
}

/** Every wire says it in its first events: a chunk itself, Responses and Messages in the answer that the event tells of. */
function modelNamedBy({ model, response, message }: JsonObject): string | undefined {
  const answer = isObject(response) ? response : message;
  return nonEmpty(model) ?? (isObject(answer) ? nonEmpty(answer['model']) : undefined);
}
