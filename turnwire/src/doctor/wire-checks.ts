import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire';
import { chatFacts, choicesOf } from './chat-facts.ts';
import { checkChat, reasoningField } from './check-chat.ts';
import { fragmentsOf } from './check-chat-tools.ts';
import { objectsIn } from './check-framing.ts';
import { checkMessages, messagesCalls, messagesDeltas, messagesFacts } from './check-messages.ts';
import { checkResponses, responsesFacts, typeOf } from './check-responses.ts';
import { counted, type Finding } from './finding.ts';
import { chatBody, messagesBody, responsesBody, type Question } from './requests.ts';
import type { Sample } from './sample.ts';
import type { SseEvent } from './sse-reading.ts';

/** How an answer said that it was over. */
export interface Over {
  /** The event after which it was; `undefined` when it never was. */
  readonly at: SseEvent | undefined;
  readonly sentinel: 'none' | 'bracketed' | 'bare';
  /** It ended in an error event. */
  readonly failed: boolean;
}

/** What the doctor knows of one wire. */
interface WireChecks {
  /** The wire's word for its events; also the name of the probe that looks at them. */
  readonly eventsName: string;
  /** What says that an answer finished. */
  readonly finish: string;
  /** What a good answer ends in, where the wire has it. */
  readonly sentinel: string | undefined;
  /** The fault of a server that holds its connection open after an error. */
  readonly heldAfterError: string;
  /** The body of a question. */
  body(question: Question, model: string): JsonObject;
  /** What the events of an answer say. */
  check(sample: Sample): readonly Finding[];
  /** How the answer said that it was over. */
  over(sample: Sample): Over;
  /** One line about the events, for the report. */
  describe(sample: Sample): string;
  /** Names of the calls of an answer. */
  calls(events: readonly SseEvent[]): readonly string[];
  /** Where an answer has its reasoning; undefined when it has none. */
  reasoning(events: readonly SseEvent[]): string | undefined;
}

const GOOD_ENDS: ReadonlySet<unknown> = new Set(['response.completed', 'response.done']);

/** A row for each wire: the compiler asks for it. */
export const wireChecks: Readonly<Record<ProtocolId, WireChecks>> = {
  chat: {
    eventsName: 'chunks',
    finish: 'finish_reason',
    sentinel: '[DONE]',
    heldAfterError: 'done-then-hold',
    body: chatBody,
    check: checkChat,
    over(sample) {
      const facts = chatFacts(sample);
      const failed = facts.error >= 0 && (facts.finish < 0 || facts.error < facts.finish);
      const place = failed ? facts.error : facts.finish;
      const sentinel = facts.sentinel < 0 ? 'none' : facts.bareSentinel ? 'bare' : 'bracketed';
      return { at: facts.events[place], sentinel, failed };
    },
    describe(sample) {
      const { reasons, sentinel } = chatFacts(sample);
      const usage = sample.reading.events.some(({ json }) => isObject(json?.usage)) ? 'usage' : 'no usage';
      return `finish_reason ${reasons.join(', ') || 'none'}, ${sentinel < 0 ? 'no sentinel' : 'sentinel'}, ${usage}`;
    },
    calls: (events) =>
      events
        .flatMap(({ json }) => fragmentsOf(json).map((call) => (isObject(call.function) ? call.function.name : '')))
        .filter((name) => typeof name === 'string')
        .filter((name) => name !== ''),
    reasoning: (events) =>
      events
        .flatMap(({ json }) =>
          choicesOf(json).map(({ delta }) => (isObject(delta) ? reasoningField(delta) : undefined)),
        )
        .find((name) => name !== undefined),
  },
  responses: {
    eventsName: 'events',
    finish: 'terminal event',
    sentinel: undefined,
    heldAfterError: 'failed-then-hold',
    body: responsesBody,
    check: checkResponses,
    over(sample) {
      const { events, terminal } = responsesFacts(sample);
      const at = events[terminal];
      return { at, sentinel: 'none', failed: at !== undefined && !GOOD_ENDS.has(at.json?.type) };
    },
    describe(sample) {
      const { events, terminal } = responsesFacts(sample);
      return `${counted(events.length, 'event')}, the last is ${typeOf(events[terminal])}`;
    },
    calls(events) {
      const items = events.flatMap(({ json }) =>
        isObject(json?.item) ? [json.item] : objectsIn(isObject(json?.response) ? json.response.output : undefined),
      );
      const calls = items.filter(({ type }) => type === 'function_call');
      return [...new Map(calls.map(({ call_id: id, name }) => [id, stringOf(name) ?? ''])).values()];
    },
    reasoning: (events) => events.map(typeOf).find((name) => name.startsWith('response.reasoning')),
  },
  messages: {
    eventsName: 'events',
    finish: 'stop_reason',
    sentinel: 'message_stop',
    heldAfterError: 'failed-then-hold',
    body: messagesBody,
    check: checkMessages,
    over(sample) {
      const { events, finish, stop, error } = messagesFacts(sample);
      const failed = error >= 0 && (finish < 0 || error < finish);
      return { at: events[failed ? error : finish], sentinel: stop < 0 ? 'none' : 'bracketed', failed };
    },
    describe(sample) {
      const { events, reason, blocks } = messagesFacts(sample);
      const types = blocks.map(({ block }) => stringOf(block.type) ?? '?').join(', ');
      return `${counted(events.length, 'event')}, blocks: ${types === '' ? 'none' : types}, stop_reason ${reason ?? 'none'}`;
    },
    calls: messagesCalls,
    reasoning: (events) =>
      messagesDeltas(events).find((name) => name === 'thinking_delta' || name === 'signature_delta'),
  },
};
