import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bridge } from '../../packages/bridge/src/index.ts';
import { createDecoder, protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { answers, expectedOf, framings, toldBy, toSse, type Answer, type Told } from '../wire/dialects/answers.ts';
import { chatDialects, chatErrorKind, writeChat, writeChatBody } from '../wire/dialects/chat.ts';
import {
  forMessagesClient,
  messagesDialects,
  messagesErrorKind,
  withMessagesUsage,
  writeMessages,
} from '../wire/dialects/messages.ts';
import {
  responsesDialects,
  responsesErrorKind,
  writeResponses,
  writeResponsesBody,
} from '../wire/dialects/responses.ts';
import { dialectRuns } from '../wire/dialects/runs.ts';
import { cutAt } from '../wire/helpers.ts';
import { post, type Json } from './harness.ts';
import { startBridge } from './raw-upstream.ts';

/** What the model server answers to the next request, whatever that is. */
interface Served {
  readonly type: string;
  readonly chunks: readonly Uint8Array[];
}

let served: Served = { type: 'text/plain', chunks: [] };
let server: Server;
const bridges = new Map<ProtocolId, Bridge>();

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': served.type });
      for (const chunk of served.chunks) response.write(chunk);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  for (const wire of protocolIds) bridges.set(wire, await startBridge([{ url }], { wire }));
});

afterAll(async () => {
  await Promise.all([...bridges.values()].map((bridge) => bridge.close()));
  server.closeAllConnections();
  server.close();
});

const clients: Readonly<Record<ProtocolId, { readonly path: string; readonly body: Json }>> = {
  chat: {
    path: '/v1/chat/completions',
    body: { messages: [{ role: 'user', content: 'hi' }] },
  },
  responses: { path: '/v1/responses', body: { input: 'hi' } },
  messages: { path: '/v1/messages', body: { max_tokens: 1000, messages: [{ role: 'user', content: 'hi' }] } },
};

const utf8 = new TextEncoder();
const tools = Array.from({ length: 3 }, (_, n) => ({ name: `tool_${n}`, parameters: { type: 'object' } }));
const toolsOf: Readonly<Record<ProtocolId, readonly Json[]>> = {
  chat: tools.map((tool) => ({ type: 'function', function: tool })),
  responses: tools.map((tool) => ({ type: 'function', ...tool })),
  messages: tools.map(({ name, parameters }) => ({ name, input_schema: parameters })),
};

/** What a client of the bridge is told; `undefined` where it is told by an HTTP status. */
async function ask(upstream: ProtocolId, { client, stream }: Way) {
  const bridge = bridges.get(upstream);
  if (bridge === undefined) throw new Error(`no bridge before ${upstream}`);
  const { path, body } = clients[client];
  const usage = client === 'chat' && stream ? { stream_options: { include_usage: true } } : {};
  const response = await post(bridge, path, { model: 'm', ...body, tools: toolsOf[client], stream, ...usage });
  const text = await readAll(response);
  if (response.status !== 200) return undefined;
  const decoder = createDecoder(client, { usageAsked: true });
  const events = decoder.push(utf8.encode(text));
  events.push(...decoder.end({ type: 'close' }));
  return toldBy(events, decoder.failure?.toJSON());
}

/** A stream of the chat wire that fails is cut, not ended. */
async function readAll(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  } catch {
    // What came before counts.
  }
  return text;
}

/**
 * What a client is told: a full context is a limit to all but Codex, other errors have the server's own code, and where
 * nobody knows the usage, a Responses client has zeros.
 */
const ENDS: Readonly<Record<string, string>> = {
  completed: 'completed',
  incomplete: 'limit',
  context_window_exceeded: 'limit',
  content_filter: 'filter',
};

function toClient<T extends Told>(told: T): T {
  const isKnown = told.usage?.['total_tokens'] !== 0;
  return { ...told, end: ENDS[told.end] ?? 'error', usage: isKnown ? told.usage : undefined };
}

interface Way {
  readonly client: ProtocolId;
  readonly stream: boolean;
}

const ways: fc.Arbitrary<Way> = fc.record({ client: fc.constantFrom('chat', 'responses'), stream: fc.boolean() });

async function expectSame(
  upstream: ProtocolId,
  answer: Answer,
  kind: string,
  way: Way,
  whole: Told = expectedOf(answer, kind),
): Promise<void> {
  const expected = toClient(whole);
  const told = await ask(upstream, way);
  if (told === undefined) {
    // One status in place of an answer: nothing was said before, or the client did not ask for a stream.
    expect(['completed', 'incomplete', 'content_filter']).not.toContain(kind);
    if (way.stream) expect(expected.reasoning + expected.text + expected.refusal).toBe('');
  } else {
    expect(toClient(told)).toEqual({ ...expected, wrong: [] });
  }
}

describe('the bridge in front of any dialect', () => {
  test('of the chat wire', async () => {
    await fc.assert(
      fc.asyncProperty(answers, chatDialects, framings, ways, async (answer, dialect, framing, way) => {
        const bytes = utf8.encode(toSse(writeChat(answer, dialect), framing));
        served = { type: 'text/event-stream', chunks: cutAt(bytes, framing.cuts) };
        await expectSame('chat', answer, chatErrorKind(answer, dialect), way);
      }),
      dialectRuns(120),
    );
  });

  test('of the Responses wire', async () => {
    await fc.assert(
      fc.asyncProperty(answers, responsesDialects, framings, ways, async (answer, dialect, framing, way) => {
        const bytes = utf8.encode(toSse(writeResponses(answer, dialect), framing));
        served = { type: 'text/event-stream', chunks: cutAt(bytes, framing.cuts) };
        await expectSame('responses', answer, responsesErrorKind(answer, dialect), way);
      }),
      dialectRuns(120),
    );
  });

  test('of the Messages wire', async () => {
    const anyClient = fc.record({ client: fc.constantFrom(...protocolIds), stream: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        answers.map(forMessagesClient),
        messagesDialects,
        framings,
        anyClient,
        async (answer, dialect, framing, way) => {
          const bytes = utf8.encode(toSse(writeMessages(answer, dialect), framing));
          served = { type: 'text/event-stream', chunks: cutAt(bytes, framing.cuts) };
          const kind = messagesErrorKind(answer, dialect);
          await expectSame('messages', answer, kind, way, withMessagesUsage(expectedOf(answer, kind), answer));
        },
      ),
      dialectRuns(120),
    );
  });

  test('of one JSON body, on either wire', async () => {
    await fc.assert(
      fc.asyncProperty(answers, chatDialects, responsesDialects, ways, async (answer, chat, responses, way) => {
        for (const [wire, body, kind] of [
          ['chat', writeChatBody(answer, chat), chatErrorKind(answer, chat)],
          ['responses', writeResponsesBody(answer, responses), responsesErrorKind(answer, responses)],
        ] as const) {
          if (body === undefined) continue;
          served = { type: 'application/json', chunks: [utf8.encode(JSON.stringify(body))] };
          const said = answer.end === 'error' ? { ...answer, reasoning: [], text: [], refusal: [] } : answer;
          await expectSame(wire, said, kind, way);
        }
      }),
      dialectRuns(60),
    );
  });
});
