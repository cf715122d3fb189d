import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ErrorFields } from '@turnwire/wire/internal/encode-error';
import { THREAD_UNSUPPORTED } from '@turnwire/wire/internal/messages/encode-error';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';

/** What the scripted server reads of a request, and how it names its answers. */
interface MockWire {
  /** The id of the `n`th answer. */
  answerId(n: number): string;
  /** The conversation: messages or items, in order. */
  entries(body: JsonObject, earlier: readonly unknown[]): readonly unknown[];
  /** Usage is told in the stream. */
  usageAsked(body: JsonObject): boolean;
  /** Why its servers refuse a request that is well formed; undefined for one that they take. */
  refusal(body: JsonObject): ErrorFields | undefined;
  /** Answers are kept for requests that name them in `previous_response_id`. */
  readonly keepsAnswers: boolean;
}

/** A row for each wire: the compiler asks for it. */
export const mockWires: Readonly<Record<ProtocolId, MockWire>> = {
  chat: {
    answerId: (n) => `chatcmpl-mock-${n}`,
    entries: ({ messages }) => (Array.isArray(messages) ? (messages as unknown[]) : []),
    usageAsked: ({ stream_options: options }) => isObject(options) && options.include_usage === true,
    refusal: () => undefined,
    keepsAnswers: false,
  },
  responses: {
    answerId: (n) => `resp_mock_${n}`,
    entries: (body, earlier) => [...earlier, ...responsesInput(body)],
    usageAsked: () => true,
    refusal: () => undefined,
    keepsAnswers: true,
  },
  messages: {
    answerId: (n) => `msg_mock_${n}`,
    entries: messagesEntries,
    usageAsked: () => true,
    refusal: threadRefusal,
    keepsAnswers: false,
  },
};

/**
 * The SDK's tool runner sends only what is new to a server that keeps threads, and everything to one that refuses them like this.
 * The scripted server keeps none.
 */
function threadRefusal({ thread }: JsonObject): ErrorFields | undefined {
  if (thread === undefined || thread === null) return undefined;
  return { message: 'message threads are not supported', code: THREAD_UNSUPPORTED, param: 'thread' };
}

/** System texts and messages, each tool result as an entry of its own, as on the other wires. */
function messagesEntries({ system, messages }: JsonObject): readonly unknown[] {
  const first = system === undefined ? [] : [{ role: 'system', content: system }];
  const all = Array.isArray(messages) ? (messages as unknown[]) : [];
  return [...first, ...all.flatMap((message) => (isObject(message) ? partsOfMessage(message) : []))];
}

function partsOfMessage(message: JsonObject): readonly unknown[] {
  if (!Array.isArray(message.content)) return [message];
  const blocks = (message.content as unknown[]).filter(isObject);
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const others = blocks.filter(({ type }) => type !== 'tool_result');
  const outputs = results.map(({ tool_use_id: id, content }) => ({
    type: 'function_call_output',
    call_id: id,
    output: content,
  }));
  return [...outputs, ...(others.length === 0 ? [] : [{ ...message, content: others }])];
}

/** The `input` of a Responses request as items. */
export function responsesInput(body: JsonObject): readonly unknown[] {
  const input = body.input;
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? (input as unknown[]) : [];
}
