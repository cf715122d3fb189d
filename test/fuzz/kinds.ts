import fc from 'fast-check';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import {
  answers,
  expectedInBody,
  expectedOf,
  framings,
  toSse,
  type Answer,
  type Told,
} from '../wire/dialects/answers.ts';
import { chatDialects, chatErrorKind, writeChat, writeChatBody } from '../wire/dialects/chat.ts';
import {
  forMessages,
  forMessagesClient,
  messagesDialects,
  messagesErrorKind,
  withMessagesUsage,
  writeMessages,
  writeMessagesBody,
} from '../wire/dialects/messages.ts';
import { dialectOptions } from '../wire/dialects/reading.ts';
import {
  responsesDialects,
  responsesErrorKind,
  writeResponses,
  writeResponsesBody,
} from '../wire/dialects/responses.ts';
import { chatBodies, decoderOptions, messagesBodies, responsesBodies } from '../wire/generators.ts';
import { changingServers } from './changing-server.ts';
import { changedCaptures } from './mutations.ts';
import type { Stream } from './stream.ts';

const utf8 = new TextEncoder();
const cuts = fc.array(fc.nat(100_000), { maxLength: 12 });
const noise = fc.oneof({ weight: 4, arbitrary: fc.constant(new Uint8Array()) }, fc.uint8Array({ maxLength: 12 }));

/** Bodies of anything, now and then with bytes of anything within. */
function anyBody(wire: ProtocolId, bodies: fc.Arbitrary<string>): fc.Arbitrary<Stream> {
  return fc
    .record({
      body: bodies,
      before: fc.array(bodies, { minLength: 1, maxLength: 3 }),
      options: decoderOptions,
      cuts,
      noise,
      at: fc.nat(2000),
    })
    .map(({ body, noise: inside, at, ...rest }) => {
      const bytes = utf8.encode(body);
      const place = at % (bytes.length + 1);
      return {
        wire,
        bytes: Buffer.concat([bytes.subarray(0, place), inside, bytes.subarray(place)]),
        ...rest,
      };
    });
}

/** Everything that an answer in a dialect has beside its bytes. */
function dialectStream(wire: ProtocolId, body: string, answer: Answer, told: Told, how: Partial<Stream>): Stream {
  const limited = answer.end === 'limit';
  return { wire, bytes: utf8.encode(body), options: dialectOptions, cuts: [], told, limited, ...how };
}

const chat = fc
  .tuple(answers, chatDialects, framings, fc.boolean(), answers)
  .map(([given, drawn, framing, toMessages, earlier]): Stream => {
    const answer = toMessages ? forMessagesClient(given) : given;
    const dialect = toMessages ? { ...drawn, calls: { ...drawn.calls, custom: false } } : drawn;
    const told = expectedOf(answer, chatErrorKind(answer, dialect));
    const body = toSse(writeChat(answer, dialect), framing);
    const before = [toSse(writeChat(earlier, dialect), framing)];
    return dialectStream('chat', body, answer, told, { cuts: framing.cuts, clients: clientsOf(toMessages), before });
  });

const responses = fc
  .tuple(answers, responsesDialects, framings, fc.boolean(), answers)
  .map(([given, drawn, framing, toMessages, earlier]): Stream => {
    const answer = toMessages ? forMessagesClient(given) : given;
    const dialect = toMessages ? { ...drawn, custom: false } : drawn;
    const told = expectedOf(answer, responsesErrorKind(answer, dialect));
    const body = toSse(writeResponses(answer, dialect), framing);
    return dialectStream('responses', body, answer, told, {
      cuts: framing.cuts,
      clients: clientsOf(toMessages),
      before: [toSse(writeResponses(earlier, dialect), framing)],
      frames: writeResponses(answer, { ...dialect, typed: 'payload' }).map(({ data }) =>
        typeof data === 'string' ? data : JSON.stringify(data),
      ),
    });
  });

/** A client of the Messages wire is told less of an answer: such a one is made for it alone. */
function clientsOf(toMessages: boolean): readonly ProtocolId[] {
  return toMessages ? ['messages'] : ['chat', 'responses'];
}

const messages = fc
  .tuple(answers, messagesDialects, framings, fc.boolean(), answers)
  .map(([given, dialect, framing, toClients, earlier]): Stream => {
    const answer = toClients ? forMessagesClient(given) : forMessages(given);
    const told = withMessagesUsage(expectedOf(answer, messagesErrorKind(answer, dialect)), answer);
    const body = toSse(writeMessages(answer, dialect), framing);
    const clients: readonly ProtocolId[] = toClients ? ['chat', 'responses', 'messages'] : [];
    const before = [toSse(writeMessages(forMessages(earlier), dialect), framing)];
    return dialectStream('messages', body, answer, told, { cuts: framing.cuts, clients, before });
  });

/** A stream for each answer that one JSON body can tell. */
function whole(
  wire: ProtocolId,
  written: fc.Arbitrary<{ answer: Answer; body: object | undefined; told: Told }>,
): fc.Arbitrary<Stream> {
  return fc
    .tuple(
      written.filter(({ body }) => body !== undefined),
      cuts,
    )
    .map(([{ answer, body, told }, places]) =>
      dialectStream(wire, JSON.stringify(body), answer, told, { cuts: places }),
    );
}

const chatWhole = whole(
  'chat',
  fc.tuple(answers, chatDialects).map(([answer, dialect]) => ({
    answer,
    body: writeChatBody(answer, dialect),
    told: expectedInBody(answer, chatErrorKind(answer, dialect)),
  })),
);

const responsesWhole = whole(
  'responses',
  fc.tuple(answers, responsesDialects).map(([answer, dialect]) => ({
    answer,
    body: writeResponsesBody(answer, dialect),
    told: expectedInBody(answer, responsesErrorKind(answer, dialect)),
  })),
);

const messagesWhole = whole(
  'messages',
  fc.tuple(answers.map(forMessages), messagesDialects).map(([answer, dialect]) => {
    // A body has no room for what was said before its failure.
    const said = answer.end === 'failed' ? { ...answer, end: 'error' as const } : answer;
    return {
      answer,
      body: writeMessagesBody(answer, dialect),
      told: withMessagesUsage(expectedInBody(said, messagesErrorKind(answer, dialect)), answer),
    };
  }),
);

/** What is tried, in turn: bodies of anything, answers in every dialect, and recorded streams with changes. */
export const kinds: Readonly<Record<string, fc.Arbitrary<Stream>>> = {
  'chat bodies': anyBody('chat', chatBodies),
  'responses bodies': anyBody('responses', responsesBodies),
  'messages bodies': anyBody('messages', messagesBodies),
  'chat dialects': chat,
  'responses dialects': responses,
  'messages dialects': messages,
  'chat answers in one body': chatWhole,
  'responses answers in one body': responsesWhole,
  'messages answers in one body': messagesWhole,
  'changed captures': changedCaptures,
  'answers of a server that changes': changingServers,
};
