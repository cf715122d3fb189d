import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import {
  answers,
  expectedInBody,
  expectedOf,
  framings,
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
import { readBody, readFrames, toClient, toldByReading, translate, type Reading } from './dialects/reading.ts';
import { responsesDialects, responsesErrorKind, writeResponses, writeResponsesBody } from './dialects/responses.ts';
import { dialectRuns } from './dialects/runs.ts';

const exactly = (expected: Told): unknown => ({ ...expected, wrong: [] });
const textOf = ({ data }: Written): string => (typeof data === 'string' ? data : JSON.stringify(data));

describe('any dialect of the chat wire', () => {
  test('is the answer that the model gave, once and whole, however its bytes are cut', () => {
    fc.assert(
      fc.property(answers, chatDialects, framings, (answer, dialect, framing) => {
        const expected = exactly(expectedOf(answer, chatErrorKind(answer, dialect)));
        const body = toSse(writeChat(answer, dialect), framing);
        expect(toldByReading(readBody('chat', body))).toEqual(expected);
        expect(toldByReading(readBody('chat', body, framing.cuts))).toEqual(expected);
        expect(toldByReading(readBody('chat', body, framing.cuts, { templates: false }))).toEqual(expected);
      }),
      dialectRuns(800),
    );
  });

  test('is the same as one JSON body', () => {
    fc.assert(
      fc.property(answers, chatDialects, (answer, dialect) => {
        const body = writeChatBody(answer, dialect);
        if (body === undefined) return;
        expect(toldByReading(readBody('chat', JSON.stringify(body)))).toEqual(
          exactly(expectedInBody(answer, chatErrorKind(answer, dialect))),
        );
      }),
      dialectRuns(400),
    );
  });

  test.each(['chat', 'responses'] as const)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers, chatDialects, framings, (answer, dialect, framing) => {
        const read = readBody('chat', toSse(writeChat(answer, dialect), framing));
        expectTranslated(to, read, answer, expectedOf(answer, chatErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });

  test('is the same to a client of the Messages wire, where that has a place for it', () => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), chatDialects, framings, (answer, given, framing) => {
        const dialect = { ...given, calls: { ...given.calls, custom: false } };
        const read = readBody('chat', toSse(writeChat(answer, dialect), framing));
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
        expect(toldByReading(readBody('messages', body))).toEqual(expected);
        expect(toldByReading(readBody('messages', body, framing.cuts))).toEqual(expected);
        expect(toldByReading(readBody('messages', body, framing.cuts, { templates: false }))).toEqual(expected);
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
        expect(toldByReading(readBody('messages', JSON.stringify(body)))).toEqual(
          exactly(withMessagesUsage(expected, answer)),
        );
      }),
      dialectRuns(400),
    );
  });

  test.each(protocolIds)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), messagesDialects, framings, (answer, dialect, framing) => {
        const read = readBody('messages', toSse(writeMessages(answer, dialect), framing));
        const expected = withMessagesUsage(expectedOf(answer, messagesErrorKind(answer, dialect)), answer);
        expectTranslated(to, read, answer, expected);
      }),
      dialectRuns(400),
    );
  });
});

/** The same for a client: over a stream, and in one body where the answer is whole. */
function expectTranslated(to: ProtocolId, read: Reading, answer: Answer, expected: Told): void {
  const { problems, stream, body } = translate(to, read, answer.end === 'limit');
  expect(problems).toEqual([]);
  expect(toClient(toldByReading(stream))).toEqual(exactly(toClient(expected)));
  if (read.failure === undefined) expect(toClient(toldByReading(body))).toEqual(exactly(toClient(expected)));
}

describe('any dialect of the Responses wire', () => {
  test('is the answer that the model gave, once and whole, however its bytes are cut', () => {
    fc.assert(
      fc.property(answers, responsesDialects, framings, (answer, dialect, framing) => {
        const expected = exactly(expectedOf(answer, responsesErrorKind(answer, dialect)));
        const body = toSse(writeResponses(answer, dialect), framing);
        expect(toldByReading(readBody('responses', body))).toEqual(expected);
        expect(toldByReading(readBody('responses', body, framing.cuts))).toEqual(expected);
        expect(toldByReading(readBody('responses', body, framing.cuts, { templates: false }))).toEqual(expected);
      }),
      dialectRuns(800),
    );
  });

  test('is the same over a WebSocket, and as one JSON body', () => {
    fc.assert(
      fc.property(answers, responsesDialects, (answer, dialect) => {
        const kind = responsesErrorKind(answer, dialect);
        expect(toldByReading(readFrames(writeResponses(answer, { ...dialect, typed: 'payload' }).map(textOf)))).toEqual(
          exactly(expectedOf(answer, kind)),
        );
        const body = writeResponsesBody(answer, dialect);
        if (body === undefined) return;
        expect(toldByReading(readBody('responses', JSON.stringify(body)))).toEqual(
          exactly(expectedInBody(answer, kind)),
        );
      }),
      dialectRuns(400),
    );
  });

  test.each(['chat', 'responses'] as const)('is the same to a client of the %s wire', (to) => {
    fc.assert(
      fc.property(answers, responsesDialects, framings, (answer, dialect, framing) => {
        const read = readBody('responses', toSse(writeResponses(answer, dialect), framing));
        expectTranslated(to, read, answer, expectedOf(answer, responsesErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });

  test('is the same to a client of the Messages wire, where that has a place for it', () => {
    fc.assert(
      fc.property(answers.map(forMessagesClient), responsesDialects, framings, (answer, given, framing) => {
        const dialect = { ...given, custom: false };
        const read = readBody('responses', toSse(writeResponses(answer, dialect), framing));
        expectTranslated('messages', read, answer, expectedOf(answer, responsesErrorKind(answer, dialect)));
      }),
      dialectRuns(400),
    );
  });
});
