import { isObject, type JsonObject } from '../base/json.ts';

/** How an answer is known to be of one wire, by any of its events or by its one body. */
export interface WireSign {
  /** Its id: absent for one that has none here. */
  readonly wire?: string;
  /** What to call an answer of it. */
  readonly title: string;
  /** What to do where it came instead of another. Default: to ask for it. */
  readonly advice?: string;
  isSignOf(value: JsonObject): boolean;
}

/** The wires that servers are asked for by mistake, or answer whatever they are asked. */
export const wireSigns: readonly WireSign[] = [
  {
    wire: 'responses',
    title: 'a Responses stream',
    isSignOf: ({ type, object }) => object === 'response' || (typeof type === 'string' && type.startsWith('response.')),
  },
  {
    wire: 'chat',
    title: 'a Chat Completions stream',
    isSignOf: ({ object, choices }) =>
      (typeof object === 'string' && object.startsWith('chat.completion')) ||
      (Array.isArray(choices) &&
        choices.some((one) => isObject(one) && (isObject(one['delta']) || isObject(one['message'])))),
  },
  {
    title: "a stream of Ollama's own API (/api/chat)",
    advice: 'end the base URL in /v1, where Ollama speaks Chat Completions',
    isSignOf: ({ done, message, response }) =>
      typeof done === 'boolean' && (isObject(message) || typeof response === 'string'),
  },
  {
    wire: 'messages',
    title: 'an Anthropic Messages stream',
    isSignOf: ({ type, role }) => MESSAGES_EVENTS.has(type) || (type === 'message' && role === 'assistant'),
  },
];

const MESSAGES_EVENTS: ReadonlySet<unknown> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
]);
