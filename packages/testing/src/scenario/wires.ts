import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';

/** What the scripted server reads of a request, and how it names its answers. */
interface MockWire {
  /** The id of the `n`th answer. */
  answerId(n: number): string;
  /** The conversation: messages or items, in order. */
  entries(body: JsonObject, earlier: readonly unknown[]): readonly unknown[];
  /** Usage is told in the stream. */
  usageAsked(body: JsonObject): boolean;
  /** Answers are kept for requests that name them in `previous_response_id`. */
  readonly keepsAnswers: boolean;
}

/** A row for each wire: the compiler asks for it. */
export const mockWires: Readonly<Record<ProtocolId, MockWire>> = {
  chat: {
    answerId: (n) => `chatcmpl-mock-${n}`,
    entries: ({ messages }) => (Array.isArray(messages) ? (messages as unknown[]) : []),
    usageAsked: ({ stream_options: options }) => isObject(options) && options.include_usage === true,
    keepsAnswers: false,
  },
  responses: {
    answerId: (n) => `resp_mock_${n}`,
    entries: (body, earlier) => [...earlier, ...responsesInput(body)],
    usageAsked: () => true,
    keepsAnswers: true,
  },
  messages: {
    answerId: (n) => `msg_mock_${n}`,
    entries: ({ messages }) => (Array.isArray(messages) ? (messages as unknown[]) : []),
    usageAsked: () => true,
    keepsAnswers: false,
  },
};

/** The `input` of a Responses request as items. */
export function responsesInput(body: JsonObject): readonly unknown[] {
  const input = body.input;
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? (input as unknown[]) : [];
}
