import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../../base/json.ts';
import { wireErrorOf } from '../../encode-error.ts';
import type { WireEvent } from '../../encode-event.ts';
import type { AnswerEncoder } from '../../protocol.ts';
import { responsesAnswers } from '../../responses/answers.ts';
import { createResponsesEncoder } from '../../responses/encode.ts';
import { createOrderValidator } from '../../responses/validate.ts';
import { ResumableRequest } from '../resumable-request.ts';
import type { Asked, Health, HealingWire, Minting } from '../wire.ts';

const TERMINAL = new Set(['response.completed', 'response.failed', 'response.incomplete', 'error']);

/**
 * The helper of the `openai` package throws at a type that it does not know. The API's own have three words but for these few; what servers
 * add of their own (`keepalive`, `response.heartbeat`, `response.done`) has not.
 */
const OF_THE_API = /^(?:error|response\.(?:created|queued|in_progress|completed|failed|incomplete|[a-z_]+\.[a-z_.]+))$/;

/** Members of the response object that its encoder writes itself. */
const OWN = [
  'id',
  'object',
  'created_at',
  'completed_at',
  'status',
  'model',
  'output',
  'usage',
  'error',
  'incomplete_details',
];

/** What a stream has told, event by event. */
interface Told {
  readonly end: boolean;
  /** Items and parts that have begun. */
  readonly begun: ReadonlySet<string>;
  /** The number of the next event. */
  readonly next: number;
}

/** The Responses API, as `openai`, `@openai/agents` and the AI SDK read it. */
class ResponsesHealth implements Health {
  readonly #asked: Asked;
  readonly #order = createOrderValidator();
  #response: JsonObject = {};
  #seen: Told = { end: false, begun: new Set(), next: 0 };
  /** The same of what went on as it came. */
  #told = this.#seen;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  get toldEnd(): boolean {
    return this.#told.end;
  }

  isGood(event: JsonObject | undefined): boolean {
    if (event === undefined || typeof event.type !== 'string' || !OF_THE_API.test(event.type)) return false;
    const { type, response } = event;
    if (type === 'response.created' && isObject(response)) this.#response = response;
    const { end, begun, next } = this.#seen;
    const began = beginning(event);
    this.#seen = {
      end: end || TERMINAL.has(type),
      begun: began === undefined ? begun : new Set([...begun, began]),
      next,
    };
    return this.isGoodAgain(event);
  }

  isGoodAgain(event: JsonObject): boolean {
    const number = event.sequence_number;
    const { end, begun, next } = this.#seen;
    this.#seen = { end, begun, next: typeof number === 'number' ? number + 1 : next + 1 };
    // Many servers do not number their events, and no SDK misses it.
    return this.#order.accept(event).every(({ rule }) => rule === 'sequence' && number === undefined);
  }

  wentOn(): void {
    this.#told = this.#seen;
  }

  /** Each is looked at: its deltas have to add up. */
  mayRepeat(): boolean {
    return false;
  }

  closing(): readonly WireEvent[] | undefined {
    return this.#told.end ? [] : undefined;
  }

  hasTold({ type, data }: WireEvent): boolean {
    if (TERMINAL.has(type)) return this.#told.end;
    if (!type.endsWith('.added')) return false;
    const event = parseJson(data);
    return isObject(event) && this.#told.begun.has(beginning(event) ?? '');
  }

  createEncoder({ id, now }: Minting): AnswerEncoder {
    const first = this.#response;
    const fields = Object.fromEntries(Object.entries(first).filter(([name]) => !OWN.includes(name)));
    return createResponsesEncoder({
      responseId: nonEmpty(first.id) ?? id(responsesAnswers.answerPrefix),
      createdAt: typeof first.created_at === 'number' ? first.created_at : now(),
      model: nonEmpty(first.model) ?? this.#asked.model,
      response: fields,
      toolProgress: true,
      mintId: id,
      now,
    });
  }

  /** The encoder counts from 0; what went on as it came has counted already. */
  continued(events: readonly WireEvent[]): readonly WireEvent[] {
    return events.map(({ type, data }) => {
      const { next } = this.#told;
      this.#told = { ...this.#told, next: next + 1 };
      return { type, data: `${data.slice(0, data.lastIndexOf(':') + 1)}${next}}` };
    });
  }
}

/** What begins with an event: an item, or a part of one. */
function beginning(event: JsonObject): string | undefined {
  const { type, item, item_id: id, content_index: content, summary_index: summary } = event;
  if (type === 'response.output_item.added') return isObject(item) ? String(item.id) : undefined;
  if (typeof type !== 'string' || !type.endsWith('_part.added')) return undefined;
  return `${String(id)} ${type} ${String(content ?? summary)}`;
}

/** The Responses API. */
export const responses: HealingWire = {
  answers: responsesAnswers,
  // One that runs in the background is answered before it has an answer.
  isRequest: (body) => body.background !== true || body.stream === true,
  readAsked: (body) => ({
    stream: body.stream === true,
    tokenLimit: typeof body.max_output_tokens === 'number',
    model: nonEmpty(body.model),
    usageEvent: false,
    severalChoices: false,
    stored: body.store !== false,
  }),
  createHealth: (asked) => new ResponsesHealth(asked),
  isBody: ({ output, status }) => Array.isArray(output) && nonEmpty(status) !== undefined,
  isErrorBody: ({ error }) => isObject(error) && stringOf(error.message) !== undefined,
  // `response.failed` is an event like another one for those who only look for text; this one the `openai` package throws.
  loudly: (failure) => {
    const error = wireErrorOf(failure);
    const { code, message, param } = error;
    return [
      { type: 'error', data: JSON.stringify({ type: 'error', code, message, param, error, sequence_number: 0 }) },
    ];
  },
  createResumable: (options) => new ResumableRequest(options),
};
