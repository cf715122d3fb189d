import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../../base/json.ts';
import type { WireEvent } from '../../encode-event.ts';
import { messagesAnswers } from '../../messages/answers.ts';
import { createMessagesEncoder } from '../../messages/encode.ts';
import { createMessagesValidator } from '../../messages/validate.ts';
import type { AnswerEncoder } from '../../protocol.ts';
import type { Asked, Health, HealingWire, Minting } from '../wire.ts';

const STOP: WireEvent = { type: 'message_stop', data: '{"type":"message_stop"}' };

/** Rules that no SDK minds: an event that is new, and thinking that its server does not sign. */
const MINOR = new Set(['unknown_event', 'signature']);

/** What a stream has told, event by event. */
interface Told {
  readonly start: boolean;
  readonly blocks: number;
  readonly reason: boolean;
  /** `message_stop`, or an error. */
  readonly end: boolean;
}

/** Anthropic's Messages, as `@anthropic-ai/sdk` and the AI SDK read it. */
class MessagesHealth implements Health {
  readonly #asked: Asked;
  readonly #order = createMessagesValidator();
  #message: JsonObject = {};
  #seen: Told = { start: false, blocks: 0, reason: false, end: false };
  /** The same of what went on as it came. */
  #told = this.#seen;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  get toldEnd(): boolean {
    return this.#told.reason || this.#told.end;
  }

  /** The SDK knows an event by its `event:` line alone. */
  isGood(event: JsonObject | undefined, _data: string, eventLine: string | undefined): boolean {
    if (event === undefined || typeof event.type !== 'string') return false;
    const { type, message, delta } = event;
    const { start, blocks, reason, end } = this.#seen;
    if (type === 'message_start' && isObject(message)) this.#message = message;
    this.#seen = {
      start: start || type === 'message_start',
      blocks: type === 'content_block_start' ? blocks + 1 : blocks,
      reason: reason || (type === 'message_delta' && isObject(delta) && nonEmpty(delta.stop_reason) !== undefined),
      end: end || type === 'message_stop' || type === 'error',
    };
    return eventLine?.replace(/^event: ?/, '') === type && this.isGoodAgain(event);
  }

  isGoodAgain(event: JsonObject): boolean {
    return this.#order.accept(event).every(({ rule }) => MINOR.has(rule));
  }

  wentOn(): void {
    this.#told = this.#seen;
  }

  /** What adds up to the input of a call is looked at. */
  mayRepeat({ type, delta }: JsonObject): boolean {
    return (
      type === 'content_block_delta' &&
      isObject(delta) &&
      (delta.type === 'text_delta' || delta.type === 'thinking_delta')
    );
  }

  closing(): readonly WireEvent[] | undefined {
    if (this.#told.end) return [];
    return this.#told.reason ? [STOP] : undefined;
  }

  hasTold({ type, data }: WireEvent): boolean {
    const { start, blocks, reason, end } = this.#told;
    switch (type) {
      case 'message_start':
      case 'ping':
        return start;
      case 'message_delta':
        return reason;
      case 'message_stop':
        return end;
      case 'content_block_start': {
        const event = parseJson(data);
        return isObject(event) && Number(event.index) < blocks;
      }
      default:
        return false;
    }
  }

  createEncoder({ id }: Minting): AnswerEncoder {
    return createMessagesEncoder({
      id: nonEmpty(this.#message.id) ?? id(messagesAnswers.answerPrefix),
      model: nonEmpty(this.#message.model) ?? this.#asked.model,
      serverBlocks: true,
    });
  }

  continued(events: readonly WireEvent[]): readonly WireEvent[] {
    return events;
  }
}

/** Anthropic's Messages API. */
export const messages: HealingWire = {
  answers: messagesAnswers,
  // Another API of OpenAI's has messages at the end of a path, too.
  isRequest: (body) => Array.isArray(body.messages) && typeof body.max_tokens === 'number',
  readAsked: (body) => ({
    stream: body.stream === true,
    tokenLimit: true,
    model: nonEmpty(body.model),
    usageEvent: false,
    severalChoices: false,
    stored: false,
  }),
  createHealth: (asked) => new MessagesHealth(asked),
  isBody: ({ type, content, stop_reason: reason }) =>
    type === 'message' && Array.isArray(content) && nonEmpty(reason) !== undefined,
  isErrorBody: ({ type, error }) =>
    type === 'error' && isObject(error) && nonEmpty(error.type) !== undefined && stringOf(error.message) !== undefined,
  loudly: () => [],
};
