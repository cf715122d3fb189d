import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import {
  createDecoder,
  createResponsesFrameDecoder,
  protocolIds,
  protocols,
  validateMessagesOrder,
  validateOrder,
  type DecoderOptions,
  type ProtocolId,
} from '../../packages/wire/src/index.ts';
import type { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import {
  answers,
  expectedOf,
  framings,
  toldBy,
  toSse,
  type Answer,
  type Told,
  type Written,
} from './dialects/answers.ts';
import { chatDialects, chatErrorKind, writeChat, writeChatBody } from './dialects/chat.ts';
import {
  forMessages,
  forMessagesClient,
  messagesDialects,
  messagesErrorKind,
  withMessagesUsage,
  writeMessages,
  writeMessagesBody,
} from './dialects/messages.ts';
import { responsesDialects, responsesErrorKind, writeResponses, writeResponsesBody } from './dialects/responses.ts';
import { dialectRuns } from './dialects/runs.ts';
import { cutAt } from './helpers.ts';

const utf8 = new TextEncoder();
const options: DecoderOptions = { usageAsked: true, toolCallsOnStop: 'promote' };

interface Outcome {
  readonly events: readonly ModelEvent[];
  readonly failure: ModelError | undefined;
}

function decode(wire: ProtocolId, body: string, cuts: readonly number[] = [], more: DecoderOptions = {}): Outcome {
  const decoder = createDecoder(wire, { ...options, ...more });
  const events = cutAt(utf8.encode(body), cuts).flatMap((chunk) => decoder.push(chunk));
  events.push(...decoder.end({ type: 'close' }));
  return { events, failure: decoder.failure };
}

function overWebSocket(frames: readonly Written[]): Outcome {
  const decoder = createResponsesFrameDecoder();
  const events = frames.flatMap(({ data }) => decoder.pushText(typeof data === 'string' ? data : JSON.stringify(data)));
  events.push(...decoder.end({ type: 'close' }));
  return { events, failure: decoder.failure };
}

const told = ({ events, failure }: Outcome) => toldBy(events, failure?.toJSON());
const toldToClient = (outcome: Outcome): unknown => ({ ...told(outcome), ...toClient(told(outcome)) });
const exactly = (expected: Told): unknown => ({ ...expected, wrong: [] });

/** What a client of the bridge reads: the answer written by the encoder of its wire, as a stream and as one body. */
function translated(
  to: ProtocolId,
  { events, failure }: Outcome,
  tokenLimit: boolean,
): { readonly stream: Outcome; readonly body: Outcome } {
  const encoder = protocols[to].createEncoder({ id: 'answer_1', createdAt: 1, includeUsage: true });
  const written = events.flatMap((event) => encoder.push(event));
  if (failure !== undefined) written.push(...encoder.fail(failure));
  const problems = orderOf[to]?.(written.map(({ data }) => JSON.parse(data) as JsonObject)) ?? [];
  expect(problems).toEqual([]);
  return {
    stream: decode(to, protocols[to].toSse(written), [], { tokenLimit }),
    body: decode(to, JSON.stringify(encoder.body), [], { tokenLimit }),
  };
}

/** The wires whose events have an order. */
const orderOf: Readonly<Partial<Record<ProtocolId, (events: readonly JsonObject[]) => readonly unknown[]>>> = {
  responses: validateOrder,
  messages: validateMessagesOrder,
};

/** A client is told the server's own code, and of the wire's codes those that it acts on: other errors are but errors to it. */
function toClient(told: Told): Told {
  return { ...told, end: KEPT.has(told.end) ? told.end : 'error' };
}

const KEPT: ReadonlySet<string> = new Set(['completed', 'incomplete', 'content_filter', 'context_window_exceeded']);

describe('any dialect of the chat wire', () => {
  test('is the answer that the model gave, once and whole, however its bytes are cut', () => {
    fc.assert(
      fc.property(answers, chatDialects, framings, (answer, dialect, framing) => {
        const expected = exactly(expectedOf(answer, chatErrorKind(answer, dialect)));
        const body = toSse(writeChat(answer, dialect), framing);
        expect(told(decode('chat', body))).toEqual(expected);
        expect(told(decode('chat', body, framing.cuts))).toEqual(expected);
        expect(told(decode('chat', body, framing.cuts, { templates: false }))).toEqual(expected);
      }),
      dialectRuns(800),
    );
  });

  test('is the same as one JSON body', () => {
    fc.assert(
      fc.property(answers, chatDialects, (answer, dialect) => {
        const body = writeChatBody(answer, dialect);
        if (body === undefined) return;
        expect(told(decode('chat', JSON.stringify(body)))).toEqual(
          exactly(expectedInBody(answer, chatErrorKind(answer, dialect))),
        );
      }),
      dialectRuns(400),
    );
  });

  test.each(['chat', 'responses'] as const)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers, chatDialects, framings, (answer, dialect, framing) => {
        const read = decode('chat', toSse(writeChat(answer, dialect), framing));
        expectTranslated(to, read, answer, expectedOf(answer, chatErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });

  test('is the same to a client of the Messages wire, where that has a place for it', () => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), chatDialects, framings, (answer, given, framing) => {
        const dialect = { ...given, calls: { ...given.calls, custom: false } };
        const read = decode('chat', toSse(writeChat(answer, dialect), framing));
        expectTranslated('messages', read, answer, expectedOf(answer, chatErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });
});

describe('any dialect of the Messages wire', () => {
  test('is the answer that the model gave, once and whole, however its bytes are cut', () => {
    fc.assert(
      fc.property(answers.map(forMessages), messagesDialects, framings, (answer, dialect, framing) => {
        const expected = exactly(withMessagesUsage(expectedOf(answer, messagesErrorKind(answer, dialect)), answer));
        const body = toSse(writeMessages(answer, dialect), framing);
        expect(told(decode('messages', body))).toEqual(expected);
        expect(told(decode('messages', body, framing.cuts))).toEqual(expected);
        expect(told(decode('messages', body, framing.cuts, { templates: false }))).toEqual(expected);
      }),
      dialectRuns(800),
    );
  });

  test('is the same as one JSON body', () => {
    fc.assert(
      fc.property(answers.map(forMessages), messagesDialects, (answer, dialect) => {
        const body = writeMessagesBody(answer, dialect);
        if (body === undefined) return;
        const said = answer.end === 'failed' ? { ...answer, end: 'error' as const } : answer;
        const expected = expectedInBody(said, messagesErrorKind(answer, dialect));
        expect(told(decode('messages', JSON.stringify(body)))).toEqual(exactly(withMessagesUsage(expected, answer)));
      }),
      dialectRuns(400),
    );
  });

  test.each(protocolIds)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), messagesDialects, framings, (answer, dialect, framing) => {
        const read = decode('messages', toSse(writeMessages(answer, dialect), framing));
        const expected = withMessagesUsage(expectedOf(answer, messagesErrorKind(answer, dialect)), answer);
        expectTranslated(to, read, answer, expected);
      }),
      dialectRuns(400),
    );
  });
});

/** The same for a client: over a stream, and in one body where the answer is whole. */
function expectTranslated(to: ProtocolId, read: Outcome, answer: Answer, expected: Told): void {
  const { stream, body } = translated(to, read, answer.end === 'limit');
  expect(toldToClient(stream)).toEqual(exactly(toClient(expected)));
  if (read.failure === undefined) expect(toldToClient(body)).toEqual(exactly(toClient(expected)));
}

describe('any dialect of the Responses wire', () => {
  test('is the answer that the model gave, once and whole, however its bytes are cut', () => {
    fc.assert(
      fc.property(answers, responsesDialects, framings, (answer, dialect, framing) => {
        const expected = exactly(expectedOf(answer, responsesErrorKind(answer, dialect)));
        const body = toSse(writeResponses(answer, dialect), framing);
        expect(told(decode('responses', body))).toEqual(expected);
        expect(told(decode('responses', body, framing.cuts))).toEqual(expected);
        expect(told(decode('responses', body, framing.cuts, { templates: false }))).toEqual(expected);
      }),
      dialectRuns(800),
    );
  });

  test('is the same over a WebSocket, and as one JSON body', () => {
    fc.assert(
      fc.property(answers, responsesDialects, (answer, dialect) => {
        const kind = responsesErrorKind(answer, dialect);
        expect(told(overWebSocket(writeResponses(answer, { ...dialect, typed: 'payload' })))).toEqual(
          exactly(expectedOf(answer, kind)),
        );
        const body = writeResponsesBody(answer, dialect);
        if (body === undefined) return;
        expect(told(decode('responses', JSON.stringify(body)))).toEqual(exactly(expectedInBody(answer, kind)));
      }),
      dialectRuns(400),
    );
  });

  test.each(['chat', 'responses'] as const)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers, responsesDialects, framings, (answer, dialect, framing) => {
        const read = decode('responses', toSse(writeResponses(answer, dialect), framing));
        expectTranslated(to, read, answer, expectedOf(answer, responsesErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });

  test('is the same to a client of the Messages wire, where that has a place for it', () => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), responsesDialects, framings, (answer, given, framing) => {
        const dialect = { ...given, custom: false };
        const read = decode('responses', toSse(writeResponses(answer, dialect), framing));
        expectTranslated('messages', read, answer, expectedOf(answer, responsesErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });
});

/** One body that is an error has no room for what was said before. */
function expectedInBody(answer: Answer, kind: string): Told {
  const expected = expectedOf(answer, kind);
  return answer.end === 'error' ? { ...expected, reasoning: '', text: '', refusal: '' } : expected;
}
