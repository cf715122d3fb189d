import { isObject, omit, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import { everywhere, type FaultSpec, type FaultWire } from './fault.ts';
import { isTerminal, messagesFrame, responsesFrame, typeOf, withFields } from '../frames.ts';
import { oneOf, word } from './args.ts';
import { beforeEnd } from './ending.ts';

const wires: readonly FaultWire[] = ['responses', 'websocket'];

const reasoningShapes = ['text', 'event'] as const;

/** What servers of the wild say in words of their own. */
export const responsesDialectFaults: readonly FaultSpec[] = [
  {
    name: 'done-empty',
    summary: 'Items are done with content [] although their text was streamed: the endpoint of Codex (oh-my-pi#5146).',
    wires,
    create: () => ({ frames: (frames) => frames.map((frame) => withItems(frame, withoutText)) }),
  },
  {
    name: 'args-done-empty',
    summary: 'Calls are done with arguments "" although they were streamed: gateways (cc-switch#6481).',
    wires,
    create: () => ({ frames: (frames) => frames.map((frame) => withItems(withoutWhole(frame), withoutInput)) }),
  },
  {
    name: 'completed-incomplete',
    summary: 'response.completed carries a response that is incomplete: vLLM up to 0.29 (vllm#45386).',
    wires,
    lossy: true,
    create: () => ({
      frames: endWith({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
    }),
  },
  {
    name: 'completed-failed',
    summary: 'response.completed carries a response that failed: self-made Responses endpoints.',
    wires,
    lossy: true,
    create: () => ({
      frames: endWith({ status: 'failed', error: { code: 'server_error', message: 'scripted server_error' } }),
    }),
  },
  {
    name: 'response-done',
    summary:
      'The last event is called response.done: the Codex backend (pokoclaw#62), endpoints made after the realtime API.',
    wires,
    create: () => ({ frames: (frames) => frames.map((frame) => renamed(frame, 'response.done')) }),
  },
  {
    name: 'response-cancelled',
    summary: 'The event response.cancelled ends the answer in its middle: servers with a route that cancels.',
    wires,
    lossy: true,
    create: () => ({
      frames: (frames) => [
        ...beforeEnd(frames),
        responsesFrame({ type: 'response.cancelled', response: { id: 'resp_gone', status: 'cancelled', output: [] } }),
      ],
    }),
  },
  {
    name: 'response-error',
    summary: 'The error event is called response.error: endpoints made after the names of the others.',
    wires,
    lossy: true,
    create: () => ({
      frames: (frames) => [
        ...beforeEnd(frames),
        responsesFrame({ type: 'response.error', error: { code: 'server_error', message: 'scripted server_error' } }),
      ],
    }),
  },
  {
    name: 'reasoning-item',
    args: '[SHAPE]',
    choices: reasoningShapes,
    summary:
      'Reasoning whose content is a text (text, default), or whose deltas are called response.reasoning.delta (event): gateways before open models.',
    wires,
    create: (arg) => {
      const shape = oneOf('reasoning-item', arg, reasoningShapes, 'text');
      return { frames: (frames) => frames.map(shape === 'text' ? withReasoningText : withReasoningEvent) };
    },
  },
  {
    name: 'usage-beside',
    summary: 'Usage stands beside the response of the last event, not in it: thin translators.',
    wires,
    create: () => ({ frames: (frames) => frames.map(withUsageBeside) }),
  },
  {
    name: 'type-in-event-line',
    summary: 'The type of an event is in its event line alone: cursor2api#116.',
    wires: ['responses'],
    create: () => ({ frames: (frames) => frames.map(withoutType) }),
  },
  {
    name: 'error-string-code',
    args: '[CODE]',
    summary:
      'An error in mid-answer whose code is an HTTP status as text (default 429) and whose type is None: LiteLLM.',
    wires: everywhere,
    lossy: true,
    create: (arg) => {
      const code = word('error-string-code', arg, '429');
      const error = { message: 'litellm.APIError: scripted failure', type: 'None', param: 'None', code };
      return { frames: (frames, { wire }) => [...beforeEnd(frames), errorFrames[wire](error)] };
    },
  },
];

const responsesError = (error: JsonObject): Frame => responsesFrame({ type: 'error', error });

const errorFrames: Readonly<Record<FaultWire, (error: JsonObject) => Frame>> = {
  chat: (error) => ({ kind: 'json', event: '', value: { error } }),
  responses: responsesError,
  messages: (error) => messagesFrame({ type: 'error', error }),
  websocket: responsesError,
};

const DONE: ReadonlySet<string> = new Set(['response.output_item.done']);
const ITEM_EVENTS: ReadonlySet<string> = new Set([...DONE, 'response.output_item.added']);

/** The event with its item, or those of the final output, changed: by default once they are done. */
function withItems(frame: Frame, change: (item: JsonObject) => JsonObject, types = DONE): Frame {
  if (frame.kind !== 'json') return frame;
  const { item, response } = frame.value;
  if (types.has(typeOf(frame)) && isObject(item)) return withFields(frame, { item: change(item) });
  if (!isTerminal(frame) || !isObject(response) || !Array.isArray(response.output)) return frame;
  const output = (response.output as unknown[]).map((one) => (isObject(one) ? change(one) : one));
  return withFields(frame, { response: { ...response, output } });
}

function withoutText(item: JsonObject): JsonObject {
  if (item.type === 'message') return { ...item, content: [] };
  return item.type === 'reasoning' ? { ...item, summary: [], content: [] } : item;
}

function withoutInput(item: JsonObject): JsonObject {
  return item.type === 'function_call' ? { ...item, arguments: '' } : item;
}

function withoutWhole(frame: Frame): Frame {
  return typeOf(frame) === 'response.function_call_arguments.done' ? withFields(frame, { arguments: '' }) : frame;
}

function endWith(fields: JsonObject): (frames: Frame[]) => Frame[] {
  return (frames) =>
    frames.map((frame) => {
      if (frame.kind !== 'json' || !isTerminal(frame) || !isObject(frame.value.response)) return frame;
      return withFields(frame, { response: { ...frame.value.response, ...fields } });
    });
}

function renamed(frame: Frame, type: string): Frame {
  if (frame.kind !== 'json' || !isTerminal(frame)) return frame;
  return { ...frame, event: type, value: { ...frame.value, type } };
}

/** A text where a list of parts would be. */
function withReasoningText(frame: Frame): Frame {
  return withItems(frame, (item) => {
    const parts: unknown[] = item.type === 'reasoning' && Array.isArray(item.content) ? item.content : [];
    const texts = parts.map((part) => (isObject(part) ? stringOf(part.text) : undefined));
    return parts.length === 0 ? item : { ...item, content: texts.join('') };
  });
}

function withReasoningEvent(frame: Frame): Frame {
  if (frame.kind !== 'json' || typeOf(frame) !== 'response.reasoning_text.delta') return frame;
  const type = 'response.reasoning.delta';
  return { ...frame, event: type, value: { ...frame.value, type } };
}

function withUsageBeside(frame: Frame): Frame {
  if (frame.kind !== 'json' || !isTerminal(frame) || !isObject(frame.value.response)) return frame;
  const { usage, ...response } = frame.value.response;
  return withFields(frame, { response, usage });
}

/** The event without the `call_id` of its item, and the final output without any. */
export function withoutCallIds(frame: Frame): Frame {
  return withItems(frame, (item) => ('call_id' in item ? omit(item, 'call_id') : item), ITEM_EVENTS);
}

/** The event with arguments as objects, where they are whole. */
export function withArgumentObjects(frame: Frame): Frame {
  const told = typeOf(frame) === 'response.function_call_arguments.done' ? withObject(frame) : frame;
  return withItems(told, (item) => ({ ...item, ...asObject(item.arguments) }));
}

function withObject(frame: Frame): Frame {
  return frame.kind === 'json' ? withFields(frame, asObject(frame.value.arguments)) : frame;
}

function asObject(text: unknown): JsonObject {
  const value = typeof text === 'string' ? parseJson(text) : undefined;
  return isObject(value) ? { arguments: value } : {};
}

function withoutType(frame: Frame): Frame {
  return withFields(frame, { type: undefined });
}

/** The event, and all that it tells of its calls, under one `call_id`. */
export function withCallId(frame: Frame, callId: string): Frame {
  return withItems(frame, (item) => ('call_id' in item ? { ...item, call_id: callId } : item), ITEM_EVENTS);
}

/** The last event with its usage under the names of Chat Completions. */
export function withResponseUsage(frame: Frame): Frame {
  if (frame.kind !== 'json' || !isTerminal(frame)) return frame;
  const { response } = frame.value;
  if (!isObject(response) || !isObject(response.usage)) return frame;
  const { input_tokens: prompt_tokens, output_tokens: completion_tokens, total_tokens } = response.usage;
  return withFields(frame, { response: { ...response, usage: { prompt_tokens, completion_tokens, total_tokens } } });
}
