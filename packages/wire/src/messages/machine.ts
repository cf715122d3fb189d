import { isObject, isTooDeep, nonEmpty, parseJson, stringOf, type JsonObject } from '../base/json.ts';
import { finishClass } from '../dialects/finish-reasons.ts';
import { errorFromWire, readError } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import type { EndedBy } from '../model/events.ts';
import { BlockMachine } from './block-machine.ts';
import { endTurnOf, errorOfStop, isOwnReason, stopOf, wantsCalls, type Stop } from './stop-reasons.ts';
import { templateRules } from './template-rules.ts';
import { countsSomething, mergeUsage, usageFromMessages } from './usage.ts';

type Handler = (machine: MessagesMachine, event: JsonObject) => void;

const BRACE = 123;
const EVENT_LINE = /^event: ?(\S+)/;

/**
 * Messages events -> canonical events: the rules of docs/contract.md section 8. A handler per type stands in the table
 * at the end of the file.
 *
 * `streaming` until a stop_reason came; then the items are out and, if no `message_delta` had usage, `awaiting_usage`,
 * where only usage and the end are looked at.
 */
export class MessagesMachine extends BlockMachine {
  readonly wire = 'messages';
  readonly templateRules = templateRules;
  #created = false;
  #responseId: string | undefined;
  #usage: JsonObject = {};
  /** A `message_delta` had usage: what comes first is an estimate. */
  #hasLastUsage = false;
  #stop: Stop | undefined;

  /** Not the wire's own, but that of servers that were built for another. */
  protected isSentinel(data: string): boolean {
    if (data.charCodeAt(0) === BRACE) return false;
    const trimmed = data.trim();
    return trimmed === '[DONE]' || trimmed === 'DONE';
  }

  protected onSentinel(): void {
    this.onMessageStop();
  }

  onClose(): void {
    if (this.finished) this.completeFinished();
    else if (this.options.onClose === 'complete') this.#settle('close');
    else {
      this.fail(
        new ModelError({
          kind: 'stream_truncated',
          message: 'stream closed before message_delta with a stop_reason: the answer was cut off',
        }),
      );
    }
  }

  onObject(event: JsonObject, eventLine?: string): void {
    const type = stringOf(event['type']) ?? nameIn(eventLine);
    if (this.finished) this.#onAfterFinish(event, type);
    else if (type === 'content_block_delta') this.onBlockDelta(event);
    else {
      const handler = type === undefined ? undefined : handlers.get(type);
      if (handler === undefined) this.#onOther(event, type);
      else handler(this, event);
    }
  }

  /** An `event: error` may have plain text for its data. */
  override onData(data: string, eventLine?: string): JsonObject | undefined {
    if (!isNamedError(eventLine) || this.finished || isObject(parseJson(data)) || isTooDeep(data)) {
      return super.onData(data, eventLine);
    }
    this.fail(errorFromWire(data));
    return undefined;
  }

  /** What is no event of this wire that is known: an error in another shape, a new event, or nothing. */
  #onOther(event: JsonObject, type: string | undefined): void {
    const error = readError(event);
    if (error !== undefined) this.fail(error);
    else if (type === undefined) this.skip();
    else this.emit({ type: 'unknown', raw: event });
  }

  #onAfterFinish(event: JsonObject, type: string | undefined): void {
    if (type === 'message_stop') this.completeFinished();
    else if (type === 'message_delta') {
      this.#takeLastUsage(event);
      if (this.#hasLastUsage) this.completeFinished();
    }
  }

  onError(event: JsonObject): void {
    this.fail(readError(event) ?? errorFromWire(undefined));
  }

  onMessageStart(event: JsonObject): void {
    if (this.#created) return;
    const message = isObject(event['message']) ? event['message'] : event;
    this.#responseId = nonEmpty(message['id']);
    if (this.#responseId === undefined) this.repaired('no_response_id');
    this.#begin();
    this.#takeUsage(message['usage']);
    if (Array.isArray(message['content'])) for (const block of message['content']) this.readWhole(block);
  }

  protected noteBegun(): void {
    if (this.#created) return;
    this.repaired('no_message_start');
    this.#begin();
  }

  #begin(): void {
    this.#created = true;
    this.emit({ type: 'created', ...(this.#responseId === undefined ? {} : { response_id: this.#responseId }) });
  }

  onMessageDelta(event: JsonObject): void {
    this.noteBegun();
    this.#takeLastUsage(event);
    if (isObject(event['delta'])) this.#readStop(event['delta']);
  }

  onMessageStop(): void {
    if (this.finished) this.completeFinished();
    else this.#settle('sentinel');
  }

  /** One body with the whole answer, where its blocks are whole. */
  protected onBody(body: JsonObject): void {
    if (body['type'] !== 'message' && !Array.isArray(body['content'])) {
      this.onObject(body);
      if (this.phase !== 'ended') this.onClose();
      return;
    }
    this.onMessageStart(body);
    if (typeof body['content'] === 'string') this.readWhole({ type: 'text', text: body['content'] });
    this.#hasLastUsage = true;
    this.#readStop(body);
    if (this.phase !== 'ended') this.#settle('close');
  }

  #takeLastUsage(event: JsonObject): void {
    const usage = event['usage'];
    if (!isObject(usage)) return;
    this.#takeUsage(usage);
    this.#hasLastUsage ||= countsSomething(usage);
  }

  #takeUsage(usage: unknown): void {
    if (isObject(usage)) this.#usage = mergeUsage(this.#usage, usage);
  }

  /** The first stop_reason that is a word finishes the answer. */
  #readStop(holder: JsonObject): void {
    const reason = nonEmpty(holder['stop_reason']);
    if (reason === undefined) return;
    if (!isOwnReason(reason)) {
      this.repaired(finishClass(reason) === 'other' ? 'unknown_finish' : 'finish_reason_spelling');
    }
    const details = holder['stop_details'];
    const explanation = isObject(details) ? nonEmpty(details['explanation']) : undefined;
    this.#stop = stopOf(reason, nonEmpty(holder['stop_sequence']), explanation);
    if (this.#stop.cut === undefined) this.closeAll(wantsCalls(reason));
    else this.closeOpenItems();
    const waits = this.#stop.cut === undefined || this.options.usageOfCut === true;
    if (waits && !this.#hasLastUsage) this.phase = 'awaiting_usage';
    else this.completeFinished();
  }

  protected completeFinished(): void {
    const { cut, explanation } = this.#stop ?? {};
    if (cut === undefined) this.#complete('finish_reason');
    else this.failNow(errorOfStop(cut, explanation, usageFromMessages(this.#usage)));
  }

  /** An end without a stop_reason. */
  #settle(endedBy: EndedBy): void {
    this.repaired(endedBy === 'sentinel' ? 'no_stop_reason' : 'no_end');
    this.closeAll(false);
    this.#complete(endedBy);
  }

  #complete(endedBy: EndedBy): void {
    const usage = usageFromMessages(this.#usage);
    const { reason, sequence } = this.#stop ?? {};
    const endTurn = reason === undefined ? undefined : endTurnOf(reason);
    this.emit({
      type: 'completed',
      response_id: this.#responseId ?? '',
      ...(usage === undefined ? {} : { usage }),
      ...(endTurn === undefined ? {} : { end_turn: endTurn }),
      ...(reason === undefined ? {} : { finish_reason: reason }),
      ...(sequence === undefined ? {} : { stop_sequence: sequence }),
      ended_by: endedBy,
      ...(this.dropped.length === 0 ? {} : { dropped_tool_calls: this.dropped }),
    });
    this.end();
  }
}

/** Asked for each event: one look tells of nearly all. */
function isNamedError(eventLine: string | undefined): boolean {
  return eventLine?.includes('error') === true && nameIn(eventLine) === 'error';
}

function nameIn(eventLine: string | undefined): string | undefined {
  return eventLine === undefined ? undefined : EVENT_LINE.exec(eventLine)?.[1];
}

/** Wire events with a meaning of their own, but for deltas; a ping says no more than that the server is there. */
const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['message_start', (machine, event) => machine.onMessageStart(event)],
  ['content_block_start', (machine, event) => machine.onBlockStart(event)],
  ['content_block_stop', (machine, event) => machine.onBlockStop(event)],
  ['message_delta', (machine, event) => machine.onMessageDelta(event)],
  ['message_stop', (machine) => machine.onMessageStop()],
  ['error', (machine, event) => machine.onError(event)],
  ['ping', () => undefined],
]);
