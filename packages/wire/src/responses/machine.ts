import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { ModelError } from '../model/errors.ts';
import type { Usage } from '../model/usage.ts';
import type { TextRoute } from '../sse/templates.ts';
import { inputDeltas, textDeltas } from './delta-types.ts';
import {
  cancelledError,
  endingOf,
  errorOfEvent,
  failedError,
  incompleteError,
  isFinal,
  type Ending,
} from './failures.ts';
import { ItemMachine } from './item-machine.ts';
import { modelNamedIn, rateLimitsEvent, turnStateIn, withoutTurnState } from './side-channels.ts';
import { templateRules } from './template-rules.ts';
import { usageFromResponses } from './usage.ts';

type Handler = (machine: ResponsesMachine, event: JsonObject) => void;

/**
 * Responses events (from SSE or WebSocket frames) -> canonical events: the rules of docs/contract.md section 4.
 *
 * Dispatch is on the JSON `type`; a handler per type stands in the table at the end of the file.
 */
export class ResponsesMachine extends ItemMachine {
  readonly wire = 'responses';
  readonly templateRules = templateRules;
  /** The first turn state that an event carried (WebSocket only has it in events). */
  turnState: string | undefined;
  #created = false;
  #responseId: string | undefined;
  #serverModel: string | undefined;

  /** There is no sentinel on this wire; a stray `[DONE]` is no JSON object and skipped. */
  protected isSentinel(): boolean {
    return false;
  }

  protected onSentinel(): void {
    this.skip();
  }

  protected completeFinished(): void {
    this.end();
  }

  onClose(): void {
    this.fail(new ModelError({ kind: 'stream_truncated', message: 'stream closed before response.completed' }));
  }

  onObject(value: JsonObject, eventLine?: string): void {
    const event = typeof value['type'] === 'string' ? value : withTypeOf(eventLine, value);
    const type = stringOf(event['type']);
    this.#readSideChannels(event);
    const handler = type === undefined ? undefined : handlers.get(type);
    if (handler === undefined) this.#onOther(event, type);
    else handler(this, event);
  }

  /** What is no event of this wire that is known: an error in another shape, a new event, or nothing. */
  #onOther(event: JsonObject, type: string | undefined): void {
    const error = errorOfEvent(event);
    if (error !== undefined) this.fail(error);
    else if (type === undefined) this.skip();
    else this.emit({ type: 'unknown', raw: withoutTurnState(event) });
  }

  protected onBody(body: JsonObject): void {
    const status = body['status'] ?? (Array.isArray(body['output']) ? 'completed' : undefined);
    if (isFinal(status)) this.onEnd({ response: body }, status);
    else this.onObject(body);
    if (this.phase !== 'ended') this.onClose();
  }

  routeOf(event: JsonObject): TextRoute | undefined {
    return hasSideChannel(event) ? undefined : this.routeOfDelta(event);
  }

  #readSideChannels(event: JsonObject): void {
    if (!hasSideChannel(event)) return;
    const model = modelNamedIn(event);
    if (model !== undefined && model !== this.#serverModel) {
      this.#serverModel = model;
      this.emit({ type: 'server_model', model });
    }
    this.turnState ??= turnStateIn(event);
  }

  onCreated(event: JsonObject): void {
    const id = stringOf(responseOf(event)['id']);
    if (nonEmpty(id) === undefined) this.repaired('no_response_id');
    this.#responseId ??= id;
    if (this.#created) return;
    this.#created = true;
    this.emit({ type: 'created', ...(id === undefined ? {} : { response_id: id }) });
  }

  protected noteCreated(): void {
    if (!this.#created) this.repaired('no_created');
  }

  /** The end of a response: `called` is what its event is named, the payload may say worse. */
  onEnd(event: JsonObject, called: Ending): void {
    const response = responseOf(event);
    const usage = usageFromResponses(response['usage']) ?? usageFromResponses(event['usage']);
    switch (endingOf(response, called)) {
      case 'completed':
        this.#complete(response, usage);
        return;
      case 'incomplete':
        this.failWith(response, incompleteError(response, usage));
        return;
      case 'cancelled':
        this.failWith(response, cancelledError(usage));
        return;
      case 'failed':
        this.failWith(response, failedError(response, event));
    }
  }

  #complete(response: JsonObject, usage: Usage | undefined): void {
    this.noteCreated();
    if ((nonEmpty(response['id']) ?? this.#responseId) === undefined) this.repaired('no_response_id');
    this.fillFromOutput(response['output']);
    const endTurn = response['end_turn'];
    const finish = nonEmpty(response['finish_reason']);
    this.emit({
      type: 'completed',
      response_id: stringOf(response['id']) ?? this.#responseId ?? '',
      ...(usage === undefined ? {} : { usage }),
      ...(typeof endTurn === 'boolean' ? { end_turn: endTurn } : {}),
      ...(finish === undefined ? {} : { finish_reason: finish }),
      ended_by: 'response.completed',
      ...(this.dropped.length === 0 ? {} : { dropped_tool_calls: this.dropped }),
    });
    this.end();
  }

  onRateLimits(event: JsonObject): void {
    this.emit(rateLimitsEvent(event));
  }
}

const EVENT_LINE = /^event: ?(response\..+|codex\..+|error)$/;

/** An event whose type only its `event:` line tells. */
function withTypeOf(eventLine: string | undefined, value: JsonObject): JsonObject {
  const type = eventLine === undefined ? undefined : EVENT_LINE.exec(eventLine)?.[1];
  return type === undefined ? value : { ...value, type };
}

function hasSideChannel(event: JsonObject): boolean {
  return event['headers'] !== undefined || event['response'] !== undefined;
}

function responseOf(event: JsonObject): JsonObject {
  const response = event['response'];
  return isObject(response) ? response : {};
}

/** Wire events with a canonical one; every other type becomes `unknown`. */
const handlers: ReadonlyMap<unknown, Handler> = new Map<unknown, Handler>([
  ['response.created', (machine, event) => machine.onCreated(event)],
  ['response.output_item.added', (machine, event) => machine.onItemAdded(event)],
  ...[...textDeltas].map(([type, kind]): [unknown, Handler] => [type, (machine, event) => machine.onText(event, kind)]),
  ...[...inputDeltas].map(([type, call]): [unknown, Handler] => [
    type,
    (machine, event) => machine.onInput(event, call),
  ]),
  ['response.output_text.done', (machine, event) => machine.onTextDone(event, 'output_text')],
  ['response.refusal.done', (machine, event) => machine.onTextDone(event, 'refusal')],
  ['response.reasoning_text.done', (machine, event) => machine.onTextDone(event, 'reasoning_text')],
  ['response.reasoning.done', (machine, event) => machine.onTextDone(event, 'reasoning_text')],
  ['response.reasoning_summary_text.done', (machine, event) => machine.onSummaryDone(event)],
  ['response.reasoning_summary_part.added', (machine, event) => machine.onSummaryPart(event)],
  ['response.function_call_arguments.done', (machine, event) => machine.onInputDone(event, 'function_call')],
  ['response.custom_tool_call_input.done', (machine, event) => machine.onInputDone(event, 'custom_tool_call')],
  ['response.output_item.done', (machine, event) => machine.onItemDone(event)],
  ['response.completed', (machine, event) => machine.onEnd(event, 'completed')],
  ['response.done', (machine, event) => machine.onEnd(event, 'completed')],
  ['response.incomplete', (machine, event) => machine.onEnd(event, 'incomplete')],
  ['response.cancelled', (machine, event) => machine.onEnd(event, 'cancelled')],
  ['response.failed', (machine, event) => machine.onEnd(event, 'failed')],
  ['response.error', (machine, event) => machine.onObject({ ...event, type: 'error' })],
  ['codex.rate_limits', (machine, event) => machine.onRateLimits(event)],
]);
